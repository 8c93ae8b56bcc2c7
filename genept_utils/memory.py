"""Memory that is no longer used goes back to the system."""

import contextlib
import ctypes
import gc


def release():
    """Collect what refers to itself, as an AnnData does, and hand it back: after a large file was
    read a hundred MB and more."""
    gc.collect()
    trim()


def trim():
    """Hand back what glibc keeps of freed arrays; it keeps those of up to 32 MB."""
    with contextlib.suppress(OSError, AttributeError, TypeError):  # glibc alone has it
        ctypes.CDLL(None).malloc_trim(0)


@contextlib.contextmanager
def uncollected():
    """No search for what refers to itself meanwhile: while a million objects are made, all of
    which stay, it is a fifth of the work."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()
