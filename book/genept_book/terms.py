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
    if not terms:
        return
    words = sorted(terms, key=len, reverse=True)
    # an abbreviation as it is written, other words with a small or a large first letter
    spelt = [re.escape(word) if not word[0].islower() else
             f"[{word[0].upper()}{word[0]}]{re.escape(word[1:])}" for word in words]
    pattern = re.compile(rf"(?<![\w-])(?:{'|'.join(spelt)})(?![\w-])")
    seen = set()
    for text in list(doctree.findall(nodes.Text)):
        if not inside(text, nodes.paragraph) or inside(text, KEEP_OUT):
            continue
        parts, at = [], 0
        for found in pattern.finditer(text):
            word = found[0] if found[0] in terms else found[0][0].lower() + found[0][1:]
            target, anchor = terms[word]
            if (target, anchor) in seen:
                continue
            seen.add((target, anchor))
            uri = app.builder.get_relative_uri(docname, target) + f"#{anchor}"
            link = nodes.reference("", found[0], internal=True, refuri=uri, classes=["term"])
            parts += [nodes.Text(text[at:found.start()]), link]
            at = found.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[at:])])


def inside(node, kinds):
    """Whether a node stands within a node of one of these kinds."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, kinds):
            return True
    return False
