"""Properties that hold for any input: promised exceptions only, nothing ambiguous resolved
silently, and what is written is what is read."""

import re
import string
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genept_utils import embed, genes, paths, pickles
from genept_utils.embed import api, readers

settings.register_profile("book", max_examples=60, deadline=None, derandomize=True,
                          suppress_health_check=list(HealthCheck))
settings.load_profile("book")
PROMISED = (ValueError, FileNotFoundError, pickles.UnsafePickle)
KNOWN = ["TP53", "tp53", "ENSG00000141510", "ENSG00000141510.18", "7157", "HGNC:11998", "MARCH1",
         "1-Mar", "SAP", "CAP", "AIP1", "p40", "p38", "HLA.A", "TP53-1", "GRCh38_TP53", "SEPT2",
         "nan", "NA", "", "p53", "CD4 "]  # some are names of several genes
names = st.one_of(st.sampled_from(KNOWN), st.text(max_size=12),
                  st.integers(0, 10**7).map(str), st.none(), st.just(float("nan")),
                  st.floats(allow_nan=True).map(str))


@pytest.fixture(scope="module", autouse=True)
def lookup():
    if not (paths.EMBEDDINGS / "minilm.h5ad").is_file():
        pytest.skip("neither HGNC's file nor the shipped embedding is here")
    return genes.match(["TP53"])


@given(st.lists(names, max_size=30))
def test_match_takes_any_names(given_names):
    try:
        found = genes.match(given_names)
    except ValueError as error:
        assert "row numbers" in str(error) or "numbers" in str(error)
        return
    table = found.table
    assert len(table) == len(given_names)
    assert table["match_type"].isin(genes.MATCH_TYPES).all()
    none = table["match_type"].isin(["ambiguous", "missing", "not a gene"])
    assert (table.loc[none, "symbol"] == "").all() and (table.loc[~none, "symbol"] != "").all()
    several = table["candidates"].str.contains("|", regex=False)
    assert (table.loc[several, "symbol"] == "").all()  # never resolved silently
    assert (table["match_type"] == "ambiguous").eq(table["candidates"] != "").all()


def test_no_name_of_two_genes_is_resolved(source):
    """Counted from HGNC's own columns: aliases that two genes have and that are nothing else."""
    source(genes.HGNC)
    table = genes.hgnc()
    aliases = table["alias_symbol"].str.split("|").explode()
    other = {*table.index, *table["prev_symbol"].str.split("|").explode()}
    shared = aliases[aliases.duplicated(keep=False)].drop_duplicates()
    shared = shared[~shared.isin(other)].tolist()
    found = genes.match(shared).table
    assert len(shared) > 500
    assert (found["match_type"] == "ambiguous").mean() > .97  # the rest are numbers or ids of other kinds
    assert (found.loc[found["match_type"] != "ambiguous", "symbol"] == "").all()


@given(st.lists(st.sampled_from(KNOWN[:4] + KNOWN[5:]), min_size=1, max_size=12), st.randoms())
def test_match_does_not_depend_on_order(given_names, random):
    mixed = list(given_names)
    random.shuffle(mixed)
    one = genes.match(given_names).table.set_index("name")["symbol"]
    two = genes.match(mixed).table.set_index("name")["symbol"]
    for name in set(one.index):
        assert set(one.loc[[name]]) == set(two.loc[[name]])


@given(st.integers(0, 40_000), st.sampled_from([str.lower, str.title, lambda s: f" {s} "]))
def test_an_approved_symbol_is_found_however_it_is_written(row, write):
    symbol = EMBEDDING_KEYS[row % len(EMBEDDING_KEYS)]
    found = genes.match([write(symbol)]).table.iloc[0]
    assert found["symbol"] == symbol or symbol in found["candidates"].split("|") or (
        found["match_type"] not in ("missing",))  # written so, it may be the name of another gene


EMBEDDING_KEYS = embed.read_embedding().obs_names


pieces = st.lists(st.one_of(st.text(max_size=40), st.sampled_from([
    "http://a.b/c?d", "See https://x.org.", "[provided by RefSeq, Jul 2008].", "[provided by OMIM]",
    "Jul 2008", "(May 2012)", "  ", "a gene of 2008 cells"])), max_size=9).map(" ".join)


@given(pieces)
def test_cleaning_a_text_twice_changes_nothing_more(text):
    once = embed.clean(text)
    assert embed.clean(once) == once and "  " not in once
    assert "http://" not in once and "https://" not in once and "provided by RefSeq" not in once
    module = sys.modules[embed.clean.__module__]
    for pattern in (module._LINK, module._PROVIDED, module._DATE):  # without a look ahead
        text = pattern.sub(" ", text)
    assert once == " ".join(text.split())


@given(st.lists(st.one_of(st.text(max_size=40), st.sampled_from(
    ["<think>", "</think>", "<Reasoning>", "</REASONING>", "thought < 3"])), max_size=7))
def test_what_is_said_holds_no_thought(parts):
    said = api.spoken("".join(parts))
    assert not re.search("</?(think|reasoning)>", said.lower())
    assert api.spoken(said) == said


# No vector of zeros and no column of ids: those are left out, see tests/embed/test_odd_files.py.
fractions = st.floats(.125, .875, width=32).map(lambda value: value - 1 if value > .5 else value)
tables = st.integers(1, 6).flatmap(lambda d: st.dictionaries(
    st.text(string.ascii_uppercase + string.digits + "-", min_size=1, max_size=8).filter(
        lambda key: key[0].isalpha()),
    st.lists(fractions, min_size=d, max_size=d), min_size=2, max_size=8))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".npz", ".txt", ".csv.gz"])
def test_vectors_written_are_vectors_read(tmp_path, ending):
    @given(tables)
    def check(table):
        keys, vectors = list(table), np.array(list(table.values()), dtype=np.float32)
        path = tmp_path / f"vectors{ending}"
        frame = pd.DataFrame(vectors, index=keys)
        if ending == ".npz":
            np.savez(path, names=np.array(keys), vectors=vectors)
        elif ending == ".parquet":
            frame.rename(columns=str).to_parquet(path)
        elif ending == ".txt":
            lines = [" ".join([key, *map(repr, map(float, row))])
                     for key, row in zip(keys, vectors)]
            path.write_text(f"{len(keys)} {vectors.shape[1]}\n" + "\n".join(lines) + "\n")
        else:
            frame.to_csv(path, sep="\t" if ".tsv" in ending else ",")
        found, read = readers.read(path)
        assert list(found) == keys
        np.testing.assert_allclose(read, vectors, rtol=1e-6)

    check()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("ending", sorted(readers.READERS))
def test_a_file_of_anything_is_refused_by_a_promised_exception(tmp_path, ending):
    @given(st.binary(max_size=400))
    def check(content):
        path = tmp_path / f"broken{ending}"
        path.write_bytes(content)
        try:
            keys, vectors = readers.read(path)
        except PROMISED as error:
            assert path.name in str(error) and "\n" not in str(error)
        else:
            assert len(keys) == len(vectors) and np.isfinite(vectors).all()

    check()
