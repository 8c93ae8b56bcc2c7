"""Fetch the cells of the paper into a folder: said, asked, checked, and nothing half kept."""

import contextlib
import datetime
import json
import shutil
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import h5py
import pandas as pd

from genept_book import paper_make, paper_remote
from genept_utils import optional, paths, sources, untrusted

ASKED = 10 ** 9  # bytes; more are fetched only where it is allowed
MOST = 512 << 20  # bytes that are read of a file of which a part is taken
CELLS = 20_000
MAKE = {"file": paper_make.one, "files": paper_make.several, "tables": paper_make.aorta,
        "matrix": paper_make.atlas}


def registered():
    """``data/paper-sources.csv``: one row for each file; an empty cell is not known."""
    return pd.read_csv(paths.DATA / "paper-sources.csv", dtype=str, keep_default_na=False)


def fetch(folder, wanted, yes=False, cells=CELLS):
    """Fetch data sets into a folder; one that fails keeps no other out.

    Parameters
    ----------
    folder : pathlib.Path
        Where the sets go; ``accepted.json`` in it holds the SHA-256 of each file that was
        accepted, and a file that has another one later is refused.
    wanted : sequence of str
        Data sets of :func:`registered`.
    yes : bool
        More than 1 GB may be fetched.
    cells : int
        Cells of a set that is read in part.

    Returns
    -------
    int
        How many sets could not be had.

    Raises
    ------
    ValueError
        More than 1 GB, and it was not allowed; or another process is at it.
    OSError
        The disk has not enough room.
    """
    with paths.locked(folder / ".lock", busy=f"another fetch into {folder} is under way"):
        sets = {name: rows.to_dict("records") for name, rows in
                registered().groupby("dataset", sort=False) if name in wanted}
        for name in [name for name, rows in sets.items() if rows[0]["form"] == "none"]:
            row, = sets.pop(name)
            print(f"{name} is not fetched: {row['note']} ({row['url']}). Put the file into "
                  f"{folder} as {row['file']}.h5ad.")
        return _fetch_all(_Files(folder, yes), sets, cells) if sets else 0


def _fetch_all(files, sets, cells):
    sizes, failed = {}, 0
    for name, rows in sets.items():
        try:
            sizes[name] = sum(files.size(row) for row in rows)
            print(f"{name}: {sizes[name] / 1e6:,.1f} MB from {urlsplit(rows[0]['url']).netloc}"
                  + (" at most, a part of the file" if rows[0]["form"] == "part" else ""))
        except (OSError, ValueError, zipfile.BadZipFile) as error:
            failed += _say(name, error)
    total = sum(sizes.values())
    if sizes:
        _ask(total, files.yes)
    if 3 * total > (free := shutil.disk_usage(files.folder).free):
        raise OSError(f"{3 * total / 1e9:.1f} GB are needed on the disk of {files.folder}, which "
                      f"has {free / 1e9:.1f} GB; free some, or name fewer sets with --only")
    bar = optional.need("tqdm").tqdm(total=total, unit="B", unit_scale=True, disable=None)
    files.progress = bar.update
    with bar, contextlib.closing(files):
        for name in sizes:
            try:
                _make(files, name, sets[name], cells)
            except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
                failed += _say(name, error)
    return failed


def _say(name, error):
    said = " ".join(str(error.args[0] if isinstance(error, KeyError) else error).split())
    print(f"error: {name} could not be had: {said}", file=sys.stderr)
    return 1


def _ask(total, yes):
    if total <= ASKED or yes:
        return
    said = f"{total / 1e9:.1f} GB would be fetched"
    if not sys.stdin.isatty():
        raise ValueError(f"{said}; allow it with --yes, or name fewer sets with --only")
    if input(f"{said}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ValueError("nothing was fetched")


def _make(files, name, rows, cells):
    """One set: its files, then the reader of its form; what was fetched for it goes."""
    out = files.folder / f"{rows[0]['file']}.h5ad"
    if rows[0]["form"] == "part":
        row, = rows
        with paper_remote.Remote(row["url"], MOST, files.progress) as remote:
            if row["bytes"] and remote.size != int(row["bytes"]):
                raise ValueError(f"the address now gives {remote.size:,} bytes and not "
                                 f"{int(row['bytes']):,}, so it is another file")
            with h5py.File(remote) as group, sources.replacing(out) as part:
                untrusted.no_other_file(group, "the file")
                paper_make.part(row, group, cells, part)
        return
    if rows[0]["form"] == "matrix":  # the names of genes and cells lie beside the matrix
        rows = [{**rows[0], "inner": rows[0]["inner"] + end} for end in ("", "_rows", "_cols")
                ] + rows[1:]
    try:
        got = [files.get(row) for row in rows]
        with sources.replacing(out) as part:
            MAKE[rows[0]["form"]](rows, got, part)
        files.accept(rows)
    except (ValueError, KeyError):  # what came is not it; after a cut the whole files stay
        files.remove(rows)
        raise
    else:
        files.remove(rows)
    finally:
        with contextlib.suppress(OSError):  # holds files of another set
            (files.folder / "downloads").rmdir()
    print(f"{name}: {out} is made")


class _Files:
    """Files at addresses, each opened once; and what was accepted of them before."""

    def __init__(self, folder, yes):
        self.folder, self.yes, self.progress = folder, yes, lambda n: None
        self.note, self.open, self.hashes = folder / "accepted.json", {}, {}
        self.known = json.loads(self.note.read_text("utf-8")) if self.note.exists() else {}

    def close(self):
        for file in self.open.values():
            if not isinstance(file, OSError):
                file.close()

    def size(self, row):
        """Bytes that will be fetched for a row, 0 where the server does not say."""
        if row["form"] == "part":
            return min(MOST, int(row["bytes"] or MOST))
        if row["url"] not in self.open:
            try:
                self.open[row["url"]] = paper_remote.Remote(
                    row["url"], progress=lambda n: self.progress(n))
            except paper_remote.NoRanges as error:
                self.open[row["url"]] = error
        file = self.open[row["url"]]
        if isinstance(file, OSError) or not row["inner"]:
            return file.size or 0
        with zipfile.ZipFile(file) as archive:
            return paper_remote.entry(archive, row["inner"].split("!")[0]).compress_size

    def path(self, row):
        inside = row["inner"].replace("!", "/") or urlsplit(row["url"]).path
        return self.folder / "downloads" / f"{row['file']}-{Path(inside).name}"

    def key(self, row):
        return "!".join(filter(None, (row["url"], row["inner"])))

    def get(self, row):
        """Path of one file, or of what lies in it, whose hash is not another than before."""
        path, key = self.path(row), self.key(row)
        if not path.exists():
            file = self.open[row["url"]]
            if isinstance(file, OSError):
                file = self.open[row["url"]] = paper_remote.whole(
                    row["url"], self.folder, None if self.yes else ASKED, self.progress)
            with sources.replacing(path) as part, open(part, "wb") as target:
                file.seek(0)
                with paper_remote.member(file, row["inner"], self.folder) as source:
                    paper_remote.copy(source, target, self.folder)
        self.hashes[key] = made = sources.sha256(path)
        before = self.known.get(key, {"sha256": row["sha256"], "accepted": "its publication"})
        if before["sha256"] and made != before["sha256"]:
            path.unlink()
            raise ValueError(f"{key} is another file now (SHA-256 {made}) than the one accepted "
                             f"on {before['accepted']} ({before['sha256']}); it was not kept, and "
                             f"is taken once its entry in {self.note} is removed")
        return path

    def accept(self, rows):
        """Hold to what these files are from now on."""
        day = datetime.date.today().isoformat()
        for key in map(self.key, rows):
            self.known.setdefault(key, {"sha256": self.hashes[key], "accepted": day})
        with sources.replacing(self.note) as part:
            part.write_text(json.dumps(self.known, indent=1), encoding="utf-8")

    def remove(self, rows):
        for row in rows:
            self.path(row).unlink(missing_ok=True)
