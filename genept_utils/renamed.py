"""Former names of parameters, which keep working for one version."""

import functools
import warnings


def parameters(**new):
    """Decorator that takes former keyword names, as ``former="present"``, and warns of each."""
    def decorate(function):
        @functools.wraps(function)
        def call(*args, **given):
            for former in new.keys() & given:
                warnings.warn(f"{function.__name__}({former}=...) is now {new[former]}=...; the "
                              "former name goes with the next version", FutureWarning, stacklevel=2)
                given[new[former]] = given.pop(former)
            return function(*args, **given)
        return call
    return decorate
