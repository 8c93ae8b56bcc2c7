"""What a method reads: the kind by which tables, figures and claims group methods."""

from pathlib import Path

import pandas as pd

KINDS = ("text", "words", "letters", "expression", "annotations", "nothing")
FILE = Path(__file__).with_name("methods.csv")
# By name; a variant ("GenePT-w whitened", "TF-IDF, all words") goes by its longest beginning here.
READS = pd.read_csv(FILE, index_col="method")["reads"].to_dict()


def reads(method):
    """The kind of a method (one of :data:`KINDS`), ``""`` where it is not known."""
    return READS.get(max(filter(method.startswith, READS), key=len, default=""), "")
