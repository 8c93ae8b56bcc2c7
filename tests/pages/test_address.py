"""One address: everything that names the repository is made from _config.yml."""

import re
import shutil
import subprocess

import nbformat
import pytest

from genept_utils import paths
from genept_book import address


@pytest.fixture
def checkout(tmp_path):
    """A copy of the files that name the repository."""
    for pattern in ("*.md", "*.cff", "*.yml", "*.toml", "book/*.md", "notebooks/*.ipynb"):
        for path in paths.ROOT.glob(pattern):
            target = tmp_path / path.relative_to(paths.ROOT)
            target.parent.mkdir(exist_ok=True)
            shutil.copy(path, target)
    return tmp_path


@pytest.mark.parametrize("url", ["https://github.com/some-lab/genes", "https://github.com/x/y.z/",
                                 "https://github.com/genept-book/" + "genept-book-fork"])
def test_another_address_is_written_everywhere(checkout, url):
    old, wanted = address.address(checkout), url.removesuffix("/")
    address.move(url, checkout)
    assert address.address(checkout) == wanted
    for path in filter(lambda path: path.is_file(), checkout.rglob("*")):
        left = re.findall(re.escape(old) + r"(?![\w.-]*\w)", path.read_text(encoding="utf-8"))
        assert not left, f"{path} still names {old}"
    address.move(old, checkout)
    for path in filter(lambda path: path.is_file(), checkout.rglob("*")):
        assert path.read_text(encoding="utf-8") == (
            paths.ROOT / path.relative_to(checkout)).read_text(encoding="utf-8"), path


@pytest.mark.parametrize("url", ["github.com/a/b", "https://example.org/a/b", "a b", "",
                                 "https://github.com/only-owner"])
def test_what_is_no_address_is_refused(checkout, url):
    with pytest.raises(ValueError, match="OWNER/NAME"):
        address.move(url, checkout)


def test_every_chapter_has_the_colab_cell_of_the_address():
    cells = [cell for path in sorted(paths.NOTEBOOKS.glob("*.ipynb"))
             for cell in nbformat.read(path, as_version=4).cells if "google.colab" in cell.source]
    assert len(cells) == len(list(paths.NOTEBOOKS.glob("*.ipynb")))
    assert {cell.source for cell in cells} == {cells[0].source}
    assert f'address = "{address.address()}"' in cells[0].source
    assert f'book = "/content/{address.address().rsplit("/", 1)[1]}"' in cells[0].source
    assert all("remove-cell" in cell.metadata["tags"] for cell in cells)


def test_no_other_file_names_an_address():
    """Every tracked file that holds it is one that `move` writes."""
    git = subprocess.run(["git", "grep", "-l", address.address()], cwd=paths.ROOT,
                         capture_output=True, text=True)
    if git.returncode:
        pytest.skip("no git checkout")
    for name in git.stdout.split():
        assert re.fullmatch(r"_config\.yml|[^/]+\.(md|cff|toml)|book/[^/]+\.md|"
                            r"notebooks/[^/]+\.ipynb", name), f"{name} names the address"
