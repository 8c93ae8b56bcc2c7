"""What a process that reads or runs notebooks does before it imports anything large."""

import sys


def quickly():
    """Keep jsonschema, which comes with nbformat, from loading its grammar of addresses (IRIs).

    It takes two seconds in every process, and no field of a notebook is checked by it. Without
    it jsonschema leaves that one check out, as where the optional package is not installed.
    """
    sys.modules.setdefault("rfc3987_syntax", None)
