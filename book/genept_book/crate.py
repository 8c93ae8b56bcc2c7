"""The book as a research object: `make crate` writes ``ro-crate-metadata.json``.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1): each notebook with what it read and what it recorded,
each source with address, size and SHA-256.
"""

import json

import nbformat

from genept_utils import paths, sources
from genept_book.cite import citation

NAME = "ro-crate-metadata.json"
ROOTS = ["README.md", "LICENSE", "requirements.lock", "Dockerfile", "data/published.csv",
         "data/claims.csv", "data/paper-sources.csv"]


def metadata():
    """The metadata as one JSON-LD object."""
    cited = citation()
    author = {"@id": "#authors", "@type": "Organization", "name": cited["authors"][0]["name"]}
    registered = sources.registry()
    files, runs, used = [_file(name) for name in ROOTS], [], set()
    for path in sorted(paths.NOTEBOOKS.glob("*.ipynb")):
        own = nbformat.read(path, as_version=4).metadata.get("genept", {})
        result = f"data/results/{path.stem}.json"
        result = [result] if (paths.ROOT / result).is_file() else []
        files.append({**_file(f"notebooks/{path.name}"), "@type": ["File", "SoftwareSourceCode"]})
        files += map(_file, result)
        read = sorted(set(own.get("sources", [])) & set(registered.index))
        used |= set(read)
        if run := own.get("run"):
            runs.append({"@id": f"#run-{path.stem}", "@type": "CreateAction",
                         "name": f"Strict run of {path.stem}", "endTime": str(run["date"]),
                         "instrument": {"@id": f"notebooks/{path.name}"},
                         "object": [{"@id": _address(registered.loc[key])} for key in read],
                         "result": [{"@id": name} for name in result]})
    read = {}
    for key in sorted(used):
        row = registered.loc[key]
        one = read.setdefault(_address(row), {
            "@id": _address(row), "@type": "File", "name": [], "description": row.citation,
            "license": row.licence, "contentSize": str(row.bytes), "sha256": row.sha256})
        one["name"].append(key)
    root = {"@id": "./", "@type": "Dataset", "name": cited["title"],
            "description": cited["message"], "version": cited["version"],
            "datePublished": str(cited["date-released"]), "author": {"@id": author["@id"]},
            "license": {"@id": "https://spdx.org/licenses/MIT"},
            "citation": {"@id": f"https://doi.org/{cited['preferred-citation']['doi']}"},
            "hasPart": [{"@id": one["@id"]} for one in [*files, *read.values()]],
            "mentions": [{"@id": one["@id"]} for one in runs]}
    about = {"@id": NAME, "@type": "CreativeWork", "about": {"@id": "./"},
             "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}}
    return {"@context": "https://w3id.org/ro/crate/1.1/context",
            "@graph": [about, root, author, *files, *read.values(), *runs]}


def _file(name):
    path = paths.ROOT / name
    return {"@id": name, "@type": "File", "name": path.name,
            "contentSize": str(path.stat().st_size), "sha256": sources.sha256(path)}


def _address(row):
    """Of a file inside a package its package and path, which together are no web address."""
    return row.url or f"#{row.wheel}/{row.member}"


def main():
    with sources.replacing(paths.ROOT / NAME) as part:
        part.write_text(json.dumps(metadata(), indent=1, ensure_ascii=False), encoding="utf-8")
    print(f"{NAME} is written")


if __name__ == "__main__":
    main()
