"""The first use of a word of the glossary on a page of a chapter links to the glossary.

Notebooks are plain Markdown, so that they read well on GitHub and Colab; the links are made here.
"""

import re

from docutils import nodes

KEEP_OUT = (nodes.reference, nodes.literal, nodes.title, nodes.strong, nodes.caption, nodes.raw,
            nodes.math)


def link_terms(app, doctree, docname):
    """A handler of ``doctree-resolved``."""
    if not docname.startswith("notebooks/"):
        return
    terms = {name: where for (kind, name), where
             in app.env.get_domain("std").objects.items() if kind == "term"}
    # an abbreviation as it is written, other words with a small or a large first letter
    spelt = [re.escape(word) if not word[0].islower() else
             f"[{word[0].upper()}{word[0]}]{re.escape(word[1:])}"
             for word in sorted(terms, key=len, reverse=True)]
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(spelt) or '(?!)'})(?![\w-])")
    seen = set()
    for text in list(doctree.findall(nodes.Text)):
        around = list(_around(text))
        if not any(isinstance(node, nodes.paragraph) for node in around) or any(
                isinstance(node, KEEP_OUT) for node in around):
            continue
        parts, at = [], 0
        for found in pattern.finditer(text):
            word = found[0] if found[0] in terms else found[0][0].lower() + found[0][1:]
            if terms[word] not in seen:
                seen.add(terms[word])
                target, anchor = terms[word]
                uri = app.builder.get_relative_uri(docname, target) + f"#{anchor}"
                parts += [nodes.Text(text[at:found.start()]), nodes.reference(
                    "", found[0], internal=True, refuri=uri, classes=["term"])]
                at = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[at:])])


def _around(node):
    while node := node.parent:
        yield node
