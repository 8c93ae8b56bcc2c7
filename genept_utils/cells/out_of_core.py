"""GenePT-w of a file of any size: from block to block, and on from where it was stopped.

Progress is stored in ``OUTPUT.part``: the vectors, and one checkpoint per finished block, written
after the block's vectors. An interrupted run resumes from it; when all blocks are there, the
folder becomes the output.
"""

import concurrent.futures
import contextlib
import dataclasses
import errno
import functools
import hashlib
import json
import os
import shutil
from pathlib import Path

import anndata as ad
import h5py
import numpy as np

from genept_utils import optional, paths, sources
from genept_utils.cells.genept_w import about, gene_totals, vector_block
from genept_utils.cells.names import species_of, vectors_of
from genept_utils.cells.normalise import MatrixSummary, judge, log_block, summarise
from genept_utils.datasets.files import matrix_of, read_frame, stored
from genept_utils.datasets.formats import opened
from genept_utils.datasets.matrix import BLOCK, declared_scale, read_rows
from genept_utils.genes import gene_features

SAMPLED = 5  # blocks, spread over the file, by which its values are judged


@dataclasses.dataclass(frozen=True)
class Task:
    """All that a block needs to know; the same for every block, so that a worker gets it once."""

    source: str
    place: str
    values: tuple  # layer, raw
    key: str
    scale: str
    seen: MatrixSummary
    declared: tuple
    vectors: np.ndarray
    has: np.ndarray
    kept: np.ndarray | None
    block: int
    n_cells: int

    def rows(self, number):
        start = number * self.block
        return start, min(start + self.block, self.n_cells)

    def matrix(self, group):
        return matrix_of(group, Path(self.source).name, *self.values)


def prepare(source, place, embedding, key="X_genept_w", species=None, layer=None, raw=False,
            values=None, block=BLOCK):
    """What has to be known of the whole file before its blocks can be computed.

    Parameters
    ----------
    source : path
        An ``.h5ad`` file or a zarr store of AnnData.
    place : path
        Folder that the vectors grow in.
    embedding, key, species, layer, raw, values
        As in :func:`genept_utils.cells.genept_w`.
    block : int
        Cells of a block.

    Returns
    -------
    task : Task
    about : dict
        What goes to ``uns["genept"]`` in the end, as far as it is known before.
    """
    with opened(source) as group:
        X, genes = stored(group, Path(source).name, layer, raw, values)
        kept, n = gene_features(genes.var), X.shape[0]
        if getattr(X, "format", "csr") == "csc":
            matrix = f'adata.layers["{layer}"]' if layer else "adata.X"
            way = "adata = adata.raw.to_adata(); " if raw else ""
            raise ValueError(f"the matrix of {Path(source).name} lies in columns; write it in rows "
                             f"first ({way}{matrix} = {matrix}.tocsr())")
        seen, size = MatrixSummary(), max(block // SAMPLED, 1)
        for start in np.unique(np.linspace(0, max(n - size, 0), SAMPLED).astype(int)):
            part = read_rows(X, start, min(start + size, n))
            seen += summarise(part if kept is None else part[:, kept])
    declared = declared_scale(genes)
    kind = judge(genes, seen, declared)
    vectors, has, coverage = vectors_of(genes.var if kept is None else genes.var[kept],
                                        seen.gene_totals, embedding, species_of(genes, species))
    told = about(embedding, coverage, int(has.sum()))
    del told["coverage_mass"]  # it is known when all blocks are
    return Task(str(source), str(place), (layer, raw), key, kind, seen, declared,
                vectors, has, kept, block, n), told


def compute(task, number, threads=None):
    """Process one block and return its statistics.

    Raises
    ------
    ValueError
        The block's values contradict what was judged of the file.
    OSError
        The block could not be written; nothing of it counts.
    """
    with opened(task.source) as group:
        return _compute(task, task.matrix(group), number, threads)


def _compute(task, X, number, threads=None):
    start, end = task.rows(number)
    X = read_rows(X, start, end)
    X = X if task.kept is None else X[:, task.kept]
    totals = gene_totals(X)
    X = log_block(X, task.scale, task.seen, task.declared, start)
    made = vector_block(X, task.vectors, threads=threads)
    said = {"mass": float(totals.sum()), "covered": float(totals[task.has].sum()),
            "empty": int((~made.any(axis=1)).sum())}
    try:
        write_rows(task, start, made)
        sources.save(Path(task.place) / "done" / f"{number:06d}.json", json.dumps(said))
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise OSError(f"cells {start:,} to {end:,} could not be written "
                      f"({'the disk is full' if full else error}); "
                      f"{'free some space, then ' if full else ''}give the same command again: it "
                      "goes on with these cells") from error
    return said


def write_rows(task, start, made):
    """Write one chunk of the vectors and wait until it lies on the disk."""
    zarr = optional.need("zarr")
    folder = Path(task.place) / "store" / "obsm" / task.key
    zarr.open_array(folder, mode="r+")[start:start + len(made)] = made
    with open(folder / f"{start // task.block}.0", "rb") as chunk:
        os.fsync(chunk.fileno())


def finished(task):
    """Numbers of the blocks whose notes are whole, with what they say."""
    done = {}
    for file in Path(task.place, "done").glob("*.json"):
        with contextlib.suppress(ValueError, OSError):
            said = json.loads(file.read_text())
            if {"mass", "covered", "empty"} <= said.keys():
                done[int(file.stem)] = said
    return done


def begin(task):
    """Make the folder, or check that the one there was begun by the same task."""
    place = Path(task.place)
    stat = paths.split_table(task.source)[0].stat()
    digest = hashlib.sha256(task.vectors.tobytes()).hexdigest()
    same = {"source": Path(task.source).name, "bytes": stat.st_size, "changed": stat.st_mtime_ns,
            "cells": task.n_cells, "block": task.block, "key": task.key, "scale": task.scale,
            "values": list(task.values), "vectors": digest}
    file = place / "job.json"
    if file.is_file():
        before = json.loads(file.read_text())
        other = [name for name in same if before.get(name) != same[name]]
        if other:
            raise ValueError(f"{place} was begun with another {', '.join(other)}; remove it")
        return
    inside = (path.name for path in (place.iterdir() if place.exists() else ()))
    there = {name for name in inside if not name.startswith(".")}  # a file half made is hidden
    if there and (there - {"done", "store"} or finished(task)):
        raise ValueError(f"{place} was not made by this command; remove it or give another --out")
    (place / "done").mkdir(parents=True, exist_ok=True)
    shutil.rmtree(place / "store", ignore_errors=True)
    with opened(task.source) as group:
        obs = read_frame(group["obs"])
        var = read_frame(group["raw/var" if task.values[1] else "var"])
    store = optional.need("zarr").open_group(place / "store", mode="w", zarr_format=2)
    ad.io.write_elem(store, "/", ad.AnnData(obs=obs, var=var))
    array = store["obsm"].create_array(
        task.key, shape=(task.n_cells, task.vectors.shape[1]), dtype=np.float32,
        chunks=(task.block, task.vectors.shape[1]), compressors=None)  # they do not shrink
    array.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    sources.save(file, json.dumps(same, indent=1))


def end(task, told, out):
    """All blocks are there: the folder becomes the output."""
    place, out, notes = Path(task.place), Path(out), finished(task).values()
    mass = sum(said["mass"] for said in notes)
    told = told | {"coverage_mass": sum(said["covered"] for said in notes) / mass,
                   "cells_without_a_vector": sum(said["empty"] for said in notes)}
    store = optional.need("zarr").open_group(place / "store", mode="r+")
    if out.suffix == ".zarr":
        ad.io.write_elem(store, "uns", {"genept": {task.key: told}})
        os.replace(place / "store", out)
    else:
        with sources.replacing(out) as part:
            shutil.copyfile(task.source, part)
            with h5py.File(part, "r+") as file:
                _into_h5ad(file, store["obsm"][task.key], told, task)
    shutil.rmtree(place)


def _into_h5ad(file, vectors, told, task):
    for group in {"obsm", "uns"} - set(file):
        ad.io.write_elem(file, group, {})
    obsm, uns = file["obsm"], file["uns"]
    if task.key in obsm:
        del obsm[task.key]
    made = obsm.create_dataset(task.key, shape=vectors.shape, dtype=np.float32)
    made.attrs.update({"encoding-type": "array", "encoding-version": "0.2.0"})
    for start in range(0, task.n_cells, task.block):
        made[start:start + task.block] = vectors[start:start + task.block]
    before = ad.io.read_elem(uns["genept"]) if "genept" in uns else {}
    ad.io.write_elem(uns, "genept", {**before, task.key: told})


def blocks_here(task, numbers):
    """The blocks in their order, two at a time: while one is multiplied, the next is read."""
    with opened(task.source) as group, concurrent.futures.ThreadPoolExecutor(2) as pool:
        work = functools.partial(_compute, task, task.matrix(group))  # checked once, not a block
        try:
            yield from zip(numbers, pool.map(work, numbers))
        finally:
            pool.shutdown(cancel_futures=True)


def blocks_on(client, task, numbers):
    """The blocks on the workers of a Dask client, which must see source and output under the
    same paths; as they are finished."""
    from distributed import as_completed

    if not numbers:
        return
    shared = client.scatter(task, broadcast=True)
    waiting = {client.submit(compute, shared, number, 1, pure=False): number
               for number in numbers}
    try:
        for future in as_completed(list(waiting)):
            yield waiting[future], future.result()
    finally:
        client.cancel(list(waiting))
