"""The Colab cell in an environment that has only what Colab would not miss, twice in a row.

A fresh environment gets what Colab's image brings (numpy, pandas, IPython and so on, in the
locked versions). The cell of chapter 12 then runs as it stands, except that git finds the
repository here and `/content` is a folder of this check: twice in one session, once in a new
one; afterwards the whole chapter runs in that environment. numpy must be what it was.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parents[2]
BRINGS = ["numpy", "pandas", "scipy", "scikit-learn", "matplotlib", "seaborn", "ipython",
          "ipykernel", "requests", "tqdm", "h5py", "numba"]
SESSION = """
import os, sys, types, json
import numpy
sys.modules["google"] = types.ModuleType("google")
sys.modules["google.colab"] = types.ModuleType("google.colab")
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for source in json.loads(sys.stdin.read()):
    shell.run_cell(source).raise_error()
    print("after the cell:", os.getcwd())
import genept_utils
print("module:", genept_utils.__file__)
print("numpy:", numpy.__version__)
"""


def main():
    """Install what Colab brings, run the cell, run the chapter; 1 where something is wrong."""
    folder = Path(tempfile.mkdtemp(prefix="genept-colab-"))
    try:
        return _check(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _check(folder):
    python = folder / "env" / "bin" / "python"
    locked = [line.strip() for line in (ROOT / "requirements.lock").read_text().splitlines()
              if line.split("==")[0].strip() in BRINGS]
    names = [line.split(" ")[0] for line in locked]
    subprocess.run([sys.executable, "-m", "venv", folder / "env"], check=True)
    subprocess.run([python, "-m", "pip", "install", "-qq", "--disable-pip-version-check", *names],
                   check=True)
    notebook = nbformat.read(ROOT / "notebooks" / "12-what-the-text-adds.ipynb", as_version=4)
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    first = next(source for source in code if "google.colab" in source)
    address = first.split('address = "')[1].split('"')[0]
    first = first.replace("/content", str(folder / "content"))
    (folder / "content").mkdir()
    env = {**os.environ, "GIT_CONFIG_COUNT": "2", "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
           "GIT_CONFIG_VALUE_0": address, "GIT_CONFIG_KEY_1": "safe.directory",
           "GIT_CONFIG_VALUE_1": "*", "PATH": f"{folder / 'env' / 'bin'}:{os.environ['PATH']}",
           "MPLBACKEND": "agg", "GENEPT_RESULTS": str(folder / "results")}
    for name in ("PYTHONPATH", "GENEPT_MIRROR", "GENEPT_CACHE"):
        env.pop(name, None)
    shutil.copytree(ROOT / "data" / "results", folder / "results")
    before = subprocess.run([python, "-c", "import numpy; print(numpy.__version__)"], text=True,
                            capture_output=True, check=True).stdout.strip()
    bad = []
    rest = [source for source in code if "google.colab" not in source]
    for title, sources in (("the cell twice", [first, first]), ("a new session", [first]),
                           ("the chapter", [first, *rest])):
        done = subprocess.run([python, "-c", SESSION], cwd=folder / "content", env=env, text=True,
                              input=json.dumps(sources), capture_output=True)
        said = done.stdout
        where = f"after the cell: {folder}/content/genept-book/notebooks"
        ok = (done.returncode == 0 and said.count(where) == len(sources)
              and f"module: {folder}/env" in said and f"numpy: {before}" in said)
        print(f"{title}: {'right' if ok else 'WRONG'}")
        if not ok:
            bad.append(f"{title}: {said[-1500:]}\n{done.stderr[-1500:]}")
    print("\n".join(bad) or "the Colab cell may be run again and after a restart")
    return int(bool(bad))


if __name__ == "__main__":
    sys.exit(main())
