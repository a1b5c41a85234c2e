"""What is said of a file that could not be made whole: the truth about which file, and why."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from disks import full_disk
from osgeo import gdal

from iota2_tools.core.errors import (
    InputDataError,
    Iota2Error,
    MissingSoftwareError,
    OutputError,
    unopened,
)
from iota2_tools.core.files import whole_file, whole_folder, writable_folder
from iota2_tools.geo.grid import Grid, grid_of
from iota2_tools.geo.raster import create_raster, gdal_error, gdal_failures_raise, open_raster

WHOLE = (whole_file, whole_folder)


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("kind", [FileNotFoundError, PermissionError, IsADirectoryError])
def test_an_error_about_another_file_keeps_its_words(tmp_path, whole, kind):
    error = kind(errno.ENOENT, "its own words", str(tmp_path / "input.csv"))
    with pytest.raises(kind) as caught, whole(str(tmp_path / "out")):
        raise error
    assert caught.value is error
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("whole", WHOLE)
def test_an_input_that_is_gone_is_not_called_a_full_disk(tmp_path, whole):
    with pytest.raises(FileNotFoundError, match=r"gone\.csv"), whole(str(tmp_path / "out")):
        (tmp_path / "gone.csv").read_text()


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("number", [errno.ECONNRESET, errno.EIO, errno.EPIPE, errno.EMFILE])
def test_an_error_that_may_be_of_reading_is_not_blamed_on_the_output(tmp_path, whole, number):
    with pytest.raises(OSError, match=os.strerror(number)), whole(str(tmp_path / "out")):
        raise OSError(number, os.strerror(number))


def test_an_error_about_an_open_file_without_name_keeps_its_words(tmp_path):
    with pytest.raises(OSError, match="Bad file descriptor"), whole_file(str(tmp_path / "out")):
        open(987654)  # noqa: SIM115


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS])
def test_errors_that_only_writing_has_are_told_of_the_output(tmp_path, whole, number):
    told = rf"out: cannot be written \({os.strerror(number)}\)"
    with pytest.raises(OutputError, match=told), whole(str(tmp_path / "out")):
        raise OSError(number, os.strerror(number))


def test_a_full_disk_of_intermediate_files_is_told_by_their_name(tmp_path):
    told = r"^/scratch/a\.tif: cannot be written \(No space left"
    with pytest.raises(OutputError, match=told), whole_file(str(tmp_path / "out")):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/scratch/a.tif")


def test_a_folder_that_may_not_be_written_to_is_told(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/out: cannot be written \(Not a directory\)"):
        writable_folder(tmp_path / "file" / "out")
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(OutputError, match=r"out: cannot be written \(Permission denied\)"):
        writable_folder(tmp_path / "out")


@pytest.mark.parametrize("whole", WHOLE)
def test_an_error_about_the_file_being_made_is_told_of_it(tmp_path, whole):
    told = r"out: cannot be written \(Permission denied\)"
    for place in ("{0}", "{0}/inside.csv", str(tmp_path), str(tmp_path / "out")):
        with pytest.raises(OutputError, match=told), whole(str(tmp_path / "out")) as temporary:
            raise PermissionError(errno.EACCES, "Permission denied", place.format(temporary))


def test_a_message_that_names_the_file_being_made_is_told_of_it(tmp_path):
    """pyarrow tells the file in its message alone."""
    path = str(tmp_path / "out")
    with pytest.raises(OutputError, match="cannot be written"), whole_file(path) as temporary:
        raise OSError(f"Failed to open local file '{temporary}'")


@pytest.mark.parametrize("whole", WHOLE)
def test_what_stood_before_stays_until_the_new_one_is_whole(tmp_path, whole):
    target = tmp_path / "out"

    def fail(temporary: str) -> None:
        place = Path(temporary) / "half" if whole is whole_folder else Path(temporary)
        place.write_text("half")
        raise KeyError

    target.mkdir() if whole is whole_folder else target.write_text("before")
    with pytest.raises(KeyError), whole(str(target)) as temporary:
        fail(temporary)
    assert list(tmp_path.iterdir()) == [target]
    assert target.is_dir() or target.read_text() == "before"


def test_a_file_is_there_once_the_block_has_ended(tmp_path):
    with whole_file(str(tmp_path / "new" / "a.txt")) as temporary:
        Path(temporary).write_text("whole")
        assert not (tmp_path / "new" / "a.txt").exists()
    assert (tmp_path / "new" / "a.txt").read_text() == "whole"


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    path = str(tmp_path / "a.txt")
    with pytest.raises(OutputError, match=r"a\.txt: nothing was written"), whole_file(path):
        pass


def test_what_a_killed_job_left_of_a_folder_is_replaced(tmp_path):
    (tmp_path / ".part-node-12-out").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    with whole_folder(str(tmp_path / "out")) as temporary:
        Path(temporary, "new").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["out", "new"]


# Messages of GDAL 3.6 and libtiff, as they came from full disks, cut files and a missing proj.db.
MESSAGES = [
    ("_tiffWriteProc:No space left on device", OutputError, "cannot be written (No space left on device)"),
    ("_tiffSeekProc:File too large", OutputError, "cannot be written"),
    ("TIFFAppendToStrip:Write error at scanline 0", OutputError, "cannot be written"),
    ("TIFFWriteDirectorySec:IO error writing directory", OutputError, "cannot be written"),
    ("Attempt to create new tiff file `a/b.tif' failed: No such file or directory", OutputError, "cannot be written"),
    ("Attempt to create new tiff file `a/b.tif' failed: Permission denied", OutputError, "cannot be written"),
    ("sqlite3_exec(COMMIT) failed: database or disk is full", OutputError, "cannot be written"),
    ("TIFFFillTile:Read error at row 1536, col 1536; got 10 bytes, expected 99", InputDataError, "cannot be read"),
    ("cut.tif, band 1: IReadBlock failed at X offset 7, Y offset 3: no data", InputDataError, "cannot be read"),
    ("/disk/written/a.tif: No such file or directory", InputDataError, "cannot be read"),
    ("`/data/a.tif' not recognized as a supported file format.", InputDataError, "cannot be read"),
    ("PROJ: proj_create_from_database: Cannot find proj.db", MissingSoftwareError, "PROJ does not know"),
    ("./frmts/mem/memdataset.cpp, 1289: cannot allocate 1x32000000000000 bytes", Iota2Error, "too little memory"),
    ("/proj/disk/a.tif: Too few points", OutputError, "cannot be made: GDAL says"),
]  # fmt: skip


@pytest.mark.parametrize(("message", "kind", "words"), MESSAGES)
def test_what_gdal_says_is_taken_for_what_it_means(message, kind, words):
    error = gdal_error("out.tif", [message])
    assert type(error) is kind
    assert str(error).startswith("out.tif: ")
    assert words in str(error)
    assert message.split("Proc:")[-1] in str(error)
    assert ("free space" in str(error)) == ("cannot be written" in words)


def test_the_first_message_that_says_why_counts():
    full, cut = "_tiffWriteProc:No space left on device", "TIFFReadEncodedTile() failed."
    assert isinstance(gdal_error("a", ["something", full, cut]), OutputError)
    assert isinstance(gdal_error("a", ["something", cut, full]), InputDataError)


def test_a_damaged_source_is_not_called_a_full_disk(tmp_path):
    whole, cut = tmp_path / "whole.tif", tmp_path / "cut.tif"
    grid = Grid("EPSG:32631", 0, 0, 10, 300, 300)
    with create_raster(str(whole), grid, "uint16") as raster:
        noise = np.random.default_rng(0).integers(0, 60_000, (300, 300), dtype=np.uint16)
        raster.write(noise, grid.window)
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    with pytest.raises(InputDataError, match="cannot be read"), gdal_failures_raise("out.tif"):
        gdal.Translate(str(tmp_path / "out.tif"), str(cut))


def test_a_full_disk_is_told_when_a_raster_is_written(tmp_path):
    with full_disk(tmp_path / "full", left=2000) as folder:
        grid = Grid("EPSG:32631", 0, 0, 10, 300, 300)
        noise = np.random.default_rng(0).integers(0, 60_000, (300, 300), dtype=np.uint16)
        # GDAL 3.10 tells of the failed writing alone.
        told = (
            r"a\.tif: cannot be written \(.*(No space left|Write error)[^)]*.*check the free space"
        )
        raster = create_raster(str(folder / "a.tif"), grid, "uint16")
        with pytest.raises(OutputError, match=told), raster as writer:
            writer.write(noise, grid.window)


def test_proj_without_definitions_is_not_called_a_full_disk(tmp_path):
    program = """
import sys
from osgeo import osr
osr.SetPROJSearchPaths([sys.argv[1]])
from iota2_tools.core.errors import Iota2Error
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import create_raster
try:
    with create_raster(sys.argv[1] + "/a.tif", Grid("EPSG:32631", 0, 0, 10, 4, 4), "uint8"):
        pass
except Iota2Error as error:
    print(type(error).__name__, error)
"""
    command = [sys.executable, "-c", program, str(tmp_path)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.startswith(f"MissingSoftwareError {tmp_path}/a.tif: cannot be made: PROJ does not")
    assert "free space" not in told


def test_an_image_that_may_not_be_opened_is_not_called_damaged():
    many = unopened("a.tif", "a.tif: Too many open files", "fetch it again")
    assert type(many) is Iota2Error
    assert "ulimit -Hn" in str(many)
    denied = unopened("a.tif", "a.tif: Permission denied", "fetch it again")
    assert "permissions" in str(denied)
    assert "fetch" not in str(many) + str(denied)
    assert "fetch" in str(unopened("a.tif", "not recognized", "fetch it again"))


@pytest.mark.parametrize("opener", [open_raster, grid_of])
def test_images_are_opened_with_these_words(tmp_path, opener):
    (tmp_path / "a.tif").touch()
    with pytest.raises(InputDataError, match=r"a\.tif: cannot be opened .*; i"):
        opener(str(tmp_path / "a.tif"))


def test_a_library_that_words_a_full_disk_in_its_own_way_is_told_in_that_of_the_system(tmp_path):
    """pyarrow: `Error writing bytes to file. Detail: [errno 28] No space left on device`."""
    told = r"a\.parquet: cannot be written \(No space left on device\)"
    with pytest.raises(OutputError, match=told), whole_file(str(tmp_path / "a.parquet")) as draft:
        raise OSError(errno.ENOSPC, "Error writing bytes to file", draft)


def test_what_another_job_makes_meanwhile_is_left_alone(tmp_path):
    """A target whose name is the end of the other's."""
    with whole_file(str(tmp_path / "Cote-d-Or.csv")) as first:
        Path(first).write_text("first")
        with whole_file(str(tmp_path / "Or.csv")) as second:
            Path(second).write_text("second")
    assert (tmp_path / "Cote-d-Or.csv").read_text() == "first"
    assert (tmp_path / "Or.csv").read_text() == "second"


@pytest.mark.parametrize("name", ["a[1].csv", "what?.csv", "all*.csv"])
def test_nothing_is_left_beside_a_name_with_signs_of_patterns(tmp_path, name):
    (tmp_path / f".part-node-a-7-{name}").write_text("of a job that was killed")

    def fail():
        with whole_file(str(tmp_path / name)) as temporary:
            Path(temporary).write_text("half")
            Path(f"{temporary}.aux.xml").write_text("half")
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert list(tmp_path.iterdir()) == []
