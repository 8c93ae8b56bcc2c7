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
    assert (evaluate.gene_input("letters", SYMBOLS) != evaluate.char_ngrams(SYMBOLS)).nnz == 0


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
