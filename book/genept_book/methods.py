"""What a method reads: the kind by which tables, figures and claims group methods."""

from pathlib import Path

import pandas as pd

KINDS = ("text", "words", "letters", "expression", "annotations", "nothing")
FILE = Path(__file__).with_name("methods.csv")
_TABLE = pd.read_csv(FILE, index_col="method", keep_default_na=False)
# By name; a variant ("GenePT-w whitened", "TF-IDF, masked") goes by its longest beginning here.
READS = _TABLE["reads"].to_dict()
# These look the same in all chapters, by their order; others take what comes next in their family.
FIXED = _TABLE.index[_TABLE["look"] == "fixed"].tolist()


def reads(method):
    """The kind of a method (one of :data:`KINDS`), ``""`` where it is not known."""
    return READS.get(max(filter(method.startswith, READS), key=len, default=""), "")
