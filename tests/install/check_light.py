"""The module alone: what `pip install genept-utils` brings, measured in an environment of its own.

Builds the wheel, installs it without any extra into a fresh environment, runs `gp.genept_w` on
a file there, and asks for what is not installed. Prints size and time; exits with 1 where the
size passes the limit or something does not answer as promised.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 670  # MB, 33 of them the two shipped embeddings
WORKS = """
import anndata as ad, numpy as np, scipy.sparse as sp, genept_utils as gp
embedding = gp.read_embedding()
counts = sp.random(200, 900, .2, format="csr", random_state=0, dtype="float32")
counts.data = np.ceil(counts.data * 9)
adata = ad.AnnData(counts)
adata.var_names = embedding.obs_names[:900]
adata.write_h5ad("cells.h5ad")
gp.genept_w(adata, embedding)
gp.genept_w(adata, embedding, hvg=100)
assert adata.obsm["X_genept_w"].shape == (200, 384)
"""
LARGEST = """
from importlib.metadata import distributions
sizes = {one.name: sum(f.locate().stat().st_size for f in one.files if f.locate().is_file()) / 1e6
         for one in distributions()}
print(", ".join(f"{name} {size:.0f}" for name, size in
                sorted(sizes.items(), key=lambda item: -item[1]) if size >= 10))
"""
MISSING = {  # what is asked for -> the extra that is named
    "import genept_utils as gp; gp.embed(['a'], 'wordllama')": "[text]",
    "import genept_utils as gp; gp.read_embedding('wordllama/summary')": "[text]",
    "import genept_utils as gp; gp.embed(['a'], 'st:all-MiniLM-L6-v2')": "[st]",
    "import genept_utils as gp; gp.embed(['a'], 'tfidf')": "[book]",
    "from genept_utils import evaluate": "[book]",
    "from genept_utils import plots": "[book]",
    "from genept_utils.__main__ import main; exit(main(['run', '07']))": "[book]",
    "from genept_utils.__main__ import main; exit(main(['check']))": "[book]",
}


def main():
    """Install, measure, ask."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    folder = Path(tempfile.mkdtemp(prefix="genept-light-"))
    try:
        return _check(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(folder):
    run = subprocess.run
    run([sys.executable, "-m", "venv", folder / "env"], check=True)
    python = folder / "env" / "bin" / "python"
    start = time.monotonic()
    run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", ROOT], check=True)
    seconds = time.monotonic() - start
    # links lead to the interpreter of the machine, which was there before
    files = [f for f in (folder / "env").rglob("*") if f.is_file() and not f.is_symlink()]
    size = sum(f.stat().st_size for f in files) / 1e6
    print(f"installed in {seconds:.0f} s, {size:.0f} MB")
    run([python, "-c", LARGEST], check=True)
    bad = [] if size < LIMIT else [f"{size:.0f} MB are more than {LIMIT}"]
    start = time.monotonic()
    done = run([python, "-c", WORKS], cwd=folder, capture_output=True, text=True)
    print(f"from a cold start to the cells' vectors: {time.monotonic() - start:.1f} s")
    if done.returncode:
        bad.append(f"genept_w does not run: {done.stderr[-400:]}")
    for code, extra in MISSING.items():
        done = run([python, "-c", code], cwd=folder, capture_output=True, text=True)
        last = (done.stderr.strip().splitlines() or ["nothing was said"])[-1]
        if not done.returncode or extra not in last:
            bad.append(f"{code!r} should name {extra}: {last}")
    print("\n".join(bad) if bad else f"genept_w runs; {len(MISSING)} things that are not "
          "installed name their extra")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
