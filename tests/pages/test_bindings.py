"""Sentences that compare are found, and their verdicts are the recorded ones."""

import fnmatch
import json
import shutil

import nbformat
import pandas as pd
import pytest

from genept_utils import paths
from genept_utils.__main__ import main
from genept_book import bindings, claims

RECORDED = pd.DataFrame([
    {"id": name, "kind": kind, "verdict": verdict, "value": .1, "low": .05, "high": .15}
    for name, kind, verdict in [
        ("dosage", "letters", "ahead"), ("dosage", "words", "level"),
        ("dosage", "printed", "reached"), ("panels-a", "letters", "ahead"),
        ("panels-b", "letters", "slightly ahead"), ("panels-b", "expression", "behind")]])


@pytest.mark.parametrize("sentence", [
    # sentences that stood in the book and did not hold
    "Text is the only bridge.", "Text vectors predict interactions as well as published.",
    "It has .824, which is above every figure but that of the notebook.",
    "The model hardly matters: TF-IDF has the same.", "A language model is not needed.",
    "A language model is not what makes the difference on these benchmarks.",
    "What the text knows beyond spelling shows when whole families are new: .12 accuracy.",
    "Here the text wins and expression cannot compete.", "The published accuracy is reached.",
    "Clusters agree at 0.35 from text and at 0.67 from the counts alone.",
    "Counts of words do as well as a language model.", "TF-IDF is level with MiniLM.",
    "Open text reaches the published scores.", "Nothing does better.", "It is no stronger.",
    "GenePT-w loses to PCA and beats the permuted map.", "It has more than spelling has.",
    "The network gains much.", "PCA is ahead.", "Random vectors stay behind.", "It adds .02."])
def test_words_that_compare_are_found(sentence):
    assert bindings.COMPARES.search(sentence)


@pytest.mark.parametrize("sentence", [
    "The gene-level tasks.", "It is a file rather than a folder.", "The level of the interval.",
    "Accuracy is .96.", "## Differences from the paper", "It leads to a table.",
    "Each score has an interval.", "*Ahead* is a verdict, *name only* a text.",
    "A cosine above .7."])
def test_other_words_pass(sentence):
    assert not bindings.COMPARES.search(bindings.TERM.sub("", sentence))


@pytest.mark.parametrize("binding, fault", [
    ("dosage letters ahead", ""), ("dosage letters ahead, words level, printed reached", ""),
    ("panels-* letters ahead/slightly ahead", ""), ("panels-* letters ahead 1 of 2", ""),
    ("dosage letters behind", "recorded is ahead: +0.100 [+0.050, +0.150]"),
    ("dosage words level, letters level", "recorded is ahead"),
    ("dosage printed above", "recorded is reached"),
    ("panels-* letters ahead", "panels-b letters); recorded is slightly ahead"),
    ("panels-* letters ahead 2 of 2", "it is 1 of 2"), ("dose letters ahead", "no claim 'dose'"),
    ("dosage expression ahead", "no control that reads expression"),
    ("dosage letters better", "not KIND VERDICT"), ("dosage ahead", "not KIND VERDICT"),
    ("dosage", "not KIND VERDICT"), ("dosage printed ahead", "not KIND VERDICT"),
    ("dosage letters reached", "not KIND VERDICT")])
def test_a_binding_says_what_was_recorded(binding, fault):
    found = bindings.unfit(binding, RECORDED)
    assert fault in "; ".join(found) and bool(found) == bool(fault)


def test_a_comment_binds_the_sentence_before_it():
    text = ("It is ahead. <!-- claim: dosage letters ahead -->\nIt is level. It wins.\n"
            "- **Bold** is {verdict}`dosage words level` with .5 ({claim}`dosage`). Next `x`\n"
            "<!-- claim: a b c --> stands. <!-- claim: d e f -->\n```\nonly code\n```\n"
            "| only | a table |\n")
    assert list(bindings.sentences(text)) == [
        ("It is ahead.", ["dosage letters ahead"]), ("It is level.", []), ("It wins.", []),
        ("- **Bold** is level with .5 (0.5).", ["dosage words level"]),
        ("Next stands.", ["a b c", "d e f"])]


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A function that writes a small book and gives the faults of ``check`` as (page, fault)."""
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    monkeypatch.setattr(paths, "NOTEBOOKS", tmp_path / "notebooks")
    monkeypatch.setattr(paths, "DATA", tmp_path / "data")
    monkeypatch.setattr(claims, "verdicts", lambda folder=None: RECORDED)
    for folder in ("book", "notebooks", "data"):
        (tmp_path / folder).mkdir()

    def write(readme="", page="", chapter=(), caption="", exceptions="", stem="05-x",
              name="index"):
        (tmp_path / "README.md").write_text(readme)
        (tmp_path / "book" / f"{name}.md").write_text(page)
        cells = [nbformat.v4.new_markdown_cell(text) for text in chapter]
        cells.append(nbformat.v4.new_code_cell("1", metadata={"mystnb": {"figure": {
            "caption": caption}}}))
        nbformat.write(nbformat.v4.new_notebook(cells=cells),
                       tmp_path / "notebooks" / f"{stem}.ipynb")
        (tmp_path / "data" / "claim-exceptions.csv").write_text(
            "page,sentence,reason\n" + exceptions)
        return bindings.check()[["page", "fault"]].values.tolist()

    return write


UNBOUND = 'compares ("ahead") and is bound to no claim'


@pytest.mark.parametrize("where, page", [
    ({"readme": "It is ahead."}, "README"), ({"page": "It is ahead."}, "index"),
    ({"chapter": ["# Title\n\n**It is ahead.**\n\n| | |"]}, "05-x"),
    ({"chapter": ["# Title ahead"], "stem": "12-what-the-text-adds"}, "12-what-the-text-adds"),
    ({"chapter": ["Text.\n\n## What we found\n\n- It is ahead.\n\n## Next\n"]}, "05-x"),
    ({"caption": "It is ahead."}, "05-x"),
    ({"page": "# T\n\n**It is ahead.**\n", "name": "other"}, "other")])
def test_what_compares_must_be_bound(book, where, page):
    assert book(**where) == [[page, UNBOUND]]
    bound = {name: [text.replace("ahead", "ahead. <!-- claim: dosage letters ahead -->")
                    for text in value] if name == "chapter" else
             value.replace("ahead.", "ahead. <!-- claim: dosage letters ahead -->")
             for name, value in where.items()}
    assert book(**bound) == []


@pytest.mark.parametrize("where", [
    {"chapter": ["Text.\n\nIt is ahead."]}, {"page": "# T\n\nIt is ahead.", "name": "other"},
    {"chapter": ["## What we found\n\nText.\n\n## Differences from the paper\n\nIt is ahead."]}])
def test_elsewhere_it_may_be_bound(book, where):
    assert book(**where) == []
    wrong = {name: [value[0] + " <!-- claim: dosage letters level -->"] if name == "chapter"
             else value for name, value in where.items()}
    assert len(book(**wrong)) == ("chapter" in where)


def test_an_exception_has_its_page_and_is_used(book):
    text, line = "It is ahead of its time.", "index,of its time,a figure of speech\n"
    assert book(page=text, exceptions=line) == []
    assert book(page=text, readme=text, exceptions=line) == [["README", UNBOUND]]
    assert book(exceptions=line) == [["index", "is excepted, and no page says it"]]


def test_the_command_names_page_sentence_and_verdict(book, capsys):
    book(readme="It wins. <!-- claim: dosage letters behind -->", page="It is ahead.")
    assert main(["check", "--claims"]) == 1
    said = capsys.readouterr().out
    assert "README: says behind (dosage letters); recorded is ahead" in said
    assert said.count("It wins.") == 1 and "index: compares" in said
    assert main(["check", "--claims", "05"]) == 0
    assert "says what was recorded" in capsys.readouterr().out


TURNED = {"panels": "expression", "ppi-litbm-product": "words", "ggi": "nothing",
          "neighbours-whitened": "expression", "dosage-families": "letters"}


def test_results_turned_round_name_every_sentence_that_depends_on_them(tmp_path):
    """On the real book: all sentences bound to the claims, on all pages, and no other."""
    shutil.copytree(paths.DATA / "results", tmp_path, dirs_exist_ok=True)
    for name, kind in TURNED.items():
        claim = claims.listed().set_index("id").loc[name]
        file = tmp_path / f"{claim['notebook']}.json"
        rows, turned = json.loads(file.read_text(encoding="utf-8")), 0
        for row in rows:
            same = {row.get("method"), row.get("against")} == {claim["method"], claim[kind]}
            if same and all(row.get(column, "") == claim[column] for column in claims.WHERE
                            if claim[column]):
                row |= {"value": -row["value"], "low": -row["high"], "high": -row["low"]}
                turned += 1
        file.write_text(json.dumps(rows), encoding="utf-8")
        assert turned == 1
    assert bindings.check().empty
    after = set(map(tuple, bindings.check(tmp_path)[["page", "sentence"]].values))
    every = set()
    for name, kind in TURNED.items():
        bound = {(page, said) for page, _, markdown in bindings.texts()
                 for said, found in bindings.sentences(markdown) for binding in found
                 if fnmatch.fnmatch(name, binding.split()[0])
                 and any(pair.split()[0] == kind for pair in binding.partition(" ")[2].split(","))}
        assert len({page for page, _ in bound}) >= 2
        every |= bound
    assert after == every


def test_every_exception_has_a_reason():
    listed = pd.read_csv(paths.DATA / "claim-exceptions.csv")
    assert listed["reason"].str.len().min() > 5 and len(listed) < 40
