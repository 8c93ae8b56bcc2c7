"""Fetch the cells of the paper into a folder: said, asked, checked, and nothing half kept."""

import contextlib
import datetime
import hashlib
import json
import shutil
import sys
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

from genept_book import paper_make, paper_remote
from genept_utils import optional, paths, sources

ASKED = 10 ** 9  # bytes; more are fetched only where it is allowed
MOST = 512 << 20  # bytes that are read of a file of which a part is taken
CELLS = 20_000


def fetch(folder, wanted, yes=False, cells=CELLS):
    """Fetch data sets into a folder; one that fails keeps no other out.

    Parameters
    ----------
    folder : pathlib.Path
        Where the sets go; ``accepted.json`` in it holds the SHA-256 of each file that was
        accepted, and a file that has another one later is refused. What came of a transfer that
        broke off stays in ``downloads`` in it, and the next call goes on from there.
    wanted : sequence of str
        Data sets of ``data/paper-sources.csv``.
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
    table = sources.table("paper-sources.csv")
    table = table[table["dataset"].isin(list(wanted))]
    by_hand = table["form"] == "none"
    sets = {name: rows.to_dict("records")
            for name, rows in table[~by_hand].groupby("dataset", sort=False)}
    for row in table[by_hand].itertuples():
        print(f"{row.dataset} is not fetched: {row.note} ({row.url}). Put the file into {folder} "
              f"as {row.file}.h5ad.")
    with (paths.locked(folder / ".lock", busy=f"another fetch into {folder} is under way"),
          contextlib.closing(_Files(folder, yes)) as files):
        return _fetch_all(files, sets, cells) if sets else 0


def _fetch_all(files, sets, cells):
    sizes = {}
    for name, rows in sets.items():
        with files.said(name, rows):
            size = sum(files.size(row) for row in rows)
            print(f"{name}: {size / 1e6:,.1f} MB from {urlsplit(rows[0]['url']).netloc}"
                  + (" at most, a part of the file" if rows[0]["form"] == "part" else ""))
            sizes[name] = size
    total, held = sum(sizes.values()), sum(getattr(file, "held", 0) for file in files.open.values())
    if held:
        print(f"{held / 1e6:,.1f} MB of it came before and are here")
    _ask(total - held, files.yes)
    if 4 * total > (free := shutil.disk_usage(files.folder).free):
        raise OSError(f"{4 * total / 1e9:.1f} GB are needed on the disk of {files.folder}, which "
                      f"has {free / 1e9:.1f} GB; free some, or name fewer sets with --only")
    with optional.need("tqdm").tqdm(total=total, initial=held, unit="B", unit_scale=True,
                                    disable=None) as bar:
        files.progress = bar.update
        for name in sizes:
            with files.said(name, sets[name]):
                _make(files, name, sets[name], cells)
    files.drop()
    return files.failed


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
    out, in_part = files.folder / f"{rows[0]['file']}.h5ad", rows[0]["form"] == "part"
    try:
        got = [files.remote(row) if in_part else files.get(row) for row in rows]
        with sources.replacing(out) as made:
            paper_make.FORMS[rows[0]["form"]](rows, got, made, cells)
        if not in_part:
            files.accept(rows)
    except (ValueError, KeyError):  # what came is not it; after a cut the whole files stay
        files.remove(rows)
        raise
    files.remove(rows)
    print(f"{name}: {out} is made")


class _Files:
    """Files at addresses, each opened once; and what was accepted of them before."""

    def __init__(self, folder, yes):
        self.folder, self.yes, self.progress, self.failed = folder, yes, lambda n: None, 0
        self.note, self.open, self.hashes = folder / "accepted.json", {}, {}
        self.known = json.loads(self.note.read_text("utf-8")) if self.note.exists() else {}

    def close(self):
        """Close the files; what came of them stays."""
        for file in self.open.values():
            if not isinstance(file, OSError):
                file.close()
        with contextlib.suppress(OSError):  # holds something
            (self.folder / "downloads").rmdir()

    def drop(self):
        """Remove what came of files whose transfer did not break off."""
        for file in self.open.values():
            if isinstance(file, paper_remote.Remote) and not file.cut:
                file.drop()

    @contextlib.contextmanager
    def said(self, name, rows):
        """Say in one sentence why a set could not be had, and go on."""
        try:
            yield
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            # a zip and HDF5 make other errors of a transfer that broke off
            cut = [file.cut for file in map(self.open.get, (row["url"] for row in rows))
                   if getattr(file, "cut", None)]
            error = (*cut, error)[0]
            said = " ".join(str(error.args[0] if isinstance(error, KeyError) else error).split())
            print(f"error: {name} could not be had: {said}", file=sys.stderr)
            self.failed += 1

    def remote(self, row):
        """The file at a row's address; an error where its server gives it only whole."""
        url = row["url"]
        if url not in self.open:
            kept = self.folder / "downloads" / hashlib.sha256(url.encode()).hexdigest()[:16]
            try:
                self.open[url] = paper_remote.Remote(
                    url, kept, MOST if row["form"] == "part" else None,
                    lambda n: self.progress(n))
            except paper_remote.NoRanges as error:
                self.open[url] = error
        return self.open[url]

    def size(self, row):
        """Bytes that will be fetched for a row, 0 where the server does not say."""
        file = self.remote(row)
        if row["form"] == "part":
            if isinstance(file, OSError):
                raise file
            if row["bytes"] and file.size != int(row["bytes"]):
                raise ValueError(f"the address now gives {file.size:,} bytes and not "
                                 f"{int(row['bytes']):,}, so it is another file")
            return min(MOST, file.size)
        if isinstance(file, OSError) or not row["inner"]:
            return file.size or 0
        with zipfile.ZipFile(file) as archive:
            return paper_remote.entry(archive, row["inner"].split("!")[0]).compress_size

    def path(self, row):
        inside = row["inner"].replace("!", "/") or urlsplit(row["url"]).path
        return self.folder / "downloads" / f"{row['file']}-{Path(inside).name}"

    def get(self, row):
        """Path of one file, or of what lies in it, whose hash is not another than before."""
        path, key = self.path(row), _key(row)
        if not path.exists():
            file = self.open[row["url"]]
            if isinstance(file, OSError):
                file = self.open[row["url"]] = paper_remote.whole(
                    row["url"], self.folder, None if self.yes else ASKED, self.progress)
            with sources.replacing(path) as part, open(part, "wb") as target:
                file.seek(0)
                with paper_remote.member(file, row["inner"], self.folder) as source:
                    shutil.copyfileobj(source, target)
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
        for key in map(_key, rows):
            self.known.setdefault(key, {"sha256": self.hashes[key], "accepted": day})
        sources.save(self.note, json.dumps(self.known, indent=1))

    def remove(self, rows):
        for row in rows:
            self.path(row).unlink(missing_ok=True)


def _key(row):
    return "!".join(filter(None, (row["url"], row["inner"])))
