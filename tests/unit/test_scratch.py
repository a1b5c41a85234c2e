"""Where intermediate files go, on a real file system that is too small."""

import subprocess
from pathlib import Path

import pytest
from disks import fill_disk, mount_small_disk

from iota2_tools.core.errors import OutputError
from iota2_tools.core.scratch import scratch


@pytest.fixture
def small_tmpdir(tmp_path, monkeypatch):
    """TMPDIR on a file system of its own, of 1 MB."""
    folder = tmp_path / "tmp"
    mount_small_disk(folder, "1m")
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_files_go_to_the_disk_of_the_node_and_are_removed(small_tmpdir, tmp_path):
    with scratch(0.5, str(tmp_path / "product")) as folder:
        assert Path(folder).parent == small_tmpdir
    assert list(small_tmpdir.iterdir()) == []


def test_too_small_a_disk_is_told_and_files_go_beside_the_product(small_tmpdir, tmp_path, caplog):
    with scratch(2, str(tmp_path / "product")) as folder:
        assert Path(folder).parent == tmp_path
        # As `raster` names what it removes when the product is made again.
        assert Path(folder).match(".part-*-product")
    assert "has 1 MB free, 2 are needed: intermediate files go to" in caplog.text
    assert not Path(folder).exists()


def test_a_disk_full_to_the_last_byte_is_told_too(small_tmpdir, tmp_path, caplog):
    fill_disk(small_tmpdir)
    with scratch(0.5, str(tmp_path / "product")) as folder:
        assert Path(folder).parent == tmp_path
    assert f"{small_tmpdir} has 0 MB free" in caplog.text


def test_a_tmpdir_that_is_not_there_is_told(monkeypatch, tmp_path, caplog):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "absent"))
    with scratch(0.5, str(tmp_path / "product")) as folder:
        assert not Path(folder).is_relative_to(tmp_path)
    assert f"TMPDIR is {tmp_path / 'absent'}, where nothing can be written" in caplog.text


def test_no_room_in_either_place_is_a_sentence(small_tmpdir, tmp_path):
    (tmp_path / "file").touch()
    told = r"file: cannot be written \((File exists|Not a directory)"
    with pytest.raises(OutputError, match=told), scratch(2, str(tmp_path / "file" / "product")):
        pass


def test_without_any_temporary_folder_there_is_a_sentence(monkeypatch, tmp_path):
    def nowhere() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found in ['/tmp']")

    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr("tempfile.gettempdir", nowhere)
    told = "a folder for intermediate files: cannot be written"
    with pytest.raises(OutputError, match=told), scratch(2, str(tmp_path / "product")):
        pass
