"""Write the hashes of every artefact that pip may take into requirements.lock.

`python tests/install/pin.py` reads the pins (NAME==VERSION) of requirements.lock, asks the
package index for the SHA-256 of all files of each version (all platforms and Pythons), and
writes them back; environment.yml gets the same pins without hashes, since conda's pip section
also installs the module itself, which has none. Needs `uv`, which it installs into a folder of
its own.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIN = re.compile(r"^([A-Za-z0-9_.-]+(?:\[[\w,-]+\])?==[^\s\\;]+)", re.MULTILINE)


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
            [tools / "uv", "pip", "compile", given, "--generate-hashes", "--no-deps",
             "--no-header", "--no-annotate", "--universal", "--python-version", "3.11",
             "-q"], check=True, capture_output=True, text=True)
    lock.write_text(done.stdout, encoding="utf-8")
    pins = PIN.findall(done.stdout)  # names as the index writes them
    head, rest = conda.read_text(encoding="utf-8").split("  - pip:\n")
    tail = rest[rest.index("variables:"):]
    rows = "".join(f"      - {pin}\n" for pin in [*pins, "-e ."])
    conda.write_text(f"{head}  - pip:\n{rows}{tail}", encoding="utf-8")
    print(f"{len(pins)} pins, {done.stdout.count('--hash=')} hashes")


if __name__ == "__main__":
    main()
