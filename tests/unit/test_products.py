"""Identity of products, and what lies in the folder of a tile."""

from datetime import date

import pytest
from tiny import name_of

from iota2_tools.products import FORMATS, same_tile

THEIA = FORMATS["sentinel2"]


def make(folder, *names):
    for name in names:
        (folder / name).mkdir(parents=True)


def test_a_name_tells_tile_time_platform_and_version():
    found = THEIA.recognise("SENTINEL2B_20180210-105158-461_L2A_T31TCJ_D_V10-2")
    assert (found.tile, found.platform, found.version) == ("T31TCJ", "SENTINEL2B", (10, 2))
    assert found.time.isoformat() == "2018-02-10T10:51:58.461000+00:00"
    assert found.day == date(2018, 2, 10)


@pytest.mark.parametrize("day", ["20181340", "20180230", "20180000"])
def test_a_day_that_does_not_exist_is_no_product(day):
    assert THEIA.recognise(name_of(day)) is None


def test_products_are_listed_by_time_not_by_platform(tmp_path):
    later = name_of("20180210", "110000-000", platform="A")
    sooner = name_of("20180210", "105158-000", platform="B")
    before = name_of("20180101", platform="C")
    make(tmp_path, later, sooner, before)
    assert [item.name for item in THEIA.listing(str(tmp_path)).products] == [before, sooner, later]


def test_of_one_acquisition_the_newest_version_stands_first_by_number(tmp_path):
    names = [
        name_of("20180210", version=version) for version in ("2-2", "10-0", "9-1", "2", "2-10")
    ]
    make(tmp_path, *names)
    found = [item.version for item in THEIA.listing(str(tmp_path)).products]
    assert found == [(10, 0), (9, 1), (2, 10), (2, 2), (2,)]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        (".tar.gz", "an archive; unpack it"),
        (".SAFE.zip", "an archive; unpack it"),
        (".part", "its name goes on"),
        (" (1)", "its name goes on"),
        ("-1.filepart", "its name goes on"),
    ],
)
def test_what_looks_like_a_product_is_told(tmp_path, entry, told):
    name = name_of("20180210") + entry
    (tmp_path / name).write_bytes(b"")
    listing = THEIA.listing(str(tmp_path))
    assert listing.products == []
    assert told in listing.strangers[name]


def test_a_file_a_broken_link_and_another_spelling_are_told(tmp_path):
    names = [name_of("20180210"), name_of("20180211"), name_of("20180212").lower()]
    (tmp_path / names[0]).write_bytes(b"")
    (tmp_path / names[1]).symlink_to(tmp_path / "gone")
    (tmp_path / names[2]).mkdir()
    strangers = THEIA.listing(str(tmp_path)).strangers
    assert "a file, not the folder" in strangers[names[0]]
    assert "a broken link" in strangers[names[1]]
    assert "not written as" in strangers[names[2]]


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tgz"])
def test_an_archive_that_lacks_a_part_of_the_name_is_told(tmp_path, ending):
    """Its day is that of an acquisition, which would be missing and nobody knew."""
    name = name_of("20180210").rpartition("_V")[0] + ending
    (tmp_path / name).write_bytes(b"")
    (tmp_path / f"notes{ending}").write_bytes(b"")
    listing = THEIA.listing(str(tmp_path))
    assert listing.products == []
    assert list(listing.strangers) == [name]
    assert "an archive without the name of a product such as SENTINEL2" in listing.strangers[name]


def test_a_folder_that_holds_products_is_told(tmp_path):
    make(tmp_path / "2018", name_of("20180210"), name_of("20180211"))
    assert "holds 2 product(s)" in THEIA.listing(str(tmp_path)).strangers["2018"]


def test_other_files_are_passed_over(tmp_path):
    make(tmp_path, name_of("20180210"), "notes")
    (tmp_path / "README.txt").write_text("")
    (tmp_path / ".DS_Store").write_text("")
    assert THEIA.listing(str(tmp_path)).strangers == {}


def test_a_product_that_is_a_link_counts(tmp_path):
    make(tmp_path / "store", name_of("20180210"))
    (tmp_path / "tile").mkdir()
    (tmp_path / "tile" / name_of("20180210")).symlink_to(tmp_path / "store" / name_of("20180210"))
    assert len(THEIA.listing(str(tmp_path / "tile")).products) == 1


def test_the_leading_letter_of_a_tile_does_not_matter():
    assert same_tile("T31TCJ", "31TCJ")
    assert same_tile("t31tcj", "T31TCJ")
    assert not same_tile("T31TCJ", "T31TDJ")
