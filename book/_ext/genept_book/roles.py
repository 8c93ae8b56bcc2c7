"""Numbers in prose, read from ``data/results`` when the book is built."""

import functools

from docutils import nodes
from sphinx.util.docutils import SphinxRole

from genept_utils import paths
from genept_utils.pages import ledger

from .tables import number

_CLAIMS = paths.DATA / "claims.csv"


class Claim(SphinxRole):
    """``{claim}`CLAIM | METHOD``` is the value that the results hold for a claim of
    ``data/claims.csv``; ``{claim}`CLAIM | published``` the printed one."""

    def run(self):
        self.env.note_dependency(str(_CLAIMS))
        claim, _, method = (part.strip() for part in self.text.partition("|"))
        try:
            shown = number(value(claim, method), 2)
        except LookupError as error:
            message = self.inliner.reporter.warning(error.args[0], line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        return [nodes.strong("", shown, classes=["claim-number"])], []


@functools.cache
def _claims(stamp):
    return ledger.claims()


def value(claim, method):
    """The number of a claim.

    Raises
    ------
    LookupError
        There is no such claim, or no such method beside it; the message lists those there are.
    """
    files = sorted(paths.results().glob("*.json"))
    stamp = (_CLAIMS.stat().st_mtime_ns, *(file.stat().st_mtime_ns for file in files))
    claims = _claims(stamp)
    part = claims[claims["claim"] == claim]
    if part.empty:
        raise LookupError(f"no claim {claim!r} in data/claims.csv; there are: "
                          + "; ".join(claims["claim"].unique()))
    if method == "published":
        printed = part["published"].dropna()
        if len(printed):
            return float(printed.iloc[0])
    found = part[part["method"] == method]
    if found.empty:
        raise LookupError(f"no {method!r} beside claim {claim!r}; there are: "
                          + "; ".join(part["method"]))
    return float(found["value"].iloc[0])
