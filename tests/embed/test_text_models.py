"""Text models that packages bring in parts."""

import hashlib
import io
import zipfile

import pytest

from genept_utils import paths, sources
from genept_utils.embed import text_models

NAME, WEIGHTS = "tiny-model", b"weights" * 1000


@pytest.fixture
def parts(tmp_path, monkeypatch):
    """Makes the files of a model's zip in three parts, as their packages bring them."""
    def make(members, weights=WEIGHTS):
        whole = io.BytesIO()
        with zipfile.ZipFile(whole, "w") as archive:
            for name, content in members.items():
                archive.writestr(f"{NAME}/{name}", content)
        content = whole.getvalue()
        third = len(content) // 3 + 1
        files = {}
        for number in range(3):
            file = tmp_path / f"part{number}"
            file.write_bytes(content[third * number:third * (number + 1)])
            files[f"models/{NAME}.zip.{number:03}"] = file
        monkeypatch.setattr(sources, "registry", lambda: sources.pd.DataFrame(index=list(files)))
        monkeypatch.setattr(sources, "fetch", files.__getitem__)
        monkeypatch.setattr(paths, "cache", lambda: tmp_path / "cache")
        monkeypatch.setitem(text_models.IN_PARTS, NAME, hashlib.sha256(weights).hexdigest())
    return make


def members(**more):
    return {**{name: b"{}" for name in text_models.FILES}, text_models.WEIGHTS: WEIGHTS, **more}


def kept(tmp_path):
    return sorted(str(path.relative_to(tmp_path / "cache" / "models"))
                  for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_parts_become_the_folder_of_a_model(parts, tmp_path):
    parts(members(**{"../../climbs": b"x", "code.py": b"x"}))
    folder = text_models.folder(NAME)
    assert kept(tmp_path) == sorted(f"{NAME}/{name}" for name in text_models.FILES)
    assert (paths.Path(folder) / text_models.WEIGHTS).read_bytes() == WEIGHTS
    assert text_models.folder(NAME) == folder


@pytest.mark.parametrize("given, weights, said", [
    ({text_models.WEIGHTS: b"other"}, WEIGHTS, "other weights than registered"),
    ({"vocab.txt": None}, WEIGHTS, "not its zip: .*vocab.txt"),
])
def test_other_parts_are_refused_and_nothing_is_kept(parts, tmp_path, given, weights, said):
    given = {name: content for name, content in members(**given).items() if content is not None}
    parts(given, weights)
    with pytest.raises(OSError, match=said):
        text_models.folder(NAME)
    assert kept(tmp_path) == []


def test_a_damaged_zip_is_refused(parts, tmp_path, monkeypatch):
    parts(members())
    monkeypatch.setattr(sources, "fetch", lambda key: tmp_path / "part0")
    with pytest.raises(OSError, match="are not its zip"):
        text_models.folder(NAME)


def test_other_models_go_by_their_name():
    assert text_models.folder("some/model") == "some/model"
    assert "all-mpnet-base-v2" in text_models.IN_PARTS
    registered = [key for key in sources.registry().index if key.startswith("models/all-mpnet")]
    assert len(registered) == 5
