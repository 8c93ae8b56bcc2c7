"""Numbers and verdicts in prose, read from ``data/results`` when the book is built."""

import functools

from docutils import nodes
from sphinx.util.docutils import SphinxRole

from genept_utils import paths
from genept_book import bindings, claims
from genept_book.html_tables import number

scores, verdicts = (functools.cache(read) for read in (claims.scores, claims.verdicts))


class FromClaims(SphinxRole):
    """``{claim}`ID | KIND```, in tables ``ID, KIND``, is a number that the results hold for a claim
    of ``data/claims.csv``: of the control of that kind, the ``printed`` one, or without a kind
    that of its subject. ``{verdict}`ID KIND VERDICT``` prints the verdict, and warns where it is
    not the recorded one."""

    def run(self):
        self.env.note_dependency(str(paths.DATA / "claims.csv"))
        style, show = {"claim": ("claim-number", value),
                       "verdict": ("claim-verdict", verdict)}[self.name]
        try:
            return [nodes.strong("", show(self.text), classes=[style])], []
        except ValueError as error:
            message = self.inliner.reporter.warning(str(error), line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, message)], [message]


def value(text):
    """The number that a text such as "dosage | words" names.

    Raises
    ------
    ValueError
        There is no such claim, or no such control beside it; the message lists those there are.
    """
    claim, _, kind = (part.strip() for part in text.replace(",", "|").partition("|"))
    shown, kind = scores().set_index(["id", "kind"])["value"], kind or "subject"
    if (claim, kind) not in shown:
        known = shown.loc[[claim]] if claim in shown.index.levels[0] else shown
        raise ValueError(f"no claim {claim!r} with {kind!r} in data/claims.csv; there are: "
                         + ", ".join(map(" ".join, known.index)))
    return number(float(shown[claim, kind]), 2)


def verdict(text):
    """The verdict that a text such as "dosage words ahead" names; ValueError for another one than
    that recorded."""
    if faults := bindings.unfit(text, verdicts()):
        raise ValueError("; ".join(faults))
    return bindings.worded(text)
