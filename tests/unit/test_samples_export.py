"""Samples of all tiles as one file."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import pytest
import shapely
from osgeo import ogr

from iota2_tools.commands.cli import main
from iota2_tools.core.errors import InputDataError
from iota2_tools.reference import export
from iota2_tools.reference.export import Chosen, export_samples
from iota2_tools.reference.sources import sample_tables


def write_tile(results, tile, rows, left=0, **features):
    """A table of samples as the chain writes it."""
    number = np.arange(rows)
    frame = pd.DataFrame(
        {
            "row": number, "col": number + 1, "polygon": number // 2 + left, "code": number % 3 + 1,
            "region": np.where(number % 2, "hills", "plain"), "seed_0": number % 2 == 0, "seed_1": True,
            **{name: np.full(rows, value) for name, value in features.items()},
        }
    )  # fmt: skip
    place = {"encoding": "WKB", "geometry_types": ["Point"]}
    place["crs"] = pyproj.CRS("EPSG:32631").to_json_dict()
    about = {"version": "1.0.0", "primary_column": "geometry", "columns": {"geometry": place}}
    points = shapely.to_wkb(shapely.points(left + 10.0 * number, 5.0 * number))
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.append_column("geometry", pa.array(points, pa.binary()))
    folder = results / "tiles" / tile
    folder.mkdir(parents=True)
    pq.write_table(
        table.replace_schema_metadata({"geo": json.dumps(about)}), folder / "samples.parquet"
    )


@pytest.fixture
def results(tmp_path):
    write_tile(tmp_path, "T31TCJ", 5, B4=np.int16(7), DEM=np.int16(3))
    write_tile(tmp_path, "T31TDJ", 4, left=100, B4=np.int16(9))
    write_tile(tmp_path, "T31TEJ", 0, left=200, B4=np.int16(9))
    return tmp_path


@pytest.mark.parametrize("name", ["all.parquet", "all.gpkg"])
def test_the_samples_of_all_tiles_stand_in_one_file(results, name):
    output = results / "out" / name
    assert export_samples(sample_tables(results), str(output), Chosen()) == 9
    read = gpd.read_parquet if name.endswith("parquet") else gpd.read_file
    found = read(output)
    assert found["tile"].tolist() == ["T31TCJ"] * 5 + ["T31TDJ"] * 4
    assert found["B4"].tolist() == [7] * 5 + [9] * 4
    assert found["DEM"].isna().tolist() == [False] * 5 + [True] * 4
    assert found["seed_0"].astype(bool).tolist() == [True, False] * 2 + [True] + [True, False] * 2
    assert found.geometry.x.tolist() == [0, 10, 20, 30, 40, 100, 110, 120, 130]
    assert found.crs.to_epsg() == 32631
    assert [path.name for path in output.parent.iterdir()] == [name]


def test_a_geopackage_is_one_that_old_gdal_reads(results):
    output = str(results / "all.gpkg")
    export_samples(sample_tables(results), output)
    dataset = ogr.Open(output)
    layer = dataset.GetLayer(0)
    assert layer.GetName() == "samples"
    assert layer.GetFeatureCount() == 9


@pytest.mark.parametrize(
    ("chosen", "rows"),
    [
        (Chosen(seed=0), [0, 2, 4, 0, 2]),
        (Chosen(region="hills"), [1, 3, 1, 3]),
        (Chosen(seed=1, region="plain"), [0, 2, 4, 0, 2]),
    ],
)
def test_draw_and_region_are_chosen(results, chosen, rows):
    output = results / "some.parquet"
    export_samples(sample_tables(results), str(output), chosen)
    assert gpd.read_parquet(output)["row"].tolist() == rows


@pytest.mark.parametrize(
    ("name", "chosen", "message"),
    [
        ("all.shp", Chosen(), "neither .parquet"),
        ("all.parquet", Chosen(seed=7), "no samples of draw 7; there are those of 0, 1"),
        ("all.gpkg", Chosen(region="hill"), "no samples of region 'hill' to export"),
        ("all.parquet", Chosen(seed=0, region="hills"), "no samples of region 'hills' to export"),
    ],
)
def test_what_is_not_there_is_told_and_nothing_is_written(results, name, chosen, message):
    with pytest.raises(InputDataError, match=message):
        export_samples(sample_tables(results), str(results / name), chosen)
    assert [path.name for path in results.iterdir()] == ["tiles"]


def test_more_columns_than_a_geopackage_holds_are_refused(results, monkeypatch):
    monkeypatch.setattr(export, "MOST_COLUMNS", 10)
    with pytest.raises(InputDataError, match="11 columns are more than the 10"):
        export_samples(sample_tables(results), str(results / "all.gpkg"))


def test_the_command_exports_and_says_what_is_missing(results, capsys):
    output = str(results / "all.parquet")
    assert main(["samples", "export", str(results), output, "--seed", "0"]) == 0
    assert "5 samples of 3 tile(s)" in capsys.readouterr().out
    assert main(["samples", "export", str(results / "tiles"), output]) == 2
    assert "holds no samples" in capsys.readouterr().err


def test_a_damaged_table_is_told(results):
    (results / "tiles/T31TDJ/samples.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputDataError, match=r"T31TDJ/samples.parquet: cannot be read as a table"):
        export_samples(sample_tables(results), str(results / "all.parquet"))
