"""Read pickles through an allow-list: containers, numbers, strings and numpy arrays.

A pickle is a program; the standard unpickler runs it. This one imports nothing that is not on
its list, builds arrays only of plain numbers and strings, and ends where a pickle would take far
more memory than its own size.
"""

import collections
import functools
import importlib
import io
import math
import os
import pickle
import re

import numpy as np

from genept_utils import compression
from genept_utils.compression import LARGEST, SPARE  # what a pickle may build

MAX_NESTED = 4  # tuples within tuples; Python's hash of deeper ones can end the interpreter
ARRAYS = {
    "builtins": {"set", "frozenset", "bytes", "bytearray", "complex"},
    "collections": {"OrderedDict"},
    "_codecs": {"encode"},  # how protocol 2 writes the bytes of an array
    "numpy": {"ndarray", "dtype"},
    "numpy._core.multiarray": {"_reconstruct", "scalar"},
    "numpy._core.numeric": {"_frombuffer"},
}
FRAMES = {  # for registered files, whose SHA-256 is checked
    **ARRAYS,
    "builtins": ARRAYS["builtins"] | {"slice"},
    "pandas.core.frame": {"DataFrame"},
    "pandas.core.internals.managers": {"BlockManager"},
    "pandas.core.indexes.base": {"_new_Index", "Index"},
    "pandas.core.arrays.categorical": {"Categorical"},
    "pandas.core.dtypes.dtypes": {"CategoricalDtype"},
}
_PLAIN = re.compile(r"[<>|=]?([biufcSU]\d{0,9}|O8?)")
_FLOATS = re.compile(rb"(?s)(?:G.{8})*")
_REFUSED = (pickle.PERSID, pickle.BINPERSID, pickle.INST, pickle.OBJ, pickle.NEWOBJ_EX,
            pickle.EXT1, pickle.EXT2, pickle.EXT4, pickle.NEXT_BUFFER, pickle.READONLY_BUFFER)


class UnsafePickle(pickle.UnpicklingError, compression.Refused):
    """The pickle asks for something that is not on the list; nothing of it was executed."""


def load(file, allowed=ARRAYS):
    """The object in an open binary file.

    Parameters
    ----------
    file : binary file
        The pickle.
    allowed : dict of str to set of str
        Names that may be used, by module: :data:`ARRAYS` or :data:`FRAMES`.

    Raises
    ------
    UnsafePickle
        A name outside the list (the message says which; it is raised before the name is
        imported), an array over memory that the pickle chose, or a pickle that would build more
        than 200 times its size.
    """
    unpickler = _Unpickler(file, allowed)
    found = unpickler.load()
    unpickler.check(_size(found, {}))
    return found


class _Kind:
    """``numpy.dtype`` in a pickle: a plain kind of number or string, or Python objects.

    The state that a pickle may give a dtype can claim that objects are numbers; of that state
    only the order of the bytes is used.
    """

    def __init__(self, name, *_):
        if not isinstance(name, str) or not _PLAIN.fullmatch(name):
            raise UnsafePickle(f"the pickle holds an array of {str(name)[:40]!r}; arrays of plain "
                               "numbers and strings are read")
        self.dtype = np.dtype(name)

    def __setstate__(self, state):
        _, order, *fields = state[:5]
        if any(field is not None for field in fields):
            raise UnsafePickle("the pickle holds an array with fields; it is not read")
        self.dtype = self.dtype.newbyteorder(order)

    def plain(self):
        if self.dtype.hasobject:
            raise UnsafePickle("the pickle makes Python objects of bytes; it is not read")
        return self.dtype


def _bytes(value=b"", encoding="latin1"):
    if encoding not in ("latin1", "latin-1") or not isinstance(value, (bytes, bytearray, str)):
        raise UnsafePickle("the pickle makes bytes of something else; it is not read")
    return value.encode("latin1") if isinstance(value, str) else bytes(value)


def _array(content, kind, shape, order):
    """An array of its own memory; numpy's ``__setstate__`` would take any content."""
    if kind.dtype.hasobject and type(content) is list and len(content) == math.prod(shape):
        made = np.empty(len(content), object)
        for place, part in enumerate(content):
            made[place] = part
        return made.reshape(shape, order=order)
    return np.ndarray(shape, kind.plain(), _bytes(content), order=order).copy("K")


class _Array:
    """An array between the step that makes it and the one that gives it its content."""


_INSTEAD = {  # what the pickle gets for a name that would do more than it needs
    "builtins.bytes": _bytes, "builtins.bytearray": lambda *given: bytearray(_bytes(*given)),
    "_codecs.encode": _bytes, "numpy.ndarray": "numpy.ndarray",  # only named, never called
    "numpy.dtype": _Kind, "numpy._core.numeric._frombuffer": _array,
    "numpy._core.multiarray._reconstruct": lambda *_: _Array(),
    "numpy._core.multiarray.scalar": lambda kind, raw: _array(raw, kind, (), None)[()],
}


class _Unpickler(pickle._Unpickler):
    """The standard library's unpickler in Python: unlike the one in C, each step can be bounded.

    Runs of numbers, which are nearly all of a large file, are taken at once.
    """

    def __init__(self, file, allowed):
        self.file = file if hasattr(file, "peek") else io.BufferedReader(file)
        super().__init__(self.file)
        self._file_read = self._read
        self.allowed, self.built, self.nested = allowed, 0, {}

    def _read(self, count):
        if count > 1 << 24:  # a length that the file does not have is not reserved
            here = self.file.tell()
            if count > self.file.seek(0, os.SEEK_END) - here:
                raise EOFError("the pickle is not complete")
            self.file.seek(here)
        return self.file.read(count)

    def find_class(self, module, name):
        moved = module.replace("numpy.core.", "numpy._core.", 1).replace("__builtin__", "builtins")
        if name not in self.allowed.get(moved, ()):
            raise UnsafePickle(
                f"the pickle asks for {module}.{name}, which is neither a plain container nor a "
                "numpy array; nothing was executed, and the file is not read")
        if (instead := _INSTEAD.get(f"{moved}.{name}")) is not None:
            return instead
        return getattr(importlib.import_module(moved), name)

    def check(self, size):
        if size > SPARE and size > LARGEST * self.file.tell() + SPARE:
            raise UnsafePickle(f"the pickle builds more than {LARGEST} times its size, which no "
                               "table of numbers does; it is not read")

    def _refused(self):
        raise UnsafePickle("it cannot be read as a pickle of plain data, which needs no such step")

    def _frame(self):
        self.read(8)  # frames only tell how much to read at once

    def _bytearray(self):
        self.append(bytearray(self.read(int.from_bytes(self.read(8), "little"))))

    def _float(self):
        super().load_binfloat()
        if run := _FLOATS.match(self.file.peek(9))[0]:
            self.file.read(len(run))
            numbers = np.frombuffer(run, [("code", "S1"), ("number", ">f8")])["number"]
            self.stack.extend(numbers.tolist())

    def _call(self):
        super().load_reduce()
        made = self.stack[-1]
        if type(made) is _Array:
            made.key = len(self.memo)  # where it is kept next, for Python 2 one further
        self._count(made)

    def _count(self, made):
        self.built += made.nbytes if isinstance(made, np.ndarray) else 8 * (
            len(made) if hasattr(made, "__len__") else 1)
        self.check(self.built)

    def _state(self):
        state, made = self.stack.pop(), self.stack[-1]
        if type(made) is _Array:
            _, shape, kind, fortran, content = state
            self.stack[-1] = _array(content, kind, shape, "F" if fortran else "C")
            self._count(self.stack[-1])
            for key in (made.key, made.key + 1):  # it may stand elsewhere, too
                if self.memo.get(key) is made:
                    self.memo[key] = self.stack[-1]
        elif type(made) is _Kind or type(made).__module__.startswith("pandas."):
            made.__setstate__(state)
        else:
            raise UnsafePickle(f"the pickle changes a {type(made).__name__}; it is not read")

    def _tuple(self, step):
        step(self)
        made = self.stack[-1]
        depth = 1 + max((self.nested.get(id(part), (1,))[0] for part in made
                         if type(part) is tuple), default=0)
        if depth > MAX_NESTED:
            raise UnsafePickle(f"the pickle nests more than {MAX_NESTED} tuples; it is not read")
        if depth > 1:
            self.nested[id(made)] = depth, made


_Unpickler.dispatch = collections.defaultdict(lambda: _Unpickler._refused, {
    **{code: step for code, step in pickle._Unpickler.dispatch.items()
       if bytes([code]) not in _REFUSED},
    pickle.FRAME[0]: _Unpickler._frame, pickle.BYTEARRAY8[0]: _Unpickler._bytearray,
    pickle.BINFLOAT[0]: _Unpickler._float, pickle.REDUCE[0]: _Unpickler._call,
    pickle.BUILD[0]: _Unpickler._state,
    **{code[0]: functools.partial(_Unpickler._tuple, step=pickle._Unpickler.dispatch[code[0]])
       for code in (pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3)}})


def _size(found, known):
    """Values in a container, those of a part that stands in it several times counted each time."""
    if isinstance(found, dict):
        found = found.values()
    elif not isinstance(found, (list, tuple)):
        return 1
    kinds = set(map(type, found))
    if not kinds & {list, tuple, dict}:
        return len(found)
    if id(found) not in known:
        known[id(found)] = sum(_size(part, known) for part in found)
    return known[id(found)]
