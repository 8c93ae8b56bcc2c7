"""Pickles read through an allow-list: nothing that the list does not name is ever imported.

A pickle is a program; the standard unpickler runs it. This one builds containers, numbers,
strings and numpy arrays, and stops with the name of anything else.
"""

import importlib
import pickle

ARRAYS = {
    "builtins": {"dict", "list", "tuple", "set", "frozenset", "str", "bytes", "bytearray", "int",
                 "float", "complex", "bool", "slice"},
    "collections": {"OrderedDict"},
    "_codecs": {"encode"},  # how protocol 2 writes the bytes of an array
    "numpy": {"ndarray", "dtype"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
}
FRAMES = {
    **ARRAYS,
    "pandas.core.frame": {"DataFrame"},
    "pandas.core.internals.managers": {"BlockManager"},
    "pandas.core.indexes.base": {"_new_Index", "Index"},
    "pandas.core.arrays.categorical": {"Categorical"},
    "pandas.core.dtypes.dtypes": {"CategoricalDtype"},
}


class UnsafePickle(pickle.UnpicklingError, ValueError):
    """The pickle asks for something that is not on the list; nothing of it was executed."""


class _Unpickler(pickle.Unpickler):
    def __init__(self, file, allowed):
        super().__init__(file)
        self.allowed = allowed

    def find_class(self, module, name):
        moved = module.replace("numpy.core.", "numpy._core.", 1).replace("__builtin__", "builtins")
        if name not in self.allowed.get(moved, ()):
            raise UnsafePickle(
                f"the pickle asks for {module}.{name}, which is neither a plain container nor a "
                "numpy array; nothing was executed, and the file is not read"
            )
        return getattr(importlib.import_module(moved), name)

    def persistent_load(self, key):
        raise UnsafePickle("the pickle refers to objects outside itself; the file is not read")


def load(file, allowed=ARRAYS):
    """The object in an open binary file.

    Parameters
    ----------
    file : binary file
        The pickle.
    allowed : dict of str to set of str
        Names that may be imported, by module: :data:`ARRAYS` or :data:`FRAMES`.

    Raises
    ------
    UnsafePickle
        A name outside the list; the message says which. It is raised before the name is
        imported.
    """
    return _Unpickler(file, allowed).load()
