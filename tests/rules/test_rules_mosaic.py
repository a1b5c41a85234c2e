"""Stage mosaic, rule by rule."""

import xml.etree.ElementTree as ElementTree

import numpy as np
import pandas as pd
from independent import clear, features, pixels, products
from osgeo import gdal
from osgeo_utils.samples import validate_cloud_optimized_geotiff as cog
from PIL import Image

WEST, EAST = TILES = ("T31TCJ", "T31TDJ")
SIZE, STEP_EAST = 64, 44  # pixels of a tile, and between the left edges of both
REGIONS = (1, 2)


def side_by_side(pieces: dict, nodata: int) -> np.ndarray:
    """Pieces of each tile at their place on the map, what is not nodata above the rest."""
    any_piece = next(iter(pieces.values()))[0]
    shape = (*any_piece.shape[:-2], SIZE, SIZE + STEP_EAST)
    whole = np.full(shape, nodata, dtype=any_piece.dtype)
    for tile, arrays in pieces.items():
        left = STEP_EAST if tile == EAST else 0
        place = whole[..., left : left + SIZE]
        for piece in arrays:
            free = place == nodata
            assert (free | (piece == nodata)).all(), "two pieces claim one pixel"
            place[piece != nodata] = piece[piece != nodata]
    return whole


def classified(results, layer: str, seed: int) -> dict:
    """Pieces of a layer that `classify_tile` wrote."""
    return {
        tile: [
            pixels(results / f"classification/{tile}/region_{region}/{layer}_seed_{seed}.tif")
            for region in REGIONS
        ]
        for tile in TILES
    }


def check_cog(path, nodata: int) -> gdal.Dataset:
    """A valid cloud-optimised GeoTIFF on the grid of both tiles."""
    warnings, errors, _ = cog.validate(str(path), full_check=True)
    assert (warnings, errors) == ([], [])
    raster = gdal.Open(str(path))
    root = next(folder.parent for folder in path.parents if folder.name == "results")
    scene = root / "scene" / "truth" / f"{WEST}_class.tif"
    assert raster.GetGeoTransform() == gdal.Open(str(scene)).GetGeoTransform()
    assert raster.GetRasterBand(1).GetNoDataValue() == nodata
    assert raster.GetSpatialRef().GetAuthorityCode(None) == "32631"
    return raster


def colours(results) -> dict[int, tuple[int, ...]]:
    """Colour of each code, from the nomenclature as it was written."""
    table = pd.read_csv(results.parent / "scene/reference/nomenclature.csv")
    return {
        code: tuple(bytes.fromhex(colour.lstrip("#")))
        for code, colour in zip(table["code"], table["colour"], strict=True)
    }


def test_mosaic_classes_holds_the_pieces_with_colours_and_names(made):
    name = "final/Classif_Seed_1"
    results = made("mosaic_classes", f"{name}.tif", f"{name}.qml", f"{name}.tif.aux.xml")
    raster = check_cog(results / f"{name}.tif", 0)
    expected = side_by_side(classified(results, "classes", 1), 0)
    assert np.array_equal(raster.ReadAsArray(), expected)
    palette = raster.GetRasterBand(1).GetColorTable()
    table = pd.read_csv(results.parent / "scene/reference/nomenclature.csv").set_index("code")
    style = ElementTree.parse(results / f"{name}.qml").getroot()
    entries = {int(entry.get("value")): entry for entry in style.iter("paletteEntry")}
    attributes = raster.GetRasterBand(1).GetDefaultRAT()
    names = {
        attributes.GetValueAsInt(row, 0): attributes.GetValueAsString(row, 1)
        for row in range(attributes.GetRowCount())
    }
    for code, colour in colours(results).items():
        assert palette.GetColorEntry(code)[:3] == colour
        assert entries[code].get("color").lower() == table.loc[code, "colour"].lower()
        assert entries[code].get("label").endswith(table.loc[code, "name"])
        assert raster.GetMetadata()[f"CLASS_{code}"] == table.loc[code, "name"]
        assert names[code] == table.loc[code, "name"]


def test_mosaic_confidence_holds_the_pieces_in_percent(made):
    name = "final/Confidence_Seed_0"
    results = made("mosaic_confidence", f"{name}.tif", f"{name}.qml")
    raster = check_cog(results / f"{name}.tif", 0)
    expected = side_by_side(classified(results, "confidence", 0), 0)
    assert np.array_equal(raster.ReadAsArray(), expected)
    assert raster.GetRasterBand(1).GetUnitType() == "percent"
    check_ramp(results / f"{name}.qml", 100)


def check_ramp(path, highest: int) -> None:
    """The style goes up to the highest value there can be."""
    style = ElementTree.parse(path).getroot()
    values = [float(item.get("value")) for item in style.iter("item")]
    assert values == sorted(values)
    assert max(values) == highest


def test_mosaic_sets_holds_the_pieces_and_goes_up_to_all_classes(made):
    name = "final/PredictionSets_Seed_1"
    results = made("mosaic_sets", f"{name}.tif", f"{name}.qml")
    raster = check_cog(results / f"{name}.tif", 0)
    assert np.array_equal(raster.ReadAsArray(), side_by_side(classified(results, "sets", 1), 0))
    assert raster.GetRasterBand(1).GetUnitType() == "classes"
    check_ramp(results / f"{name}.qml", 11)


def test_mosaic_probabilities_holds_the_pieces_one_band_a_class(made):
    name = "final/ProbabilityMap_seed_0.tif"
    results = made("mosaic_probabilities", name)
    raster = check_cog(results / name, 65535)
    expected = side_by_side(classified(results, "probabilities", 0), 65535)
    assert np.array_equal(raster.ReadAsArray(), expected)
    table = pd.read_csv(results.parent / "scene/reference/nomenclature.csv")
    bands = [raster.GetRasterBand(number + 1) for number in range(raster.RasterCount)]
    assert [band.GetDescription() for band in bands] == table["name"].tolist()


def test_mosaic_probabilities_add_up_to_one_where_a_class_is_mapped_and_are_nodata_elsewhere(made):
    for seed in (0, 1):
        results = made("mosaic_probabilities", f"final/ProbabilityMap_seed_{seed}.tif", jobs=2)
        proba = pixels(results / f"final/ProbabilityMap_seed_{seed}.tif").astype(int)
        mapped = pixels(results / f"final/Classif_Seed_{seed}.tif") > 0
        assert np.abs(proba[:, mapped].sum(axis=0) - 1000).max() <= 11  # one rounding a class
        assert (proba[:, ~mapped] == 65535).all()


def test_clip_validity_keeps_what_the_tile_maps(made):
    results = made(
        "clip_validity", *(f"tiles/{tile}/validity_mapped.tif" for tile in TILES), jobs=2
    )
    for folder in (results / "tiles" / tile for tile in TILES):
        mapped = (pixels(folder / "regions.tif") > 0) & (pixels(folder / "footprint.tif") > 0)
        expected = np.where(mapped, pixels(folder / "validity.tif"), 255)
        assert np.array_equal(pixels(folder / "validity_mapped.tif"), expected)
        assert 0 < mapped.sum() < mapped.size


def test_mosaic_validity_holds_the_clear_dates_of_the_pixels_mapped(made):
    results = made("mosaic_validity", "final/PixelsValidity.tif", "final/PixelsValidity.qml")
    raster = check_cog(results / "final/PixelsValidity.tif", 255)
    pieces = {tile: [pixels(results / f"tiles/{tile}/validity_mapped.tif")] for tile in TILES}
    assert np.array_equal(raster.ReadAsArray(), side_by_side(pieces, 255))
    dates = max(len(products(results.parent / "scene", tile)) for tile in TILES)
    check_ramp(results / "final/PixelsValidity.qml", dates)


def test_preview_map_draws_each_pixel_in_the_colour_of_its_class(made):
    results = made("preview_map", "final/Classif_Seed_0.png")
    picture = np.array(Image.open(results / "final/Classif_Seed_0.png").convert("RGB"))
    classes = pixels(results / "final/Classif_Seed_0.tif")
    factor = 1600 // max(classes.shape)
    left, top = 40, 56  # of the map in the picture
    centre = factor // 2
    drawn = picture[
        top + centre : top + factor * classes.shape[0] : factor,
        left + centre : left + factor * classes.shape[1] : factor,
    ]
    table = np.full((256, 3), 255, dtype=np.uint8)  # white where nothing is mapped
    for code, colour in colours(results).items():
        table[code] = colour
    assert np.array_equal(drawn, table[classes])
    legend = picture[:, left + factor * classes.shape[1] + 40 :]
    for code in np.unique(classes[classes > 0]):
        assert (legend == table[code]).all(axis=2).sum() > 26 * 16 * 0.7, code


def chosen(results, tile: str) -> dict[str, np.ndarray]:
    """Chosen features of a tile by np.interp, where it is mapped and was once clear."""
    scene, folder = results.parent / "scene", results / "tiles" / tile
    kept = (pixels(folder / "regions.tif") > 0) & (pixels(folder / "footprint.tif") > 0)
    kept &= clear(scene, tile).any(axis=0)
    assert 0 < kept.mean() < 1
    return {
        name: np.where(kept, values, -32768)
        for name, values in features(scene, tile, 60).items()
        if name.startswith(("Sentinel2_NDVI_", "Sentinel2_B8A_"))
    }


def test_write_chosen_features_writes_them_where_the_tile_is_mapped(made):
    results = made("write_chosen_features", *(f"feature_maps/{tile}.tif" for tile in TILES), jobs=2)
    for tile in TILES:
        raster = gdal.Open(str(results / f"feature_maps/{tile}.tif"))
        expected = chosen(results, tile)
        names = [raster.GetRasterBand(n + 1).GetDescription() for n in range(raster.RasterCount)]
        assert names == list(expected)
        assert np.array_equal(raster.ReadAsArray(), np.array(list(expected.values())))


def test_mosaic_features_holds_the_pieces_of_all_tiles_a_file_a_feature(made):
    results = made("mosaic_features")
    pieces = {tile: chosen(results, tile) for tile in TILES}
    names = list(pieces[WEST])
    assert {path.stem for path in (results / "final/features").iterdir()} == set(names)
    for name in (names[0], names[-1]):
        raster = check_cog(results / "final/features" / f"{name}.tif", -32768)
        expected = side_by_side({tile: [pieces[tile][name]] for tile in TILES}, -32768)
        assert np.array_equal(raster.ReadAsArray(), expected)
        assert raster.GetRasterBand(1).GetDescription() == name
