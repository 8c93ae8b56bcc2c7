"""Sentences that compare, bound to the verdicts of claims.

A comment behind a sentence binds it: ``<!-- claim: ID KIND VERDICT -->``, with ``KIND`` a column
of controls of ``data/claims.csv`` or ``printed``. Further pairs of the claim follow a comma,
``dosage words level, letters ahead``. ``ID`` may be a pattern (``panels-*``) and ``VERDICT`` a
choice (``ahead/slightly ahead``); all claims of the pattern must then have it, or as many as
``4 of 6`` says. In ``book/*.md`` the role ``{verdict}`` takes the same words and prints the
verdict.

In headlines, in *What we found*, in captions, and everywhere on the first page, in the README, in
chapter 12 and in the paper index, a sentence with a word that compares (:data:`COMPARES`) must be
bound, or stand in ``data/claim-exceptions.csv`` with a reason. Elsewhere it may be bound.
"""

import fnmatch
import re

import pandas as pd

from genept_utils import paths
from genept_book import claims, notebooks

COMMENT = re.compile(r"\s*<!--\s*claim:(.*?)-->", re.DOTALL)
COMPARES = re.compile(
    r"(?<![-\w])(?:only|alone|better|best|worse|worst|(?:above|below)(?! \.?\d)|ahead|behind|beat(?:s|en)?"
    r"|beyond|bridges?|level(?! of)|matters?|hardly|needed|stronge[rs]t?|weake[rs]t?|wins?|won"
    r"|loses?|lost|leads?(?! to)|higher|highest|lower|lowest|equals?|exceeds?|outperforms?"
    r"|surpass\w*|gains?|(?:makes the|no) difference|compete|(?:is|are|was|were) reached|adds"
    r"|(?:as|so) (?:well|good|much|many|far|close|little|often)|reach(?:es)? the"
    r"|(?<!rather )(?<!other )than)(?![-\w])", re.IGNORECASE)
TERM = re.compile(r"(?<!\*)\*[^*\n]+\*(?!\*)")  # a word in italics is named, not said
WHOLE = ("README", "index", "paper-index", "12-what-the-text-adds")
_ROLE = re.compile(r"\{verdict\}`([^`]*)`")
_VALUE = re.compile(r"\{claim\}`[^`]*`")
_SENTENCE = re.compile(r"(?:(?<=[.!?])|(?<=-->))\s+(?=[A-Z*_(\[`.{+-])|\n+")
_FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)\s*$", re.DOTALL | re.MULTILINE)
_PAIR = re.compile(r"(\w+) ([a-z/ ]+?)(?: (\d+) of (\d+))?")


def sentences(markdown):
    """Sentences of a Markdown text as (text, bindings); code blocks and tables are left out."""
    # a comment on a line of its own, or of several, goes to the line before it
    joined = COMMENT.sub(lambda found: f" {' '.join(found[0].split())}", _FENCE.sub("", markdown))
    for part in _SENTENCE.split(joined):
        bound = [" ".join(found.split()) for pattern in (COMMENT, _ROLE)
                 for found in pattern.findall(part)]
        said = _ROLE.sub(lambda found: worded(found[1]), COMMENT.sub("", part))
        said = re.sub(r"\]\([^)]*\)|`[^`]*`", " ", _VALUE.sub("0.5", said))
        said = " ".join(said.split())
        if said.strip("-*#| ") and not said.startswith("|") or bound:
            yield said, bound


def worded(binding):
    """The verdict that a binding of one pair names, as a page prints it."""
    return _PAIR.fullmatch(binding.split(None, 1)[1].strip())[2]


def texts():
    """Every text of the book and the README as (page, whether its comparisons must be bound,
    Markdown)."""
    for path in [paths.ROOT / "README.md", *sorted((paths.ROOT / "book").glob("*.md"))]:
        yield from _parts(path.stem, path.read_text(encoding="utf-8"))
    for path in notebooks.notebooks():
        for kind, text in notebooks.texts(notebooks.read(path)):
            if kind == "markdown":
                yield from _parts(path.stem, text)
            else:
                yield path.stem, kind == "caption", text


def _parts(page, markdown):
    """A text in parts: its headline (a first paragraph in bold) and *What we found* are bound, of
    some pages all."""
    head = re.match(r"\s*# [^\n]*\n+\*\*.*?(?=\n\n|\Z)", markdown, re.DOTALL)
    at = head.end() if head else 0
    yield page, True, markdown[:at]
    for part in re.split(r"^(?=## )", markdown[at:], flags=re.MULTILINE):
        yield page, page in WHOLE or part.startswith("## What we found"), part


def check(folder=None):
    """What is wrong with the sentences that compare.

    Parameters
    ----------
    folder : pathlib.Path, optional
        Of recorded results, for the verdicts.

    Returns
    -------
    pandas.DataFrame
        ``page``, ``fault``, ``sentence``, in the order of the pages; empty where every bound
        verdict is the recorded one, every other comparison has a reason to stand, and every
        exception is used.

    Raises
    ------
    ValueError
        A difference that a claim needs was not recorded, or the module is installed, not cloned.
    """
    notebooks.need_clone("claims are checked in a clone of the book")
    recorded = claims.verdicts(folder)
    exceptions = pd.read_csv(paths.DATA / "claim-exceptions.csv", dtype=str)
    allowed = {(row.page, row.sentence): False for row in exceptions.itertuples()}
    rows = []
    for page, must, markdown in texts():
        for said, bindings in sentences(markdown):
            faults = [fault for binding in bindings for fault in unfit(binding, recorded)]
            excused = [key for key in allowed if key[0] == page and key[1] in said]
            allowed.update(dict.fromkeys(excused, True))
            found = COMPARES.search(TERM.sub("", said))
            if must and found and not bindings and not excused:
                faults.append(f"compares (\"{found[0]}\") and is bound to no claim")
            rows += [{"page": page, "fault": fault, "sentence": said} for fault in faults]
    rows += [{"page": page, "fault": "is excepted, and no page says it", "sentence": said}
             for (page, said), used in allowed.items() if not used]
    return pd.DataFrame(rows, columns=["page", "fault", "sentence"])


def unfit(binding, recorded):
    """Why the verdicts that a binding names are not the recorded ones; a list of sentences."""
    name, _, pairs = binding.partition(" ")
    chosen = recorded[recorded["id"].isin(fnmatch.filter(recorded["id"].unique(), name))]
    if chosen.empty:
        return [f"there is no claim {name!r}"]
    return [fault for pair in pairs.split(",") for fault in _unfit(name, pair.strip(), chosen)]


def _unfit(name, pair, chosen):
    kind, verdicts, count, of = (read := _PAIR.fullmatch(pair)) and read.groups() or [""] * 4
    known = claims.PRINTED if kind == "printed" else claims.VERDICTS
    if not read or set(wanted := verdicts.split("/")) - set(known):
        return [f"{name} {pair!r} is not KIND VERDICT with a verdict among {', '.join(known)}"]
    beside = chosen[chosen["kind"] == kind]
    if beside.empty:
        return [f"{name} has no control that reads {kind}"]
    fits = beside["verdict"].isin(wanted)
    if count and (fits.sum(), len(fits)) != (int(count), int(of)):
        return [f"says {verdicts} in {count} of {of} ({name} {kind}); it is {fits.sum()} of "
                f"{len(fits)}"]
    return [] if count or fits.all() else [
        f"says {verdicts} ({row.id} {row.kind}); recorded is {row.verdict}: {row.value:+.3f} "
        f"[{row.low:+.3f}, {row.high:+.3f}]" for row in beside[~fits].itertuples()]
