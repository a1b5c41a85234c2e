"""Content that changed under its name is seen; a new date alone is not."""

import os
import shutil

import pytest

from iota2_tools.core import contents
from iota2_tools.core.contents import digest, read_record, revision, write_record


@pytest.fixture
def files(tmp_path):
    paths = [tmp_path / name for name in ("B4.tif", "CLM.tif")]
    for path in paths:
        path.write_bytes(b"pixels of " + path.name.encode())
    return [str(path) for path in paths]


@pytest.fixture
def record(tmp_path, files):
    path = str(tmp_path / "inventory.record")
    write_record(path, files, 3)
    return path


def test_files_left_alone_keep_their_revision(record):
    assert revision(record) == 3


def test_without_a_record_the_revision_is_nought(tmp_path):
    assert revision(str(tmp_path / "none")) == 0


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"revision": 1}', '{"revision": 1, "files": {"a": 3}}']
)
def test_a_damaged_record_counts_as_none(tmp_path, text):
    path = tmp_path / "record"
    path.write_text(text)
    assert revision(path) == 0


def test_a_mended_file_of_the_same_size_and_date_of_another_day_is_seen(record, files):
    with open(files[1], "r+b") as file:
        file.write(b"P")
    assert revision(record) == 4
    assert revision(record) == 4  # until the job has run
    write_record(record, files, 4)
    assert revision(record) == 4


def test_an_older_date_is_seen_as_well(record, files):
    with open(files[0], "r+b") as file:
        file.write(b"P")
    os.utime(files[0], (1e9, 1e9))
    assert revision(record) == 4


def test_touched_and_copied_files_change_nothing(record, files):
    os.utime(files[0])
    shutil.copy(files[1], files[1] + "2")
    os.replace(files[1] + "2", files[1])
    assert revision(record) == 3


def test_touched_files_are_read_once(record, files, monkeypatch):
    os.utime(files[0], (1e9, 1e9))
    assert revision(record) == 3
    monkeypatch.setattr(contents, "digest", lambda _: pytest.fail("read again"))
    assert revision(record) == 3


def test_a_record_that_cannot_be_renewed_does_not_matter(record, files, monkeypatch):
    def full(*_):
        raise contents.OutputError("no space")

    os.utime(files[0])
    monkeypatch.setattr(contents, "_write", full)
    assert revision(record) == 3


def test_a_lost_file_and_one_that_came_back_are_seen(tmp_path, record, files):
    os.rename(files[0], files[0] + ".away")
    assert revision(record) == 4
    write_record(record, files, 4)
    assert read_record(record).files[files[0]] is None
    assert revision(record) == 4
    os.rename(files[0] + ".away", files[0])
    assert revision(record) == 5


def test_files_of_any_size_are_told_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "WHOLE_MB", 0)
    monkeypatch.setattr(contents, "END", 100)
    monkeypatch.setattr(contents, "PART", 10)
    path = tmp_path / "large.tif"
    content = bytearray(range(256)) * 64  # parts of 10 bytes begin each 256 bytes
    path.write_bytes(content)
    whole = digest(path)
    for place in (0, 99, 256 * 10 + 3, len(content) - 1, len(content) - 100):
        other = bytearray(content)
        other[place] ^= 1
        path.write_bytes(other)
        assert digest(path) != whole, place
    path.write_bytes(content + b"x")
    assert digest(path) != whole


def test_a_small_file_is_read_to_its_last_byte(tmp_path, monkeypatch):
    monkeypatch.setattr(contents, "END", 4)
    path = tmp_path / "small"
    path.write_bytes(b"0123456789")
    whole = digest(path)
    path.write_bytes(b"0123456788")
    assert digest(path) != whole
