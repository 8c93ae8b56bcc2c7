"""Numbers and verdicts in prose, read from ``data/results`` when the book is built."""

import functools

from docutils import nodes
from sphinx.util.docutils import SphinxRole

from genept_utils import paths
from genept_book import bindings, claims
from genept_book.html_tables import number


class _FromClaims(SphinxRole):
    def run(self):
        self.env.note_dependency(str(paths.DATA / "claims.csv"))
        try:
            shown = self.shown(self.text)
        except ValueError as error:
            message = self.inliner.reporter.warning(str(error), line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]
        return [nodes.strong("", shown, classes=[self.style])], []


class Claim(_FromClaims):
    """``{claim}`ID | KIND```, in tables ``ID, KIND``, is a number that the results hold for a claim of
    ``data/claims.csv``: of the control of that kind, the ``printed`` one, or without a kind that
    of its subject."""

    style = "claim-number"

    def shown(self, text):
        claim, _, kind = (part.strip() for part in text.replace(",", "|").partition("|"))
        return number(value(claim, kind or "subject"), 2)


class Verdict(_FromClaims):
    """``{verdict}`ID KIND VERDICT``` prints the verdict, and warns where it is not the recorded
    one."""

    style = "claim-verdict"

    def shown(self, text):
        if faults := bindings.unfit(text, read(claims.verdicts, _stamp())):
            raise ValueError("; ".join(faults))
        return bindings.worded(text)


def _stamp():
    files = [paths.DATA / "claims.csv", *sorted(paths.results().glob("*.json"))]
    return tuple(file.stat().st_mtime_ns for file in files)


@functools.lru_cache(maxsize=4)
def read(what, stamp):
    """``claims.scores()`` or ``claims.verdicts()``, read once for all pages."""
    return what()


def value(claim, kind="subject"):
    """The number of a claim.

    Raises
    ------
    ValueError
        There is no such claim, or no such control beside it; the message lists those there are.
    """
    shown = read(claims.scores, _stamp()).set_index(["id", "kind"])["value"]
    if (claim, kind) not in shown:
        known = shown.loc[[claim]] if claim in shown.index.levels[0] else shown
        raise ValueError(f"no claim {claim!r} with {kind!r} in data/claims.csv; there are: "
                         + ", ".join(map(" ".join, known.index)))
    return float(shown[claim, kind])
