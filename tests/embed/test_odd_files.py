"""Vectors in files as people write them: the dimensions alone, or one sentence."""

import pickle

import anndata as ad
import numpy as np
import pandas as pd
import pytest

from genept_utils import embed
from genept_utils.embed import readers

GENES = ["TP53", "CD3E", "CD4", "MS4A1", "NKG7", "LYZ", "GNLY", "FCN1"]
V = np.random.default_rng(0).standard_normal((8, 6)).astype("f4")


def frame(**columns):
    table = pd.DataFrame(V.copy(), columns=[f"d{i}" for i in range(6)])
    table.insert(0, "gene", GENES)
    for at, (name, values) in enumerate(columns.items(), 1):
        table.insert(at, name, values)
    return table


@pytest.mark.parametrize("name, values", [
    ("token_id", np.arange(8) * 700), ("n_cells", [3, 900, 12, 7, 1, 4, 88, 2]),
    ("Unnamed: 0", range(8)), ("start", [7661779, 118304730, 6789528, 60455846, 51368000,
                                          69348341, 85685000, 134900000]),
    ("is_tf", [1, 0, 0, 0, 0, 0, 0, 0]), ("mean", np.linspace(9e3, 9e5, 8) + .5)])
@pytest.mark.parametrize("ending", [".csv", ".tsv", ".parquet", ".h5ad"])
def test_columns_beside_the_vectors_are_named_and_left_out(tmp_path, name, values, ending):
    path, table = tmp_path / f"v{ending}", frame(**{name: values})
    if ending == ".parquet":
        table.to_parquet(path)
    elif ending == ".h5ad":
        numbers = table.drop(columns="gene").set_index(pd.Index(GENES)).astype(float)
        ad.AnnData(numbers).write_h5ad(path)
    else:
        table.to_csv(path, index=False, sep="\t" if ending == ".tsv" else ",")
    with pytest.warns(UserWarning, match=f"1 of 7 columns.*{name}"):
        keys, vectors = readers.read(path)
    assert list(keys) == GENES and np.allclose(vectors, V)


def test_whole_numbers_throughout_are_vectors(tmp_path):
    codes = np.rint(V * 40)
    pd.DataFrame(codes, GENES).to_csv(tmp_path / "int8.csv")
    assert np.array_equal(readers.read(tmp_path / "int8.csv")[1], codes)


@pytest.mark.parametrize("write", [
    lambda p, t: t.set_index("gene").rename_axis(None).to_csv(p, sep=" ", quoting=2),
    lambda p, t: p.write_text("\n".join(
        [" ".join(f'"{c}"' for c in t.columns[1:])]
        + [" ".join([f'"{row[0]}"', *map(str, row[1:])]) for row in t.itertuples(index=False)])),
    lambda p, t: t.to_csv(p, sep="\t", index=False),
    lambda p, t: t.to_csv(p, index=False, encoding="utf-16"),
    lambda p, t: t.to_csv(p, index=False, encoding="utf-8-sig"),
    lambda p, t: t.to_csv(p, index=False, sep=";", decimal=","),
], ids=["quotes", "R's write.table", "tab in .csv", "UTF-16", "UTF-8 mark", "semicolons"])
@pytest.mark.parametrize("ending", [".csv", ".txt", ".tsv"])
def test_tables_as_others_write_them(tmp_path, write, ending):
    path = tmp_path / f"v{ending}"
    write(path, frame())
    keys, vectors = readers.read(path)
    assert list(keys) == GENES and np.allclose(vectors, V, atol=1e-6)


def test_a_vector_of_zeros_is_none(tmp_path):
    table = frame()
    table.iloc[2, 1:] = 0.0
    table.to_csv(tmp_path / "v.csv", index=False)
    with pytest.warns(UserWarning, match="1 of 8 genes .*CD4.* zeros"):
        embedding = embed.read_embedding(str(tmp_path / "v.csv"))
    assert embed.align(embedding, GENES)[0].tolist().count(-1) == 1


def test_a_gene_without_a_text_has_no_vector():
    made = embed.vectors.as_embedding(np.vstack([V[:7], np.zeros(6)]), pd.DataFrame(index=GENES))
    rows, matched = embed.align(made, GENES, counts=np.ones(8))
    assert rows.tolist() == [*range(7), -1] and matched.count_fraction == 7 / 8


def test_vectors_of_tokens_are_refused(tmp_path):
    path = tmp_path / "t.pkl"
    path.write_bytes(pickle.dumps({gene: np.ones((3, 6)) for gene in GENES}))
    with pytest.raises(ValueError, match="3 x 6 numbers, as of several tokens"):
        readers.read(path)


def test_vectors_in_obsm(tmp_path):
    empty = ad.AnnData(np.zeros((8, 3), "f4"), obs=pd.DataFrame(index=GENES), obsm={"X_gene": V})
    empty.write_h5ad(tmp_path / "one.h5ad")
    assert np.array_equal(readers.read(tmp_path / "one.h5ad")[1], V)
    empty.obsm["X_other"] = V
    empty.write_h5ad(tmp_path / "two.h5ad")
    with pytest.raises(ValueError, match="X_gene, X_other: put one of them into X"):
        readers.read(tmp_path / "two.h5ad")


def test_an_old_var_keeps_no_vectors_out(tmp_path):
    import h5py

    ad.AnnData(V, obs=pd.DataFrame(index=GENES)).write_h5ad(tmp_path / "old.h5ad")
    with h5py.File(tmp_path / "old.h5ad", "r+") as file:
        for name in list(file["var"].attrs):
            if name.startswith("encoding"):
                del file["var"].attrs[name]
    assert np.array_equal(readers.read(tmp_path / "old.h5ad")[1], V)
