"""A configuration for the data in a folder."""

import shutil
import subprocess

import geopandas as gpd
import pytest
import shapely
import yaml
from cluster import install_debian_packages

from iota2_tools.commands import cli
from iota2_tools.commands.completion import script
from iota2_tools.commands.init import nomenclature_of
from iota2_tools.config.nomenclature import read_nomenclature
from iota2_tools.core.errors import InputDataError
from iota2_tools.planning.configuration import read_configuration
from iota2_tools.planning.discovery import discover

NAME = "SENTINEL2A_2018{day}-105158-000_L2A_{tile}_C_V2-2"
LANDSAT = "LANDSAT8-OLITIRS-XS_2018{day}-104459-000_L2A_{tile}_C_V2-2"


@pytest.fixture
def data(tmp_path, monkeypatch):
    """An archive of two tiles with Landsat over one of them, polygons, and a table of other classes."""
    monkeypatch.chdir(tmp_path)
    for tile in ("T31TCJ", "T31TDJ"):
        for day in ("0110", "0620"):
            (tmp_path / "data/s2" / tile / NAME.format(day=day, tile=tile) / "MASKS").mkdir(
                parents=True
            )
    (tmp_path / "data/l8/T31TCJ" / LANDSAT.format(day="0301", tile="T31TCJ")).mkdir(parents=True)
    square = shapely.box(0, 0, 10, 10)
    fields = gpd.GeoDataFrame(
        {"id": range(6), "area": [1.5] * 6, "code": [11, 2, 2, 11, 3, 3], "crop": list("aabbcc")},
        geometry=[square] * 6, crs=32631,
    )  # fmt: skip
    fields.to_file(tmp_path / "data/fields.gpkg")
    gpd.GeoDataFrame({"region": ["n", "n", "s"]}, geometry=[square] * 3, crs=32631).to_file(
        tmp_path / "data/regions.gpkg"
    )
    gpd.GeoDataFrame({"code": [1, 1]}, geometry=[shapely.Point(0, 0)] * 2, crs=32631).to_file(
        tmp_path / "data/points.gpkg"
    )
    (tmp_path / "data/other.csv").write_text("code,name\n7,sea\n")
    return tmp_path / "data"


def test_a_configuration_of_what_was_found_passes_as_such(data, capsys):
    assert cli.main(["init", "data"]) == 0
    config = read_configuration("config/config.yaml")
    assert config.tiles == ["T31TCJ"]  # that both sensors have
    assert {name: item.path for name, item in config.sensors.given.items()} == {
        "landsat8": "data/l8", "sentinel2": "data/s2",
    }  # fmt: skip
    assert (config.reference.path, config.reference.field) == ("data/fields.gpkg", "code")
    assert config.nomenclature == "config/nomenclature.csv"
    assert (data.parent / "config/nomenclature.csv").read_text() == (
        "code,name\n2,class 2\n3,class 3\n11,class 11\n"
    )
    text = (data.parent / "config/config.yaml").read_text()
    assert "# 4 products of 2 tile(s), 2018-01-10 to 2018-06-20." in text
    assert "# 6 polygons, 3 classes: 2, 3, 11. Other fields: crop." in text
    assert "#   path: data/regions.gpkg\n#   field: region\n" in text
    said = capsys.readouterr().out
    assert "sentinel2: 4 products of T31TCJ, T31TDJ, 2018-01-10 to 2018-06-20" in said
    assert said.endswith("now: iota2 check config/config.yaml\n")


def test_what_is_to_be_typed_next_can_be_typed(data, capsys):
    assert cli.main(["init", "data", "--config", "my maps/a b.yaml"]) == 0
    assert capsys.readouterr().out.endswith("now: iota2 check 'my maps/a b.yaml'\n")


def test_comments_taken_away_it_is_a_configuration_still(data):
    assert cli.main(["init", "data"]) == 0
    lines = (data.parent / "config/config.yaml").read_text().splitlines()
    bare = "\n".join(line.replace("# ", "", 1) if "first_date" in line else line for line in lines)
    first = yaml.safe_load(bare)["sensors"]["sentinel2"]["first_date"]
    assert first.isoformat() == "2018-01-10"


def test_a_table_that_names_all_classes_is_taken(data):
    (data / "classes.csv").write_text("code,name\n2,a\n3,b\n11,c\n12,d\n")
    assert cli.main(["init", "data"]) == 0
    assert read_configuration("config/config.yaml").nomenclature == "data/classes.csv"
    assert not (data.parent / "config/nomenclature.csv").exists()


@pytest.mark.parametrize(
    ("encoding", "mark"), [("cp1252", ";"), ("cp1252", ","), ("utf-8-sig", "\t"), ("utf-8", ";")]
)
def test_a_table_as_spreadsheets_write_it_keeps_its_codes_and_colours(data, capsys, encoding, mark):
    """Numbered anew by their names, all classes of the map would have other codes than the user's."""
    maize = '"Maïs, grain"' if mark == "," else "Maïs, grain"
    rows = ("code", "name", "colour"), ("5", maize, "#f4a259"), ("7", "Blé d'hiver", "#f2d974")
    text = "\r\n".join(map(mark.join, rows))
    (data / "classes.csv").write_bytes(text.encode(encoding))
    fields = gpd.read_file(data / "fields.gpkg")
    fields["code"] = ["Maïs, grain", "Blé d'hiver"] * 3
    fields.to_file(data / "fields.gpkg")
    assert cli.main(["init", "data"]) == 0
    assert read_configuration("config/config.yaml").nomenclature == "config/nomenclature.csv"
    read = read_nomenclature("config/nomenclature.csv").classes
    assert [(item.code, item.name, item.hex_colour) for item in read] == [
        (5, "Maïs, grain", "#f4a259"), (7, "Blé d'hiver", "#f2d974"),
    ]  # fmt: skip
    said = capsys.readouterr().out
    assert "config/nomenclature.csv is a copy of it in that form: look at its names" in said


def test_a_table_that_lacks_a_class_of_the_reference_is_told(data, capsys):
    (data / "classes.csv").write_text("code,name\n2,a\n3,b\n")
    assert cli.main(["init", "data"]) == 0
    said = capsys.readouterr().out
    assert "REMARK: not taken: data/classes.csv: has no class 11\n" in said
    assert "nomenclature: config/nomenclature.csv, new\n" in said
    assert "other.csv" not in said  # that of something else


def test_bands_that_no_product_has_are_left_out(data):
    for product in (data / "s2").glob("*/*"):
        for band in ("B3", "B4", "B8", "B11"):
            (product / f"{product.name}_FRE_{band}.tif").touch()
    assert cli.main(["init", "data"]) == 0
    assert read_configuration("config/config.yaml").sensors.given["sentinel2"].kept == [
        "B3", "B4", "B8", "B11",
    ]  # fmt: skip
    text = (data.parent / "config/config.yaml").read_text()
    assert (
        "# The products have no B2, B5, B6, B7, B8A, B12.\n    keep_bands: [B3, B4, B8, B11]"
        in text
    )
    assert text.count("keep_bands") == 1  # of Landsat nothing can be told


def test_the_reference_in_another_format_is_no_layer_of_regions(data):
    gpd.read_file(data / "fields.gpkg").to_file(data / "a.geojson")
    regions = gpd.read_file(data / "regions.gpkg").iloc[1:]  # a polygon each
    regions.to_file(data / "regions.gpkg")
    assert cli.main(["init", "data"]) == 0
    text = (data.parent / "config/config.yaml").read_text()
    assert "#   path: data/regions.gpkg\n#   field: region\n" in text
    (data / "regions.gpkg").unlink()
    assert cli.main(["init", "data", "--config", "config/other.yaml"]) == 2  # its nomenclature
    (data.parent / "config/nomenclature.csv").unlink()
    assert cli.main(["init", "data", "--config", "config/other.yaml"]) == 0
    assert "regions" not in (data.parent / "config/other.yaml").read_text()


def test_regions_alone_are_no_reference(data):
    (data / "fields.gpkg").unlink()
    assert cli.main(["init", "data"]) == 0
    text = (data.parent / "config/config.yaml").read_text()
    assert "# None were found: fill this in." in text


def test_reference_and_field_may_be_named(data):
    words = ["init", "data", "--reference", "data/fields.gpkg", "--field", "crop"]
    assert cli.main(words) == 0
    assert read_configuration("config/config.yaml").reference.field == "crop"
    assert (data.parent / "config/nomenclature.csv").read_text() == "code,name\n1,a\n2,b\n3,c\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--field", "area"], "no field 'area' that could hold classes; there are code, crop"),
        (["--reference", "data/none.gpkg"], "data/none.gpkg: no such file"),
        (["--reference", "data/points.gpkg"], "holds no polygons with a field"),
    ],
)
def test_what_is_named_and_cannot_be_is_told(data, capsys, words, told):
    assert cli.main(["init", "data", *words]) == 2
    assert told in capsys.readouterr().err
    assert not (data.parent / "config").exists()


def test_nothing_is_overwritten(data, capsys):
    (data.parent / "config").mkdir()
    (data.parent / "config/config.yaml").write_text("mine")
    assert cli.main(["init", "data"]) == 2
    assert "is there already and is left as it is" in capsys.readouterr().err
    assert (data.parent / "config/config.yaml").read_text() == "mine"
    (data.parent / "config/nomenclature.csv").write_text("mine")
    assert cli.main(["init", "data", "--config", "config/other.yaml"]) == 2
    assert "nomenclature.csv: is there already and lacks classes" in capsys.readouterr().err
    (data / "classes.csv").write_bytes("code;name\n2;a\n3;b\n11;é\n".encode("cp1252"))
    assert cli.main(["init", "data", "--config", "config/other.yaml"]) == 2
    assert (data.parent / "config/nomenclature.csv").read_text() == "mine"


def test_a_folder_without_products_says_what_was_looked_for(data, capsys):
    shutil.rmtree(data / "s2")
    shutil.rmtree(data / "l8")
    assert cli.main(["init", "data"]) == 2
    assert "expected FOLDER/TILE/PRODUCT, for example T31TCJ/SENTINEL2" in capsys.readouterr().err


def test_products_outside_a_folder_of_their_tile_are_told(data):
    (data / "s2/T31TCJ").rename(data / "s2/all")
    found = discover(data)
    assert next(s for s in found.series if s.sensor == "sentinel2").tiles == ["T31TDJ"]
    assert any("holds 2 products of sentinel2 and is not called after their tile (T31TCJ)" in text
               for text in found.remarks)  # fmt: skip


def test_of_two_folders_of_a_sensor_the_fuller_is_taken_and_the_other_told(data):
    name = NAME.format(day="0620", tile="T31TEJ")
    (data / "more/T31TEJ" / name).mkdir(parents=True)
    found = discover(data)
    assert [str(s.path.name) for s in found.series] == ["l8", "s2"]
    assert any("more: more products of sentinel2" in text for text in found.remarks)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (["1", "a"], r"codes and names \(a\) mixed"),
        (["0", "3"], "found 0 to 3"),
        (["70000"], "70000"),
    ],
)
def test_values_that_are_no_codes_are_told(values, told):
    with pytest.raises(InputDataError, match=told):
        nomenclature_of(values, "fields.gpkg")


def test_real_data_are_found(real_data, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    folder = real_data / "flanders2018"
    assert cli.main(["init", str(folder), "--reference", str(folder / "reference/reference.gpkg"),
                     "--field", "code_l1"]) == 0  # fmt: skip
    config = read_configuration("config/config.yaml")
    assert config.tiles == ["T31UDS", "T31UES"]
    assert config.sensors.given["sentinel2"].path == str(folder / "sentinel2")
    assert config.nomenclature == str(folder / "reference/nomenclature_l1.csv")


def completed(shell: str, words: str) -> set[str]:
    """What a shell offers behind words, of which the last is being typed."""
    text = script(cli.parser(), shell)
    count = len(words.split(" ")) - 1
    asked = f"{text}\nCOMP_WORDS=({words!s})\nCOMP_CWORD={count}\n_iota2\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
    done = subprocess.run([shell, "-c", asked], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("iota2 sta", {"status"}),
        ("iota2 conv", {"convert-config"}),
        ("iota2 --ver", {"--version"}),
        ("iota2 run c.yaml --unl", {"--unlock"}),
        ("iota2 run c.yaml valid", {"validation"}),
        ("iota2 run c.yaml --profile slurm-", {"slurm-native"}),
        ("iota2 completion z", {"zsh"}),
        ("iota2 check --names", {"--names-only"}),
    ],
)
def test_bash_completes_commands_options_stages_and_choices(tmp_path, monkeypatch, words, offered):
    monkeypatch.chdir(tmp_path)  # no files there
    assert completed("bash", words) == offered


def test_files_are_offered_where_they_may_stand(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.yaml").touch()
    assert completed("bash", "iota2 check ow") == {"own.yaml"}


@pytest.mark.slow  # where it is installed first
def test_zsh_reads_the_same_by_its_own_bridge(tmp_path):
    if not shutil.which("zsh"):
        install_debian_packages(["zsh"])
    text = script(cli.parser(), "zsh")
    asked = f"autoload -U compinit && compinit -u -d {tmp_path}/dump\n{text}\nprint -r -- $_comps[iota2]"
    done = subprocess.run(["zsh", "-f", "-c", asked], capture_output=True, text=True, check=True)
    assert "_iota2" in done.stdout


def test_a_file_in_another_encoding_than_it_says_is_told(tmp_path):
    """A Shapefile of Latin-1 beside a .cpg that says UTF-8: init goes on with what else is there."""
    shapes = [shapely.box(0, 0, 1, 1)] * 2
    gpd.GeoDataFrame({"name": ["foret", "x"]}, geometry=shapes, crs=32631).to_file(
        tmp_path / "fields.shp"
    )
    table = tmp_path / "fields.dbf"
    table.write_bytes(table.read_bytes().replace(b"foret", b"for\xeat"))
    (tmp_path / "fields.cpg").write_text("UTF-8")
    found = discover(tmp_path)
    assert found.polygons == []
    (remark,) = found.remarks
    assert "fields.shp: its fields cannot be read ('utf-8' codec can't decode" in remark


def test_the_file_of_most_polygons_comes_first_whatever_its_name(tmp_path):
    for name, number in (("a", 4), ("b", 9), ("c", 6)):
        shapes = [shapely.box(n, 0, n + 1, 1) for n in range(number)]
        frame = gpd.GeoDataFrame(
            {"code": [n % 2 for n in range(number)]}, geometry=shapes, crs=32631
        )
        frame.to_file(tmp_path / f"{name}.gpkg")
    assert [item.path.stem for item in discover(tmp_path).polygons] == ["b", "c", "a"]
