"""The command ``cells``: GenePT-w of a file of any size."""

import contextlib
import warnings
from pathlib import Path

from genept_utils import paths
from genept_utils.cli.options import add_command, add_reading, as_options, at_least, reading


def register(commands):
    """Add the command to the subparsers of the command line."""
    parser = add_command(commands, "cells", cells, "cell vectors of a file of any size")
    add = parser.add_argument
    add("source", help=".h5ad file, .zarr folder or table of a .h5mu file, the matrix in rows")
    add("--table", metavar="NAME", help="modality of a .h5mu file or table of a SpatialData store")
    add("--out", required=True, help="NAME.zarr, or NAME.h5ad: a copy with the vectors in it")
    add("--embedding", default="minilm", help="a name, see the data card")
    add_reading(add)
    add("--key", default="X_genept_w", help="name of the result in obsm")
    add("--block", type=at_least(1), default=10_000, help="cells of a block")
    where = parser.add_mutually_exclusive_group().add_argument
    where("--workers", type=at_least(1), help="Dask workers on this machine, one thread each")
    where("--scheduler", metavar="ADDRESS", help="a Dask scheduler whose workers see both paths")


def cells(options):
    """GenePT-w of an .h5ad file or a zarr store, a block of cells at a time: memory does not grow
    with the cells, and the command goes on where it was stopped."""
    from genept_utils import optional

    source, out = (Path(given).expanduser().resolve() for given in (
        options.source + (f"/{options.table}" if options.table else ""), options.out))
    if out.suffix not in (".zarr", ".h5ad"):
        raise ValueError(f"--out {options.out} must end in .zarr or .h5ad")
    if out.suffix == ".h5ad" and source.suffix != ".h5ad":
        raise ValueError("a copy as .h5ad needs an .h5ad file as its source; give --out NAME.zarr")
    if out == source:
        raise ValueError(f"--out {options.out} is the source itself; give another --out")
    _check_free(out, options)
    paths.check_writable(out.parent)
    on_dask = options.workers or options.scheduler
    optional.need("zarr", "tqdm", *(("distributed", "dask") if on_dask else ()))
    lock = out.with_name(f".{out.name}.lock")
    with paths.locked(lock, f"{options.out} is being written by another process; wait for it, or "
                      "give another --out"):
        _check_free(out, options)
        _write(source, out, options, optional.dask_client(
            options.workers, options.scheduler) if on_dask else contextlib.nullcontext())
        lock.unlink(missing_ok=True)  # who waits sees the output


def _check_free(out, options):
    if out.exists():
        raise ValueError(f"{options.out} is already there; remove it, or give another --out")


def _write(source, out, options, connected):
    import tqdm

    from genept_utils import embed
    from genept_utils.cells import out_of_core

    with _said():
        task, about = out_of_core.prepare(
            source, out.with_name(f"{out.name}.part"), embed.read_embedding(options.embedding),
            options.key, block=options.block, **reading(options))
    out_of_core.begin(task)
    done = out_of_core.finished(task)
    numbers = [n for n in range(-(-task.n_cells // task.block)) if n not in done]
    ready = task.n_cells - sum(end - start for start, end in map(task.rows, numbers))
    with connected as client, tqdm.tqdm(
            total=task.n_cells, initial=ready, unit=" cells", unit_scale=True, mininterval=1,
            dynamic_ncols=True) as bar:
        for number, _ in (out_of_core.blocks_here(task, numbers) if client is None else
                          out_of_core.blocks_on(client, task, numbers)):
            start, end = task.rows(number)
            bar.update(end - start)
    out_of_core.end(task, about, out)
    print(f"{task.n_cells:,} cells, {about['genes_used']:,} genes with a vector "
          f"({task.vectors.shape[1]} dimensions): {options.out}")


@contextlib.contextmanager
def _said():
    """Print what is warned of, also where an error ends it: the one may explain the other."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always", UserWarning)
        try:
            yield
        finally:
            for word in dict.fromkeys(str(warning.message) for warning in said
                                      if warning.category is UserWarning):
                print(as_options(word))
