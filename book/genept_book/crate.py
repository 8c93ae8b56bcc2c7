"""The book as a research object: `make crate` writes ``ro-crate-metadata.json``.

RO-Crate 1.1 (https://w3id.org/ro/crate/1.1): each notebook with what it read and what it recorded,
each source with address, size and SHA-256.
"""

import json

from genept_utils import paths, sources
from genept_book import notebooks
from genept_book.cite import citation

NAME = "ro-crate-metadata.json"
ROOTS = ["README.md", "LICENSE", "requirements.lock", "Dockerfile", "data/published.csv",
         "data/claims.csv", "data/paper-sources.csv"]


def metadata():
    """The metadata as one JSON-LD object."""
    cited, registered = citation(), sources.registry()
    files, runs, used = [_file(name) for name in ROOTS], [], {}
    for path in notebooks.notebooks():
        own = notebooks.about(notebooks.read(path))
        files.append({**_file(f"notebooks/{path.name}"), "@type": ["File", "SoftwareSourceCode"]})
        made = [_file(name) for name in [f"data/results/{path.stem}.json"]
                if (paths.ROOT / name).is_file()]
        read = [_source(key, registered, used) for key in sorted(
            set(own.get("sources", [])) & set(registered.index))]
        files += made
        if run := own.get("run"):
            runs.append({"@id": f"#run-{path.stem}", "@type": "CreateAction",
                         "name": f"Strict run of {path.stem}", "endTime": str(run["date"]),
                         "instrument": {"@id": f"notebooks/{path.name}"},
                         "object": _named(read), "result": _named(made)})
    files += used.values()
    author = {"@id": "#authors", "@type": "Organization", "name": cited["authors"][0]["name"]}
    root = {"@id": "./", "@type": "Dataset", "name": cited["title"],
            "description": cited["message"], "version": cited["version"],
            "datePublished": str(cited["date-released"]), "author": {"@id": author["@id"]},
            "license": {"@id": "https://spdx.org/licenses/MIT"},
            "citation": {"@id": f"https://doi.org/{cited['preferred-citation']['doi']}"},
            "hasPart": _named(files), "mentions": _named(runs)}
    about = {"@id": NAME, "@type": "CreativeWork", "about": {"@id": "./"},
             "conformsTo": {"@id": "https://w3id.org/ro/crate/1.1"}}
    return {"@context": "https://w3id.org/ro/crate/1.1/context",
            "@graph": [about, root, author, *files, *runs]}


def _named(entities):
    return [{"@id": one["@id"]} for one in entities]


def _file(name):
    path = paths.ROOT / name
    return {"@id": name, "@type": "File", "name": path.name,
            "contentSize": str(path.stat().st_size), "sha256": sources.sha256(path)}


def _source(key, registered, used):
    """A registered source, once in ``used``, with all keys that it goes by."""
    row = registered.loc[key]
    # of a file inside a package its package and path, which together are no web address
    address = row.url or f"#{row.wheel}/{row.member}"
    one = used.setdefault(address, {
        "@id": address, "@type": "File", "name": [], "description": row.citation,
        "license": row.licence, "contentSize": str(row.bytes), "sha256": row.sha256})
    one["name"] = sorted({*one["name"], key})
    return one


def main():
    sources.save(paths.ROOT / NAME, json.dumps(metadata(), indent=1, ensure_ascii=False))
    print(f"{NAME} is written")


if __name__ == "__main__":
    main()
