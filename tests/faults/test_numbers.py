"""The same seed gives the same numbers; threads change nothing that is stated, and stay few."""

import fcntl
import json
import os
import subprocess
import sys

import pytest

from genept_utils import paths
MADE = """
import hashlib, json, sys, threading, time, warnings
warnings.simplefilter("ignore")
import anndata as ad, numpy as np, psutil, scipy.sparse as sp
most, done = [0], threading.Event()

def watch():
    while not done.wait(.01):
        most[0] = max(most[0], psutil.Process().num_threads())

threading.Thread(target=watch, daemon=True).start()
import genept_utils as gp
from genept_utils import cells, embed, evaluate
from genept_utils.cells import kernel
from genept_utils.chapters import cell_types, phenotypes
from threadpoolctl import threadpool_info

embedding = embed.read_embedding()
rng = np.random.default_rng(0)
counts = sp.random(600, 1500, .1, format="csr", random_state=1, dtype=np.float32)
counts.data = np.ceil(counts.data * 9)
adata = ad.AnnData(counts)
adata.var_names = embedding.obs_names[:1500]
types = np.array(list("abcd"))[rng.integers(0, 4, 600)]
kernel._spent = kernel.LOADING  # as after a large set: the compiled kernel and its threads
gp.genept_w(adata, embedding)
gp.genept_w(adata, embedding, whitened=True, key="w")
cells.pca(adata, 10)
X = adata.obsm["X_genept_w"]
part = slice(0, 150)
made = {
    "genept_w": X, "whitened": adata.obsm["w"], "pca": adata.obsm["X_pca"],
    "tfidf": embed.embed([f"gene {i % 7} of {i % 5} kinds" for i in range(60)], "tfidf", seed=3),
    "wordllama": embed.embed(["a gene", "another gene of the kind"], "wordllama"),
    "clustering": evaluate.clustering(X, types, seeds=2).to_numpy(),
    "typing": cell_types.cell_typing(X[part], types[part])["f1_macro"].to_numpy(),
    "forest": evaluate.cv_scores(X[part], types[part], "rf", 2, 1, scoring="accuracy")[
        "accuracy"].to_numpy(),
    "network": phenotypes.fit(X[part], types[part], max_iter=5).predict_proba(X[part]),
    "permuted": embed.permuted(embedding[:2000].copy(), 5).X[:50],
}
done.set()
np.savez(sys.argv[1], **made)
print(json.dumps({"threads": most[0], "pools": [pool["num_threads"] for pool in threadpool_info()],
                  "hashes": {name: hashlib.sha256(np.ascontiguousarray(value).tobytes())
                             .hexdigest() for name, value in made.items()}}))
"""
TOLERANCE = {  # largest absolute difference between one and two threads
    "genept_w": 1e-6, "whitened": 1e-5, "pca": 1e-3, "tfidf": 1e-5, "wordllama": 1e-6,
    "clustering": 1e-9, "typing": 1e-9, "forest": 1e-9, "network": 1e-5, "permuted": 0,
}


def made(folder, name, threads):
    """Numbers of a process of its own: (what it printed, its arrays)."""
    import numpy as np

    said = folder / f"{name}.json"
    with open(folder / f"{name}.lock", "w") as lock:  # the tests may run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.is_file():
            said.write_text(_printed(folder / f"{name}.npz", threads))
    with np.load(folder / f"{name}.npz", allow_pickle=False) as arrays:
        return json.loads(said.read_text()), {key: arrays[key] for key in arrays}


def _printed(file, threads):
    env = {**os.environ, "PYTHONPATH": str(paths.PACKAGE.parent), "GENEPT_OFFLINE": "1",
           **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS",
                            "NUMBA_NUM_THREADS"), str(threads))}
    done = subprocess.run([sys.executable, "-c", MADE, file], env=env, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    worker, top = os.environ.get("PYTEST_XDIST_WORKER", ""), tmp_path_factory.getbasetemp()
    folder = (top.parent if worker else top) / "numbers"
    folder.mkdir(exist_ok=True)
    asked = [("one", 1), ("again", 1), ("two", 2)]
    if worker.endswith("1"):  # the other begins at the other end
        asked.reverse()
    return {name: made(folder, name, threads) for name, threads in asked}


@pytest.mark.parametrize("name", TOLERANCE)
def test_the_same_seed_gives_the_same_bits(runs, name):
    assert runs["one"][0]["hashes"][name] == runs["again"][0]["hashes"][name]


@pytest.mark.parametrize("name", TOLERANCE)
def test_threads_change_nothing_beyond_the_stated_tolerance(runs, name):
    import numpy as np

    one, two = (abs(runs[which][1][name]) if name == "pca" else runs[which][1][name]
                for which in ("one", "two"))  # the sign of a component is free
    np.testing.assert_allclose(one, two, atol=TOLERANCE[name], rtol=0)


@pytest.mark.parametrize("name, threads", [("one", 1), ("two", 2)])
def test_no_more_threads_than_asked_for(runs, name, threads):
    """Each pool holds at most what the environment says; all of them together stay a handful."""
    said = runs[name][0]
    assert said["pools"] and max(said["pools"]) <= threads
    assert said["threads"] <= 6 + 6 * threads, said
