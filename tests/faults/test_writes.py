"""Nothing that is written is ever half there: the disk is full at every write."""

import ast
import contextlib
import os
import re
import resource

import numpy as np
import pandas as pd
import pytest

from genept_utils import __main__, embed, ledger, paths, sources
from genept_utils.chapters import gene_functions

ROW = {"item": "i", "task": "t", "dataset": "d", "method": "m", "metric": "accuracy", "value": .5}


def by_match(path):
    (path.parent / "names.txt").write_text("TP53\nCD4\n")
    if __main__.main(["match", str(path.parent / "names.txt"), "--out", str(path)]):
        raise OSError("said by the command")


def made():
    return embed.as_embedding(np.eye(3, dtype=np.float32), pd.DataFrame(index=["A", "B", "C"]),
                              model="m", text="t")


WRITERS = {
    "result.json": lambda path: ledger.record(path.stem, [ROW]),
    "made.h5ad": lambda path: embed.write_embedding(made(), path),
    "map.csv.gz": lambda path: gene_functions.write_map(
        pd.DataFrame({"x": range(9), "y": 1}), paths.DATA / "sources.csv", path),
    "derived.csv": lambda path: sources.derived(path, lambda part: part.write_text("a,b\n" * 99)),
    "found.csv": by_match,
}


@contextlib.contextmanager
def full(size):
    """The operating system lets no file of this process grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("share", [0, .3, .99])
def test_where_the_disk_is_full_the_old_file_stays_and_nothing_half(tmp_path, monkeypatch, source,
                                                                    name, share):
    if name == "found.csv":
        from genept_utils import genes
        source(genes.HGNC)
    monkeypatch.setenv("GENEPT_RESULTS", str(tmp_path))
    given, write = tmp_path / name, WRITERS[name]
    path = write(given) if name == "derived.csv" else given  # it has its code in its name
    write(given)
    size, there = path.stat().st_size, sorted(tmp_path.iterdir())
    path.write_text("as it was before")
    with full(int(size * share)), pytest.raises(OSError):
        write(given)
    assert path.read_text() == "as it was before"
    assert sorted(tmp_path.iterdir()) == there
    write(given)
    assert path.stat().st_size == size


WRITES = re.compile(r"(shutil\.copy\w*|np\.save\w*|nbformat\.write|json\.dump"
                    r"|.*\.(write_text|write_bytes|to_csv|to_parquet|write_h5ad|write_zarr))")


def writes(tree):
    """(line, what) of every call that writes a file where a reader may meet it half: not inside
    ``with replacing(...)``, a function given to ``derived``, or a temporary folder."""
    def visit(node, safe):
        if isinstance(node, ast.With):
            opened = " ".join(ast.unparse(item.context_expr) for item in node.items)
            safe |= "replacing(" in opened or "TemporaryDirectory(" in opened
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            safe |= name in ("derived", "sources.derived")
            mode = ast.unparse(node.args[1]) if name == "open" and len(node.args) > 1 else ""
            if not safe and (WRITES.fullmatch(name) or set(mode) & set("wax+")):
                yield node.lineno, name
        for child in ast.iter_child_nodes(node):
            yield from visit(child, safe)

    yield from visit(tree, False)


# The pages that Sphinx is building anew; what a form of the paper's files writes to a part that
# paper_fetch has from replacing; blocks of a fetch, of which only those of full length are taken up.
RENDERED = {"assets", "gene_data", "icons", "paper_make", "paper_remote"}


def test_every_file_is_written_beside_its_place():
    found = {f"{path.parent.name}/{path.name} {name}"
             for package in (paths.PACKAGE, paths.BOOK / "genept_book")
             for path in sorted(package.rglob("*.py")) if path.stem not in RENDERED
             for _, name in writes(ast.parse(path.read_text(encoding="utf-8")))}
    assert not found, found


@pytest.mark.parametrize("code", [
    "path.write_text(a)", "open(path, 'w')", "table.to_csv(path)", "shutil.copy(a, b)",
    "np.savez(path, a=a)", "with open(path, 'wb') as f:\n    f.write(a)", "nbformat.write(a, b)",
])
def test_the_check_sees_a_write(code):
    assert list(writes(ast.parse(code)))
    inside = "\n".join(f"    {line}" for line in code.splitlines())
    assert not list(writes(ast.parse(f"with sources.replacing(p) as part:\n{inside}")))


@pytest.mark.skipif(os.name != "posix", reason="Windows has no umask")
def test_a_new_file_keeps_the_umask(tmp_path):
    before = os.umask(0o077)
    try:
        with sources.replacing(tmp_path / "a.txt") as part:
            part.write_text("a")
    finally:
        os.umask(before)
    assert (tmp_path / "a.txt").stat().st_mode & 0o777 == 0o600
