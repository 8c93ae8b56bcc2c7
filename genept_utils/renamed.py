"""Former names of functions and parameters, which keep working for one version."""

import functools
import sys
import warnings

GOES = "the former name goes with the next version"


def parameters(**new):
    """Decorator that takes former keyword names, as ``former="present"``, and warns of each."""
    def decorate(function):
        @functools.wraps(function)
        def call(*args, **given):
            for former in new.keys() & given:
                warnings.warn(f"{function.__name__}({former}=...) is now {new[former]}=...; {GOES}",
                              FutureWarning, stacklevel=2)
                given[new[former]] = given.pop(former)
            return function(*args, **given)
        return call
    return decorate


def names(module, **new):
    """A module's ``__getattr__`` that finds functions by their former names, and warns of each."""
    def find(name):
        if name not in new:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(f"{module}.{name} is now {new[name]}; {GOES}", FutureWarning, stacklevel=2)
        return getattr(sys.modules[module], new[name])
    return find
