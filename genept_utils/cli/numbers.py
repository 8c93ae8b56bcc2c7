"""argparse types that reject out-of-range numbers."""

import argparse
import math


def at_least(least, kind=int):
    """A type for argparse: a finite number of a kind, not below ``least``."""
    def read(written):
        try:
            value = kind(written)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and value >= least):
            what = "a whole number" if kind is int else "a number"
            raise argparse.ArgumentTypeError(f"{written!r} is not {what} of at least {least}")
        return value
    return read
