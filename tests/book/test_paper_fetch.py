"""Fetching the paper's cells, from a server on 127.0.0.1 that gives drawn files of its forms."""

import functools
import gzip
import io
import json
import tarfile
import zipfile

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.io
import scipy.sparse as sp
from genept_book import paper_fetch, paper_make, paper_remote

from genept_utils import sources

GENES = [f"GENE{i}" for i in range(6)]
SAMPLES, SIZES = ["Con4", "TAA1", "TAA2"], [40, 30, 30]
MS = "Factor Value[inferred cell type - authors labels]"


def table(n, **columns):
    return pd.DataFrame({name: [f"{name} {i % k}" for i in range(n)]
                         for name, k in columns.items()}, index=[f"c{i}" for i in range(n)])


def h5ad(folder, obs, genes=6):
    X = sp.csr_matrix(np.random.default_rng(0).poisson(1, (len(obs), genes)).astype("f4"))
    adata = ad.AnnData(X, obs=obs, var=pd.DataFrame(index=GENES[:genes]))
    adata.raw = adata
    adata.write_h5ad(folder / "x.h5ad")
    return (folder / "x.h5ad").read_bytes()


def zipped(**members):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return made.getvalue()


def barcode(i):
    return "".join("ACGT"[i // 4**k % 4] for k in range(16))


def geo(n, word="3"):
    """A table as R writes it: one name fewer in the header."""
    lines = ["\t".join(f'"{barcode(i)}-1"' for i in range(n))]
    lines += [f'"{gene}"\t' + "\t".join([word] + [str(i % 3) for i in range(1, n)])
              for gene in GENES]
    return gzip.compress("\n".join(lines).encode())


def mtx(n):
    made = io.BytesIO()
    scipy.io.mmwrite(made, sp.csc_matrix(np.arange(6 * n).reshape(6, n) % 5))
    return made.getvalue()


def tar(**members):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in members.items():
            one = tarfile.TarInfo(name)
            one.size = len(content)
            archive.addfile(one, io.BytesIO(content))
    return made.getvalue()


def row(dataset, form, path, inner="", cells="", label="", types="", **more):
    return {"dataset": dataset, "file": dataset.replace(" ", "_"), "form": form, "url": path,
            "inner": inner, "cells": str(cells), "genes": "", "label": label,
            "types": str(types), "bytes": "", "sha256": "", "note": "it is so", **more}


@functools.cache
def drawn(folder):
    """Paths of the server and what lies there."""
    ms, mye = (h5ad(folder, table(30, **{MS: 3})), h5ad(folder, table(20, cell_type=2)))
    lupus = table(60, cell_type=2, disease=2).assign(donor_id=[f"d{i // 10}" for i in range(60)])
    labels = [(f"{barcode(i)}.1_{k}", name.replace("TAA", "ATAA"), f"type {i % 2}", "x")
              for k, (name, n) in enumerate(zip(SAMPLES, SIZES), 1) for i in range(n)
              if (k, i) != (2, 29)]
    labels = pd.DataFrame(labels, columns=["", "orig.ident", "celltype", "stim"]).set_index("")
    design = table(25, **{MS: 3, "Sample Characteristic[disease]": 1})
    design.iloc[:20, 1], design.iloc[19, 0] = "multiple sclerosis", "T cell"
    return {
        "/pancreas": h5ad(folder, table(50, Celltype=4)),
        "/scgpt": zipped(**{
            "a/ms.zip": zipped(**{"ms/x.h5ad": ms, "ms/c": np.random.bytes(20_000)}),
            "a/mye.zip": zipped(**{"mye/r": np.random.bytes(20_000), "mye/q.h5ad": mye})}),
        "/bones": zipped(**{"b/train.h5ad": h5ad(folder, table(9, celltype=3)),
                            "b/test.h5ad": h5ad(folder, table(7, celltype=3)),
                            "__MACOSX/._test.h5ad": b""}),
        **{f"/{name}.txt.gz": geo(n) for name, n in zip(SAMPLES, SIZES)},
        "/labels": labels.to_csv().encode(),
        "/atlas": zipped(**{"E.mtx": mtx(25), "E.mtx_rows": "\n".join(GENES),
                            "E.mtx_cols": "\n".join(design.index)}),
        "/artery": tar(**{
            "outs/f/barcodes.tsv.gz": gzip.compress("".join(
                f"{barcode(i)}-{1 + i // 8}\n" for i in range(25)).encode()),
            "outs/f/features.tsv.gz": gzip.compress("".join(
                f"ENSG{i}\t{gene}\tGene Expression\n" for i, gene in enumerate(GENES)).encode()),
            "outs/f/matrix.mtx.gz": gzip.compress(mtx(25)), "outs/._matrix.mtx": b""}),
        "/design": design.to_csv(sep="\t", index_label="Assay").encode(),
        "/lupus": h5ad(folder, lupus)}


REGISTERED = [
    row("pancreas", "file", "/redirected/pancreas", "", 50, "Celltype", 4),
    row("ms", "file", "/scgpt", "a/ms.zip!ms/x.h5ad", 30, MS, 3),
    row("myeloid", "file", "/scgpt", "a/mye.zip!mye/q.h5ad", 20, "cell_type", 2),
    row("bones", "files", "/bones", "train.h5ad", 9, "celltype"),
    row("bones", "files", "/bones", "test.h5ad", 7, "celltype"),
    *[row("aorta", "tables", f"/{name}.txt.gz", "", n, "celltype", 2)
      for name, n in zip(SAMPLES, SIZES)],
    row("artery", "tar", "/artery", "", 25, genes="6"),
    row("heart", "none", "/portal"),
    row("lupus", "part", "/lupus", "", 60, "cell_type"),
    row("all genes", "matrix", "/whole/atlas", ".mtx", 19, MS, 3),
    row("all genes", "matrix", "/whole/atlas", ".mtx_rows"),
    row("all genes", "matrix", "/whole/atlas", ".mtx_cols"),
    row("all genes", "matrix", "/whole/design")]
NAMES = list(dict.fromkeys(one["dataset"] for one in REGISTERED))
MADE = {one["file"] for one in REGISTERED} - {"heart"}


@pytest.fixture(scope="module")
def content(tmp_path_factory):
    return drawn(tmp_path_factory.mktemp("drawn"))


@pytest.fixture
def server(file_server, content, tmp_path, monkeypatch):
    """(files by path, (path, range) of each request, faults): ``faults[path]`` is called with the
    handler and what it is to send, and sends it in another way or returns what it sends."""
    address, files, _ = file_server
    content, asked, faults = dict(content), [], {}

    def answer(handler):
        kind, path = ("", handler.path) if handler.path in content else (
            "/" + handler.path.split("/")[1], "/" + handler.path.split("/", 2)[2])
        if kind == "/redirected":
            handler.send_response(302)
            handler.send_header("Location", path)
            return handler.end_headers()
        span, whole = handler.headers.get("Range"), content[path]
        asked.append((path, span))
        etag = str(hash(whole))
        if path in faults:
            whole = faults[path](handler, whole)
            if whole is None:
                return
            span = span and handler.headers.get("Range")  # of which a fault may leave less
        if span and kind != "/whole":
            start, stop = map(int, span.removeprefix("bytes=").split("-"))
            part = whole[start:stop + 1]
            handler.send_response(206)
            handler.send_header("Content-Range",
                                f"bytes {start}-{start + len(part) - 1}/{len(whole)}")
        else:
            part = whole
            handler.send_response(200)
        handler.send_header("ETag", etag)
        handler.send_header("Content-Length", str(len(part)))
        handler.end_headers()
        handler.wfile.write(part)

    for path in {*content, *(one["url"] for one in REGISTERED), "/whole/pancreas"}:
        files[path] = answer
    listed = pd.DataFrame(REGISTERED)
    listed["url"] = address + listed["url"]
    monkeypatch.setattr(sources, "table", lambda name: listed)
    (tmp_path / "labels.csv").write_bytes(content["/labels"])
    monkeypatch.setattr(sources, "fetch", lambda name: tmp_path / "labels.csv")
    monkeypatch.setattr(paper_remote, "WAIT", 0)
    monkeypatch.setattr(paper_remote, "BLOCK", 1 << 12)
    (tmp_path / "paper").mkdir()
    return tmp_path / "paper", content, asked, faults, listed


def kept(folder):
    return {path.stem for path in folder.glob("*.h5ad")}


def test_every_form_is_fetched_and_read(server, capsys):
    folder, content, asked, _, _ = server
    assert paper_fetch.fetch(folder, NAMES, cells=24) == 0
    assert kept(folder) == MADE
    said = capsys.readouterr().out
    assert "heart is not fetched: it is so (http" in said
    assert "artery: 24 of 25 cells drawn, of 4 samples; labels of their types are known" in said
    assert "lupus: 24 of 60 cells, of all 6 donors" in said
    read = {name: ad.read_h5ad(folder / f"{name}.h5ad") for name in MADE}
    assert {name: adata.n_obs for name, adata in read.items()} == {
        "pancreas": 50, "ms": 30, "myeloid": 20, "bones": 16, "aorta": 20, "lupus": 24,
        "all_genes": 19, "artery": 24}
    assert set(read["bones"].obs["part"]) == {"train.h5ad", "test.h5ad"}
    assert read["all_genes"].obs[MS].nunique() == 3
    assert read["all_genes"]["c7"].X.toarray().ravel().tolist() == [
        (25 * gene + 7) % 5 for gene in range(6)]
    artery = read["artery"]
    assert (artery.obs["sample"] == artery.obs_names.str[-1]).all()
    numbers = [int(np.flatnonzero([name.startswith(barcode(i)) for i in range(25)])[0])
               for name in artery.obs_names]
    assert (artery.X.toarray() == (np.arange(150).reshape(6, 25) % 5).T[numbers]).all()
    assert list(artery.var["symbol"]) == GENES
    assert read["lupus"].obs["donor_id"].nunique() == 6
    whole = ad.read_h5ad(io.BytesIO(content["/lupus"]))
    assert (read["lupus"].X != whole[read["lupus"].obs_names].X).nnz == 0
    held = json.loads((folder / "accepted.json").read_text())
    assert len(held) == 13 and not (folder / "downloads").exists()
    assert {path.name for path in folder.iterdir() if path.suffix != ".h5ad"} == {
        ".lock", "accepted.json"}
    paper_fetch.fetch(folder, ["pancreas"])  # from the same server it is the same file


def test_the_sample_of_the_aorta_is_scanpys(server):
    import scanpy as sc

    folder = server[0]
    assert paper_fetch.fetch(folder, ["aorta"]) == 0
    names = [paper_make.key(barcode(i), k) for k, n in enumerate(SIZES, 1) for i in range(n)]
    theirs = ad.AnnData(np.zeros((100, 1), np.float32), obs=pd.DataFrame(index=names))
    sc.pp.subsample(theirs, fraction=.2)
    ours = ad.read_h5ad(folder / "aorta.h5ad")
    assert list(ours.obs_names) == list(theirs.obs_names)
    same = ours.obs.dropna()
    assert (same["orig.ident"].str[-1] == same.index.str[-1].map(
        {"1": "4", "2": "1", "3": "2"})).all()
    assert set(same["phenotype"]) == {"Control", "Ascending only"}
    first = ours[ours.obs_names.str.startswith(barcode(0))]
    assert first.n_obs == 0 or first.X.max() == 3


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_matrix_in_text_is_read_in_blocks(order, tmp_path, monkeypatch):
    """Whatever the order of its lines."""
    monkeypatch.setattr(paper_make, "LINES", 5)
    *head, size = (lines := mtx(25).decode().splitlines(keepends=True))[:3]
    path, names = tmp_path / "x.mtx", [f"c{i}" for i in range(25)]
    path.write_text("".join([*head, size, *lines[3:][order]]))
    obs = pd.DataFrame(index=names[3:20])
    paper_make.write_cells(path, pd.DataFrame(index=GENES), names, obs, tmp_path / "x.h5ad")
    made = ad.read_h5ad(tmp_path / "x.h5ad")
    assert (made.X.toarray() == (np.arange(150).reshape(6, 25) % 5).T[3:20]).all()
    assert list(made.obs_names) == list(obs.index)
    path.write_text("".join([*head, size, *lines[3:-1]]))
    with pytest.raises(ValueError, match="no matrix of 6 genes x 25 cells, or is broken"):
        paper_make.write_cells(path, pd.DataFrame(index=GENES), names, obs, tmp_path / "x.h5ad")


def changed(**by):
    def change(server):
        for name, made in by.items():
            server[1]["/" + name] = made(server[1]["/" + name])
    return change


def listed(dataset, **columns):
    def change(server):
        for name, value in columns.items():
            server[4].loc[server[4]["dataset"] == dataset, name] = value
    return change


def fault(path, send):
    def change(server):
        server[3][path] = send
    return change


def other_each_time(handler, whole, n=iter(range(100))):
    return whole + b"x" * next(n)


PAGE = b"<!doctype html><title>sign in</title>" * 100


@pytest.mark.parametrize("change, lost, said", [
    (listed("pancreas", label="cluster"), "pancreas", "no column 'cluster'; its columns are Cell"),
    (listed("ms", cells="3430"), "ms", "holds 30 cells and not 3,430, so it is not the paper's"),
    (listed("myeloid", types="11"), "myeloid", "2 types and not 11"),
    (listed("pancreas", genes="3000"), "pancreas", "6 genes and not 3,000"),
    (listed("myeloid", inner="a/mye.zip!mye/no.h5ad"), "myeloid", "the zip holds no mye/no.h5ad"),
    (listed("ms", inner="a/none.zip!ms/x.h5ad"), "ms", "the zip holds no a/none.zip"),
    (listed("bones", inner="u.h5ad"), "bones", "the zip holds no u.h5ad"),
    (listed("pancreas", sha256="0" * 64), "pancreas", "accepted on its publication (0000"),
    (listed("lupus", bytes="12218105530"), "lupus", "bytes and not 12,218,105,530"),
    (listed("lupus", cells="1263676"), "lupus", "60 cells and not 1,263,676"),
    (changed(bones=lambda b: b[:3000]), "bones", "is no zip, or is broken"),
    (changed(bones=lambda b: PAGE), "bones", "sent holds a web page"),
    (changed(pancreas=lambda b: PAGE), "pancreas", "holds a web page and not the file"),
    (changed(atlas=lambda b: PAGE), "all_genes", "what the server sent holds a web page"),
    (changed(pancreas=lambda b: b[:9000]), "pancreas", "cannot be read"),
    (changed(lupus=lambda b: b[:9000]), "lupus", "truncated file"),
    (changed(design=lambda b: b.replace(b"Factor", b"Actor")), "all_genes", "has no column 'Fac"),
    (changed(**{"TAA1.txt.gz": lambda b: geo(29)}), "aorta", "29 cells and not 30"),
    (changed(**{"TAA1.txt.gz": lambda b: geo(30, "x")}), "aorta", "is no table of counts"),
    (changed(**{"TAA2.txt.gz": lambda b: b[:len(b) // 2]}), "aorta", "is no table of counts"),
    (changed(**{"TAA2.txt.gz": lambda b: gzip.compress(gzip.decompress(b).replace(
        barcode(3).encode(), b"ACGTACGTAC"))}), "aorta", "1 of 99 labels have no cell"),
    (fault("/pancreas", lambda handler, _: handler.send_error(503)), "pancreas", "answered 503"),
    (fault("/pancreas", other_each_time), "pancreas", "the file changed while it was read"),
    (fault("/pancreas", lambda handler, _: handler.connection.close()), "pancreas", "reached"),
])
def test_a_fault_is_one_sentence_and_the_other_sets_run_on(change, lost, said, server, capsys):
    folder = server[0]
    change(server)
    names = {lost.replace("_", " "), "pancreas", "myeloid"}
    assert paper_fetch.fetch(folder, names, cells=24) == 1
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1 and said in lines[0], error
    assert kept(folder) == {"pancreas", "myeloid"} - {lost}
    assert {path.name for path in folder.iterdir() if path.suffix != ".h5ad"} == {
        ".lock", "accepted.json"}
    assert len(json.loads((folder / "accepted.json").read_text())) == len(kept(folder))


def blocks(spans):
    """Numbers of the blocks that were asked for."""
    return [n for start, stop in (map(int, span.removeprefix("bytes=").split("-"))
                                  for span in spans) for n in range(start >> 12, (stop >> 12) + 1)]


def test_a_cut_transfer_is_taken_up_where_it_broke(server):
    folder, _, asked, faults, _ = server

    def half(handler, whole):
        """Of the second request a block and a half, and the connection closed."""
        if len(asked) != 2:
            return whole
        handler.send_response(206)
        handler.send_header("Content-Range", f"bytes 4096-20479/{len(whole)}")
        handler.send_header("ETag", str(hash(whole)))
        handler.send_header("Content-Length", "16384")
        handler.end_headers()
        handler.wfile.write(whole[4096:10240])
        handler.close_connection = True

    faults["/pancreas"] = half
    assert paper_fetch.fetch(folder, ["pancreas"]) == 0 and kept(folder) == {"pancreas"}
    assert [span.split("=")[1].split("-")[0] for _, span in asked][:3] == ["0", "4096", "8192"]


def less(handler, whole):
    """One block, however many were asked for."""
    start = int(handler.headers["Range"].removeprefix("bytes=").split("-")[0])
    handler.headers.replace_header("Range", f"bytes={start}-{start + 4095}")
    return whole


def gone(handler, whole):
    handler.close_connection = True


def stopped(handler, whole):
    handler.send_error(503)


@pytest.mark.parametrize("path, name, end", [
    ("/pancreas", "pancreas", KeyboardInterrupt), ("/scgpt", "myeloid", gone),
    ("/scgpt", "ms", KeyboardInterrupt), ("/TAA1.txt.gz", "aorta", stopped),
    ("/artery", "artery", gone), ("/lupus", "lupus", gone)])
def test_the_next_run_goes_on_where_this_one_stopped(path, name, end, server, monkeypatch, capsys):
    folder, content, asked, faults, _ = server
    if path[1:] in ("TAA1.txt.gz", "artery"):
        content[path] += b"\0" * 30_000

    def mine(asked):
        return [span for one, span in asked if one == path]

    def fault(handler, whole):
        return less(handler, whole) if len(mine(asked)) < 4 else end(handler, whole)

    faults[path] = fault
    if end is KeyboardInterrupt:
        faults[path] = less
        ask = paper_remote.Remote._ask

        def interrupted(self, first, last):
            ask(self, first, last)
            if len(mine(asked)) > 3:
                raise KeyboardInterrupt

        monkeypatch.setattr(paper_remote.Remote, "_ask", interrupted)
        with pytest.raises(KeyboardInterrupt):
            paper_fetch.fetch(folder, [name], cells=24)
        monkeypatch.setattr(paper_remote.Remote, "_ask", ask)
        before = {n for span in mine(asked) for n in blocks([span])[:1]}
    else:
        assert paper_fetch.fetch(folder, [name], cells=24) == 1
        before = {n for span in mine(asked)[:3] for n in blocks([span])[:1]}
        said = "answered 503" if end is stopped else "reached"
        assert said in capsys.readouterr().err
    assert len(before) > 2 and not kept(folder)
    faults.clear()
    asked.clear()
    assert paper_fetch.fetch(folder, [name], cells=24) == 0 and kept(folder) == {name}
    after = blocks(mine(asked))
    assert before & set(after) == {0} and len(after) == len(set(after))
    assert not (folder / "downloads").exists()


@pytest.mark.parametrize("change, found", [
    ({}, {0, 1, 2}), ({"1": b"half"}, {0, 2}), ({"mark": b"other"}, {0}), ({"mark": b"["}, {0})])
def test_only_whole_blocks_of_the_same_file_are_taken_up(change, found, server, tmp_path):
    _, content, asked, _, listed = server
    url, kept = listed["url"][0].replace("/redirected", ""), tmp_path / "kept"
    with paper_remote.Remote(url, kept) as file:
        file.read(10_000)
    for name, written in change.items():
        (kept / name).write_bytes(written)
    with paper_remote.Remote(url, kept) as file:
        assert set(range(3)) - set(file._missing(0, 3)) == found
        assert file.read(10_000) == content["/pancreas"][:10_000]
        file._begin([None, file.size])  # nothing tells it from another one
        assert file._missing(0, 1)
        file.drop()
    assert not kept.exists()


def test_whole_files_of_a_set_that_broke_off_are_not_asked_for_again(server, capsys):
    folder, _, asked, faults, _ = server
    faults["/TAA2.txt.gz"] = lambda handler, whole: whole if len(asked) < 4 else (
        handler.send_error(500))
    server[1]["/TAA2.txt.gz"] += b"\0" * 9000  # longer than the block that tells its size
    assert paper_fetch.fetch(folder, ["aorta"]) == 1
    assert "answered 500" in capsys.readouterr().err and not kept(folder)
    faults.clear()
    asked.clear()
    assert paper_fetch.fetch(folder, ["aorta"]) == 0 and kept(folder) == {"aorta"}
    assert {path for path, span in asked if span != "bytes=0-4095"} == {"/TAA2.txt.gz"}
    assert not (folder / "downloads").exists()


def test_what_was_accepted_is_held_to(server, capsys):
    folder, content, *_ = server
    assert paper_fetch.fetch(folder, ["pancreas", "myeloid"]) == 0
    note = (folder / "accepted.json").read_text()
    for path in folder.glob("*.h5ad"):
        path.unlink()
    content["/pancreas"] += b"\0"  # as good a file, but another one
    assert paper_fetch.fetch(folder, ["pancreas", "myeloid"]) == 1 and kept(folder) == {"myeloid"}
    error = capsys.readouterr().err
    assert "is another file now" in error and "than the one accepted on 2" in error
    assert (folder / "accepted.json").read_text() == note
    (folder / "accepted.json").unlink()
    assert paper_fetch.fetch(folder, ["pancreas"]) == 0


def test_more_than_a_gigabyte_is_asked_for(server, monkeypatch):
    folder = server[0]
    monkeypatch.setattr(paper_fetch, "ASKED", 10_000)
    with pytest.raises(ValueError, match="GB would be fetched; allow it with --yes"):
        paper_fetch.fetch(folder, ["pancreas"])
    monkeypatch.setattr(paper_fetch.sys.stdin, "isatty", lambda: True, raising=False)
    for word in ("n", ""):
        monkeypatch.setattr("builtins.input", lambda question: word)
        with pytest.raises(ValueError, match="nothing was fetched"):
            paper_fetch.fetch(folder, ["pancreas"])
    assert not kept(folder)
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert paper_fetch.fetch(folder, ["pancreas"]) == 0
    assert paper_fetch.fetch(folder, ["myeloid"], yes=True) == 0


def test_bounds(server, monkeypatch, capsys):
    folder = server[0]
    monkeypatch.setattr(paper_fetch, "MOST", 20_000)
    assert paper_fetch.fetch(folder, ["lupus"]) == 1
    assert "MB of it would be read; ask for fewer cells" in capsys.readouterr().err
    monkeypatch.setattr(paper_fetch, "ASKED", 1000)
    server[4].loc[0, "url"] = server[4].loc[0, "url"].replace("redirected", "whole")
    server[3]["/pancreas"] = lambda handler, whole: (  # says no length
        handler.send_response(200), handler.end_headers(), handler.wfile.write(whole), None)[-1]
    assert paper_fetch.fetch(folder, ["pancreas"]) == 1
    assert "or allow a file of unknown length with --yes" in capsys.readouterr().err
    assert paper_fetch.fetch(folder, ["pancreas"], yes=True) == 0
    disk = type("Disk", (), {"free": 100})
    monkeypatch.setattr(paper_fetch.shutil, "disk_usage", lambda path: disk)
    with pytest.raises(OSError, match="are needed on the disk of"):
        paper_fetch.fetch(folder, ["myeloid"], yes=True)
    assert kept(folder) == {"pancreas"}


def test_a_zip_that_would_fill_the_disk_is_not_unpacked(server, monkeypatch, capsys):
    monkeypatch.setattr(paper_fetch.compression, "SPARE", 0)
    monkeypatch.setattr(paper_fetch.compression, "LARGEST", 1)
    assert paper_fetch.fetch(server[0], ["ms"]) == 1
    assert "would unpack to more than 1 times its size" in capsys.readouterr().err


def test_a_part_is_not_read_of_a_file_that_leads_to_another(server, tmp_path, capsys):
    import h5py

    (tmp_path / "l.h5ad").write_bytes(server[1]["/lupus"])
    with h5py.File(tmp_path / "l.h5ad", "a") as file:
        file["obs/mine"] = h5py.ExternalLink("/etc/passwd", "/x")
    server[1]["/lupus"] = (tmp_path / "l.h5ad").read_bytes()
    assert paper_fetch.fetch(server[0], ["lupus"]) == 1
    assert "lies in another file (/etc/passwd)" in capsys.readouterr().err


def test_the_registered_files():
    table = sources.table("paper-sources.csv")
    assert set(table["form"]) == {*paper_make.FORMS, "none"}
    assert table["url"].str.startswith("https://").all()
    by = table.groupby("dataset")["cells"].apply(lambda cells: cells.replace("", "0").astype(int))
    assert by["aorta"].sum() == 48_128 and int(.2 * 48_128) == 9_625
