"""One name of an input, the same genes: vectors, words or letters; and the tables of scores."""

import warnings

import numpy as np
import pandas as pd
import pytest

from genept_utils import datasets, embed, evaluate

SYMBOLS = ["TP53", "CTSB", "TP53", "HOXA1"]


@pytest.fixture
def named():
    """Vectors under keys of others, as Gene2vec has them: old names with a symbol beside."""
    obs = pd.DataFrame({"symbol": ["CTSB", "", "TP53", "TP53"]},
                       index=["APPS", "nothing", "TP53", "P53"])
    return embed.as_embedding(np.arange(8.).reshape(4, 2) + 1, obs, model="theirs", text="none")


def test_vectors_follow_the_genes_and_not_the_rows(named):
    made = evaluate.gene_input(named, ["TP53", "CTSB", "TP53"])
    np.testing.assert_array_equal(made, [[5, 6], [1, 2], [5, 6]])
    shipped = evaluate.gene_input("minilm", SYMBOLS)
    np.testing.assert_array_equal(shipped, embed.read_embedding()[SYMBOLS].X)


def test_a_gene_without_a_vector_is_zero_and_said(named):
    with pytest.warns(UserWarning, match=r"1 of 2 genes \(HOXA1, ...\) have no vector in theirs"):
        made = evaluate.gene_input(named, ["HOXA1", "CTSB"])
    np.testing.assert_array_equal(made, [[0, 0], [1, 2]])
    with warnings.catch_warnings():  # HOXA1 is in no pair
        warnings.simplefilter("error")
        evaluate.gene_input(named, ["HOXA1", "CTSB"], needed=[1, 1])
        evaluate.pair_scores({"theirs": named}, ["HOXA1", "CTSB", "TP53"],
                             (np.array([[1, 2], [1, 1]]), [0, 1]), np.array([[2, 2]]))
    assert evaluate.has_input(named, SYMBOLS).tolist() == [True, True, True, False]
    assert evaluate.has_input("letters", SYMBOLS).all()


def test_embeddings_cut_to_the_genes_asked_for_give_the_same_numbers(named):
    cut = evaluate.read_inputs({"theirs": named, "ours": "minilm"}, SYMBOLS)
    assert cut["theirs"].n_obs == 2 and set(cut["ours"].obs_names) == set(SYMBOLS)
    for kept, whole in ((cut["theirs"], named), (cut["ours"], "minilm")):
        known = ["CTSB", "TP53"]
        np.testing.assert_array_equal(evaluate.gene_input(kept, known),
                                      evaluate.gene_input(whole, known))
    assert not cut["ours"].is_view  # a view would hold all of it


def test_words_and_letters_by_name(source):
    source("genes/hgnc_complete_set.txt.gz")
    made = evaluate.gene_input("words/name", SYMBOLS)
    given = evaluate.gene_input(embed.texts("name"), SYMBOLS)
    assert made.shape[0] == 4 and (made != given).nnz == 0 and (made[0] != made[2]).nnz == 0
    assert (evaluate.gene_input("letters", SYMBOLS) != evaluate.letters(SYMBOLS)).nnz == 0


def test_facts_of_a_text_follow_the_genes(source):
    source("genes/hgnc_complete_set.txt.gz")
    facts = evaluate.text_facts(["TP53", "MIR21", "TP53"])
    assert facts.index.tolist() == ["TP53", "MIR21", "TP53"]
    known, text = datasets.go_processes(), embed.texts("summary", ["TP53", "MIR21"])
    assert facts["number of words"].iloc[0] == pytest.approx(np.log1p(len(text["TP53"].split())))
    assert facts["number of GO processes"].iloc[2] == pytest.approx(np.log1p(len(known["TP53"])))
    assert (facts.iloc[0] == facts.iloc[2]).all()
    bare = evaluate.text_facts(["TP53", "A2MP1"])["has a summary"]
    assert bare.tolist() == [1, 0]


def test_facts_are_an_input_of_every_method(source):
    source("genes/hgnc_complete_set.txt.gz")
    symbols = embed.read_embedding().obs_names[:60]
    one = evaluate.gene_input("facts/number of words", symbols)
    every = evaluate.gene_input("facts", symbols)
    assert one.shape == (60, 8) and every.shape == (60, 8 + 1 + 8)
    np.testing.assert_allclose(every[:, :8], one)
    assert one[:, 0].mean() == pytest.approx(0, abs=1e-9) and one[:, 0].std() == pytest.approx(1)
    assert evaluate.has_input("facts", symbols).all()
    kept = evaluate.read_inputs({"a": "facts", "b": "letters", "c": "words/name"}, symbols[::-1])
    np.testing.assert_allclose(evaluate.gene_input(kept["a"], symbols), every)
    assert kept["b"] == "letters" and kept["c"].equals(embed.texts("name", symbols[::-1]))
    with pytest.raises(ValueError, match="fact 'letters' is not one of number of words"):
        evaluate.gene_input("facts/letters", symbols)


def test_class_scores_are_on_the_same_splits(source):
    source("genes/hgnc_complete_set.txt.gz")
    table = embed.texts("name").str.contains("pseudogene")
    some = table.groupby(table).sample(80, random_state=0)
    made = evaluate.class_scores(
        {"vectors": "minilm", "words": "words/name", "letters": "letters"}, some.index, some,
        repeats=1, scoring=["roc_auc", "accuracy"])
    reference = evaluate.cross_validate(embed.read_embedding()[some.index].X, some, repeats=1,
                                        scoring=["roc_auc", "accuracy"])
    pd.testing.assert_frame_equal(made["vectors"], reference)
    assert made["words"]["roc_auc"].mean() > .98  # the word itself stands in the name
    assert made["letters"]["roc_auc"].mean() > .6
    shown = evaluate.summarise(made, values=["accuracy", "roc_auc"], kind="folds")
    assert shown["method"].tolist() == ["vectors"] * 2 + ["words"] * 2 + ["letters"] * 2
    row = shown.iloc[0]
    assert (row["value"], row["low"], row["high"]) == pytest.approx(
        np.minimum(evaluate.interval(reference["accuracy"], .2), 1))
    assert row["repeats"] == 5 and row["n"] == 32
    gain = evaluate.compare(made, [("vectors", "letters"), ("vectors", "words")],
                            ["repeat", "fold"], ["accuracy"], kind="folds").iloc[0]
    assert gain["value"] == pytest.approx(row["value"] - shown.iloc[4]["value"])
    assert gain["low"] <= gain["value"] <= gain["high"]


def test_pair_scores_and_their_areas(named):
    draw = np.random.default_rng(0)
    symbols = embed.read_embedding().obs_names[:200].tolist()
    pairs = draw.integers(0, 200, (2000, 2))
    known = embed.read_embedding()[symbols].X
    first = evaluate.pair_features(known, pairs)[:, 0]
    y = (first > np.median(first)).astype(int)
    train, test = (pairs[:1500], y[:1500]), pairs[1500:]
    made = evaluate.pair_scores({"vectors": "minilm", "letters": "letters"}, symbols, train, test)
    np.testing.assert_allclose(made["vectors"], evaluate.score_pairs(
        known, test, evaluate.fit_pairs(known, *train)))
    curves = evaluate.pair_roc(y[1500:], made, test)
    table = evaluate.summarise(curves).set_index("method")
    assert table.loc["vectors", "n"] == 500
    assert table.loc["vectors", "value"] == curves["vectors"]["auc"]
    gain = evaluate.compare(curves, [("vectors", "letters")]).iloc[0]
    assert gain["value"] == pytest.approx(table["value"].diff().iloc[1] * -1)
    assert gain["low"] < gain["value"] < gain["high"]
