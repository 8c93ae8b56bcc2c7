"""Sources at the end of a page: what its text links to, from ``book/references.bib``.

A page cites with a plain link to a DOI or to arXiv, which reads well on GitHub and Colab too.
"""

import functools
import json
import re

from pybtex.database import parse_file

from genept_utils import paths

ADDRESS = re.compile(r"https?://(?:doi\.org/|arxiv\.org/abs/)([^\s)\"\\>]+)", re.IGNORECASE)


@functools.lru_cache(maxsize=1)
def listed():
    """Key of ``references.bib`` by DOI or arXiv number, in small letters."""
    entries = parse_file(str(paths.BOOK / "references.bib")).entries
    return {entry.fields[name].lower(): key for key, entry in entries.items()
            for name in ("doi", "eprint") if name in entry.fields}


def cited(text):
    """(keys, addresses without an entry) of the works that a text links to, sorted."""
    found = {number.rstrip(".,;").lower() for number in ADDRESS.findall(text)}
    keys = {listed()[number] for number in found if number in listed()}
    return sorted(keys), sorted(found - set(listed()))


def add_sources(app, docname, source):
    """A handler of ``source-read``: list the sources of a page at its end."""
    keys, _ = cited(source[0])
    if not keys or "{bibliography}" in source[0]:
        return
    shown = ("## Sources\n\n```{bibliography}\n:list: bullet\n"
             f':filter: key % "^({"|".join(keys)})$"\n```\n')
    if docname.startswith("notebooks/"):
        notebook = json.loads(source[0])
        notebook["cells"].append({"cell_type": "markdown", "id": "page-sources", "metadata": {},
                                  "source": shown})
        source[0] = json.dumps(notebook)
    else:
        source[0] = source[0].rstrip() + "\n\n" + shown
