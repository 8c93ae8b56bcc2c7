"""Accessibility by axe-core: fetched once by npm into the cache, never part of the project.

Colours are left to `check_book.CONTRAST`, which asks the same of every piece of text in a
fiftieth of the time.
"""

import functools
import shutil
import subprocess

from genept_utils import paths

VERSION = "4.10.3"
SERIOUS = ("serious", "critical")
EVERY = ("minor", "moderate", *SERIOUS)
# Rows like those above them are taken away: axe compares the place of every element with every
# other, and the ledger has tens of thousands of them.
RUN = """async (levels) => {
  document.querySelectorAll('table.sortable tbody tr:nth-child(n+9)').forEach((row) => row.remove());
  return (await axe.run(document, {resultTypes: ['violations'],
    preload: false, rules: {'color-contrast': {enabled: false}}})).violations
  .filter((found) => levels.includes(found.impact))
  .flatMap((found) => found.nodes.map((node) => `${found.id}: ${node.target.join(' ')}` +
    ` (${node.html.slice(0, 90)})`)); }"""


@functools.lru_cache(maxsize=None)
def source():
    """axe-core as one script.

    Raises
    ------
    FileNotFoundError
        It is not in the cache and npm is not there to get it.
    """
    folder = paths.cache() / "npm" / f"axe-core-{VERSION}"
    script = folder / "node_modules" / "axe-core" / "axe.min.js"
    if not script.is_file():
        npm = shutil.which("npm")
        if npm is None:
            raise FileNotFoundError("npm is not installed, and axe-core comes by it")
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run([npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund",
                               "--no-save", "--ignore-scripts", f"axe-core@{VERSION}"],
                              capture_output=True, text=True)
        if done.returncode:
            raise FileNotFoundError(f"npm could not install axe-core: {done.stderr.strip()[-200:]}")
    return script.read_text(encoding="utf-8")


def findings(page, levels=SERIOUS):
    """Findings of these levels on a page that is open, one line each."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(content=source())
    return page.evaluate(RUN, list(levels))
