"""The first use of a word of the glossary on a page of a chapter links to the glossary.

Notebooks are plain Markdown, so that they read well on GitHub and Colab; the links are made here.
"""

import re

from docutils import nodes

KEEP_OUT = (nodes.reference, nodes.literal, nodes.strong, nodes.raw, nodes.math)


def link_terms(app, doctree, docname):
    """A handler of ``doctree-resolved``."""
    terms, seen = {}, set()
    for (kind, name), where in app.env.get_domain("std").objects.items():
        if kind == "term":  # an abbreviation as it is written, other words with a large letter too
            terms |= {name: where, name[0].upper() + name[1:]: where}
    if not terms or not docname.startswith("notebooks/"):
        return
    words = "|".join(map(re.escape, sorted(terms, key=len, reverse=True)))
    pattern = re.compile(rf"(?<![\w-])({words})(?![\w-])")
    for paragraph in doctree.findall(nodes.paragraph):
        kept = {id(text) for node in paragraph.findall(lambda node: isinstance(node, KEEP_OUT))
                for text in node.findall(nodes.Text)}
        for text in [text for text in paragraph.findall(nodes.Text) if id(text) not in kept]:
            parts = [nodes.Text(part) for part in pattern.split(text)]
            for i in range(1, len(parts), 2):  # every second one is a term
                target, anchor = where = terms[parts[i]]
                if where not in seen:
                    seen.add(where)
                    uri = f"{app.builder.get_relative_uri(docname, target)}#{anchor}"
                    parts[i] = nodes.reference("", parts[i], internal=True, refuri=uri,
                                               classes=["term"])
            text.parent.replace(text, parts)
