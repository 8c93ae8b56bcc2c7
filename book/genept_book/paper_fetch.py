"""Fetch the cells of the paper into a folder: said, asked, checked, and nothing half kept."""

import contextlib
import datetime
import json
import shutil
import sys
import zipfile
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from genept_book import paper_make, paper_remote
from genept_utils import compression, optional, paths, sources

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
    for row in table[by_hand].itertuples():
        print(f"{row.dataset} is not fetched: {row.note} ({row.url}). Put the file into {folder} "
              f"as {row.file}.h5ad.")
    sets = {name: rows.to_dict("records")
            for name, rows in table[~by_hand].groupby("dataset", sort=False)}
    with paths.locked(folder / ".lock", busy=f"another fetch into {folder} is under way"):
        return _fetch_all(folder, sets, yes, cells) if sets else 0


def _fetch_all(folder, sets, yes, cells):
    files, sizes, failed, cut = {}, {}, set(), set()  # files: a remote one by its address

    @contextlib.contextmanager
    def said(name):
        """Say in one sentence why a set could not be had, and go on."""
        try:
            yield
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            urls = {row["url"] for row in sets[name]}
            broken = [files[url].cut for url in urls & set(files) if files[url].cut]
            cut.update(urls if broken else ())
            error = (*broken, error)[0]  # a zip and HDF5 make other errors of it
            text = str(error.args[0] if isinstance(error, KeyError) else error)
            if isinstance(error, zipfile.BadZipFile):
                (file := files[sets[name][0]["url"]]).seek(0)
                why = compression.instead(file.read(512)) or "is no zip, or is broken"
                text = f"what the server sent {why}"
            failed.add(name)
            print(f"error: {name} could not be had: {' '.join(text.split())}", file=sys.stderr)

    for name, rows in sets.items():
        with said(name):
            for row in rows:
                if row["url"] not in files:
                    kept = folder / "downloads" / sha256(row["url"].encode()).hexdigest()[:16]
                    part = row["form"] == "part"
                    files[row["url"]] = file = paper_remote.Remote(
                        row["url"], kept, MOST if part else None if yes else ASKED)
                    file.most = file.most if part else None  # its size is known now
            sizes[name] = sum(_size(row, files[row["url"]]) for row in rows)
            print(f"{name}: {sizes[name] / 1e6:,.1f} MB from {urlsplit(rows[0]['url']).netloc}"
                  + (" at most, a part of the file" if rows[0]["form"] == "part" else ""))
    _ask(total := sum(sizes.values()), yes)
    if 4 * total > (free := shutil.disk_usage(folder).free):
        raise OSError(f"{4 * total / 1e9:.1f} GB are needed on the disk of {folder}, which has "
                      f"{free / 1e9:.1f} GB; free some, or name fewer sets with --only")
    with optional.need("tqdm").tqdm(total=total, unit="B", unit_scale=True, disable=None) as bar:
        for file in files.values():
            file.progress = bar.update
        for name in sizes:
            with said(name):
                _make(folder, sets[name], files, cells)
                print(f"{name}: {folder / sets[name][0]['file']}.h5ad is made")
    for url in set(files) - cut:
        files[url].drop()
    with contextlib.suppress(OSError):  # holds what came of a transfer that broke off
        (folder / "downloads").rmdir()
    return len(failed)


def _size(row, file):
    """Bytes that will be fetched for a row of a file."""
    if row["form"] == "part":
        if file.whole:
            raise OSError("the server gives this file only whole")
        if row["bytes"] and file.size != int(row["bytes"]):
            raise ValueError(f"the address now gives {file.size:,} bytes and not "
                             f"{int(row['bytes']):,}, so it is another file")
        return min(MOST, file.size)
    if file.whole or not row["inner"]:
        return file.size
    with zipfile.ZipFile(file) as archive:
        return _entry(archive, row["inner"].split("!")[0]).compress_size


def _ask(total, yes):
    if total <= ASKED or yes:
        return
    said = f"{total / 1e9:.1f} GB would be fetched"
    if not sys.stdin.isatty():
        raise ValueError(f"{said}; allow it with --yes, or name fewer sets with --only")
    if input(f"{said}. Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise ValueError("nothing was fetched")


def _make(folder, rows, files, cells):
    """One set: its files, their hashes, then the reader of its form."""
    form, out, note = rows[0]["form"], folder / f"{rows[0]['file']}.h5ad", folder / "accepted.json"
    known = json.loads(note.read_text("utf-8")) if note.exists() else {}
    work = folder / "downloads" / "unpacked"
    shutil.rmtree(work, ignore_errors=True)  # of a process that was killed
    work.mkdir(parents=True)
    try:
        if form == "part":
            got = [files[row["url"]] for row in rows]
        else:
            got = [_unpacked(files[row["url"]], row, work) for row in rows]
            _held_to(known, rows, got, note)
        with sources.replacing(out) as made:
            paper_make.FORMS[form](rows, got, made, cells)
        sources.save(note, json.dumps(known, indent=1))
    finally:
        shutil.rmtree(work)


def _unpacked(file, row, work):
    """A file in a folder: the one at a row's address, or what ``a.zip!b.h5ad`` names in it."""
    file.seek(0)
    for inner in row["inner"].split("!"):
        path = work / f"{row['file']}-{Path(inner or urlsplit(row['url']).path).name}"
        with sources.replacing(path) as part, contextlib.ExitStack() as stack:
            target = stack.enter_context(open(part, "wb"))
            if inner:
                archive = stack.enter_context(zipfile.ZipFile(file))
                file = stack.enter_context(archive.open(_entry(archive, inner)))
            shutil.copyfileobj(file, target)
        file = path
    return path


def _entry(archive, name):
    """The one member of a zip whose path ends so."""
    found = [one for one in archive.infolist() if one.filename.endswith(name)
             and not one.filename.startswith("__MACOSX")]
    if len(found) != 1:
        raise OSError(f"the zip holds {len(found) or 'no'} {name}")
    if found[0].file_size > compression.LARGEST * found[0].compress_size + compression.SPARE:
        raise OSError(f"{name} would unpack to more than {compression.LARGEST} times its size")
    return found[0]


def _held_to(known, rows, got, note):
    """Add the hashes of files to those that were accepted; one that has another now is refused."""
    day = datetime.date.today().isoformat()
    for row, path in zip(rows, got):
        key, made = "!".join(filter(None, (row["url"], row["inner"]))), sources.sha256(path)
        before = known.setdefault(key, {"sha256": row["sha256"], "accepted": "its publication"}
                                  if row["sha256"] else {"sha256": made, "accepted": day})
        if before["sha256"] != made:
            raise ValueError(f"{key} is another file now (SHA-256 {made}) than the one accepted "
                             f"on {before['accepted']} ({before['sha256']}); it was not kept, and "
                             f"is taken once its entry in {note} is removed")
