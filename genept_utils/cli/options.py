"""What a sentence advises, as it is written on the command line."""

import re
import shlex

_OWN = r"(?<![(,] )(?<!\()"  # not within a line of code
_WORDS = [(r'layer="([^"]+)"', lambda found: f"--layer {shlex.quote(found[1])}"),
          (r"\braw=True", "--raw"), (r'values="(raw|log)"', r"--values \1"),
          (r"\bvalues=(?= |$)", "--values"), (r"\bspecies=(?= )", "--species")]


def as_options(said):
    """A sentence with ``layer="counts"``, ``raw=True``, ``values="raw"``, which are arguments in
    Python and of ``run``, as the options of the commands ``cells`` and ``match``."""
    for pattern, option in _WORDS:
        said = re.sub(_OWN + pattern, option, said)
    return said
