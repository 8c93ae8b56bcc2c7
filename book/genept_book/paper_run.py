"""The paper's files in a folder: fetched where they are not there, checked, and run."""

import json
import os
import re
import sys
from pathlib import Path

from genept_book import notebooks, paper_fetch, paper_names
from genept_utils import datasets, optional, paths, sources
from genept_utils.datasets.formats import KNOWN, plain_name

ROLES = ("label", "batch", "donor", "condition")
NEEDED = {"07": {"label"}, "08": {"label", "batch"}, "09": {"label", "condition"}}  # by chapter


def paper(options):
    """Check, run and collect; return 1 where a run failed."""
    words, checked = options.words + (options.check or []), options.check is not None
    folders = [word for word in words if "=" not in word]
    given = dict(word.split("=", 1) for word in words if "=" in word)
    if len(folders) > 1:
        raise ValueError(f"one folder is needed; {', '.join(folders)} are {len(folders)}")
    if not (folders or paths.CHECKOUT):
        raise ValueError("name the folder of the paper's files: `python -m genept_utils paper "
                         "FOLDER`; without one it is data/paper of a clone of the book")
    folder = Path(folders[0] if folders else paths.paper()).expanduser()
    columns = {name: value for name, value in given.items() if "." in name}
    parameters = {name: value for name, value in given.items() if "." not in name}
    table, failed, meant = sources.table("paper-datasets.csv"), 0, None
    for name, (dataset, _, role) in ((name, name.rpartition(".")) for name in columns):
        if dataset not in set(table["dataset"]) or role not in {*ROLES, *table["labelled"]}:
            raise ValueError(f"{name} is no SET.ROLE; sets are "
                             f"{', '.join(table['dataset'].unique())}, roles {', '.join(ROLES)}")
    first = {_plain(name): files.partition("|")[0] for files in table["files"]
             for name in files.split("|")}  # of the names that a file may have
    if options.only is not None or not (folders or checked):
        meant, failed = _fetched(folder, options, first)
    ready = []
    for path, name in _files(folder, first, meant).items():
        rows = table[table["files"].str.partition("|")[0] == name].to_dict("records")
        try:
            if not path.exists():
                raise FileNotFoundError(f"{path.name} is a link to a file that is not there")
            obs, genes = datasets.annotations(path)
        except (ValueError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            ready += [(row, path, 0, None) for row in rows]
            failed += 1
            continue
        for row in rows:
            chosen, word = check(row, path, obs, genes, columns)
            print(word)
            ready.append((row, path, len(obs), chosen))
    if not checked:
        failed += _run_all(ready, parameters, folder)
        print(f"results are in {folder / 'results'}"
              + ("; `make render` sets them beside the printed ones, marked as your files"
                 if folder == paths.paper() else ""))
    return int(bool(failed))


def _fetched(folder, options, first):
    """Fetch the sets that are meant and not in the folder yet: the names of their files, and how
    many could not be had."""
    def key(name):
        return _plain(first.get(_plain(name), name))

    listed = sources.table("paper-sources.csv").drop_duplicates("dataset")
    known = {key(row.dataset): row for row in listed.itertuples()}
    words = {key(word): word.strip() for word in (
        first if options.only is None else options.only.split(","))}
    if strange := sorted(set(words) - set(known)):
        raise ValueError(f"--only {words[strange[0]]}: sets are {', '.join(listed['dataset'])}")
    wanted = [row for name, row in known.items() if name in words]
    meant = {first[_plain(row.file)] for row in wanted}
    if os.environ.get("GENEPT_OFFLINE"):
        print("GENEPT_OFFLINE is set: nothing is fetched")
        return meant, 0
    folder.mkdir(parents=True, exist_ok=True)
    there = {first.get(_stem(path)) for path in folder.iterdir()}
    missing = [row.dataset for row in wanted if first[_plain(row.file)] not in there]
    return meant, paper_fetch.fetch(folder, missing, options.yes, options.cells)


def _run_all(ready, parameters, folder):
    """Run what can be run; results of an earlier run of these files go. How many failed."""
    optional.need("papermill", "nbformat", "jinja2", "psutil", "scanpy")
    planned = [(row, path, cells, _words(row, path, chosen, parameters))
               for row, path, cells, chosen in ready if chosen]
    strange = set(parameters) - {word.partition("=")[0] for *_, words in planned for word in words}
    if strange and planned:
        raise ValueError(f"none of these chapters takes {', '.join(sorted(strange))}; "
                         "`python -m genept_utils run --parameters` lists what they take")
    for row, *_ in ready:
        _result(row, folder).unlink(missing_ok=True)
    failed = 0
    for n, (row, path, cells, words) in enumerate(planned, 1):
        print(f"{n} of {len(planned)}: {row['dataset']} by {row['labelled']}", flush=True)
        try:
            failed += _run(row, path, cells, words, folder)
        except (ValueError, OSError) as error:  # of this run; the others follow
            print(f"error: {path.name}, chapter {row['chapter']}: {error}", file=sys.stderr)
            failed += 1
    return failed


def _words(row, path, chosen, parameters):
    """What a chapter is given, checked as `run` checks it."""
    known = notebooks.parameters(notebooks.numbered(row["chapter"]))
    words = {"dataset": str(path.resolve()), **chosen, **parameters}
    words = [f"{name}={value}" for name, value in words.items() if name in known]
    notebooks.typed(words, known)
    return words


def _result(row, folder):
    name = f"{row['chapter']}-{row['dataset']}-{row['labelled']}".replace(" ", "-")
    return folder / "results" / f"{name}.json"


def _plain(name):
    return re.sub("[^a-z0-9]", "", str(name).lower())


def _stem(path):
    """The name of a file without its endings, as names are compared."""
    return _plain(path.name.partition(".")[0])


def _files(folder, first, meant):
    """The files of the folder that are sets of the paper, each with the first of its names; only
    those that are ``meant``, where it is given."""
    wanted = ", ".join(f"{name.replace(' ', '_')}.h5ad" for name in dict.fromkeys(first.values()))
    if not folder.is_dir():
        raise FileNotFoundError(f"there is no folder {folder}; make it and put the paper's files "
                                f"into it: {wanted}")
    there = {path: first.get(_stem(path)) for path in sorted(folder.iterdir())
             if path.name != "results" and {s.lower() for s in path.suffixes} & KNOWN}
    if strange := [path.name for path, name in there.items() if not name]:
        print("left out, for their names are none of the paper's sets: "
              f"{', '.join(strange)}; known are {wanted}")
    found = {path: name for path, name in there.items() if name and (not meant or name in meant)}
    if not found:
        raise FileNotFoundError(f"{folder} holds none of the paper's files; known are {wanted}")
    return found


def check(row, path, obs, genes, given=()):
    """One file against one row of the expectations.

    Returns
    -------
    chosen : dict or None
        Column of the file by role; None where the run cannot be made.
    word : str
        A line that says what agrees, what differs and what is missing.
    """
    chosen, lacking, given = {}, "", dict(given)
    known = ", ".join(map(str, obs.columns)) or "none"
    for role in ROLES:
        # SET.label is the cell type; another label has its own word, such as aorta.phenotype
        word = row["labelled"] if role == "label" and row["labelled"] != "cell type" else role
        own = given.get(f"{row['dataset']}.{word}")
        if own and own not in obs:
            raise KeyError(f"{path.name} has no column {own!r}; its columns are {known}")
        same = [str(column) for name in row[role].split("|") for column in obs
                if name and _plain(column) == _plain(name)]
        if own or same:
            chosen[role] = own or same[0]
        elif row[role]:
            lacking += (f" No column looks like the {role} ({row[role].replace('|', ', ')}); name "
                        f"it with \"{row['dataset']}.{word}=COLUMN\". Columns: {known}.")
    facts = {"cells": len(obs), "genes": genes}
    for what, column in (("types", chosen.get("label")),
                         ("donors", chosen.get("donor", chosen.get("batch"))),
                         ("conditions", chosen.get("condition"))):
        if column and row[what]:
            facts[what] = len(datasets.categorical(obs[column]).categories)
    said = [f"{n:,} {what}" + ("" if not row[what] else " as expected" if int(row[what]) == n
                               else f" (expected: {int(row[what]):,})")
            for what, n in facts.items()]
    said += [f"{role} is {column}" for role, column in chosen.items()]
    line = (f"{path.name}, chapter {row['chapter']}, {row['dataset']} by {row['labelled']}: "
            f"{', '.join(said)}.{lacking}")
    ready = NEEDED[row["chapter"]] <= chosen.keys()
    return (chosen, line) if ready else (None, line + " Not run.")


def _run(row, path, cells, words, folder):
    """One chapter on one file; its rows under the paper's names. 1 where it failed."""
    from genept_book import run

    result = _result(row, folder)
    place = result.with_suffix("")
    entry, = run.run([row["chapter"]], words, out=place)
    if entry["status"] not in ("executed", "partial"):
        print(f"{path.name}, chapter {row['chapter']}: {entry['status']}, {entry['error']}\n"
              f"  what it printed is kept in {entry['path']}", file=sys.stderr)
        return 1
    if entry["missing"]:
        print(f"  it was run without {', '.join(entry['missing'])}; `python -m genept_utils data "
              "--fetch KEY` says why a source could not be had")
    kind = "results_in_part" if entry["status"] == "partial" else "results"
    made = json.loads((place / kind / f"{entry['notebook']}.json").read_text(encoding="utf-8"))
    rows = paper_names.rows([one for one in made if one["dataset"] == plain_name(path)], row,
                            cells)
    sources.save(result, json.dumps(rows, ensure_ascii=False, indent=0))
    return 0
