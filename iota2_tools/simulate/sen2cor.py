"""Sentinel-2 level 2A as Sen2Cor writes it: SAFE folders of JPEG 2000 images.

References
----------
ESA, Sentinel-2 Products Specification Document (names, metadata, classes of the SCL).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from osgeo import gdal

from iota2_tools.core.files import whole_file
from iota2_tools.geo.grid import Grid
from iota2_tools.geo.raster import GDAL_TYPES, gdal_failures_raise
from iota2_tools.simulate.atmosphere import (
    CIRRUS,
    CLOUD_BY_BRIGHTNESS,
    CLOUD_BY_CHANGE,
    SHADOW,
    THINNEST_CLOUDS,
)
from iota2_tools.simulate.imaging import BANDS_10M, BANDS_20M, NODATA, Image, take_image
from iota2_tools.simulate.landscape import Land, describe_land
from iota2_tools.simulate.observation import Observation
from iota2_tools.simulate.phenology import parcel_traits
from iota2_tools.simulate.products import (
    Product,
    load_land,
    plan_products,
    product_grid,
    whole_folder,
    write_text,
)
from iota2_tools.simulate.settings import EPSG, SceneSettings, acquisitions, tile_window
from iota2_tools.simulate.xml import node, text_of

DRIVER = "JP2OpenJPEG"
LOSSLESS = ("QUALITY=100", "REVERSIBLE=YES", "YCBCR420=NO", "YCC=NO")
FIRST_BASELINE_WITH_OFFSET = (4, 0)
OFFSET = -1000
QUANTIFICATION = 10_000
BANDS_IN_METADATA = 13  # B10 is counted, though L2A has none
REPROCESSED_DAYS = 1900

(
    NO_DATA, SATURATED, DARK, CLOUD_SHADOW, VEGETATION, NOT_VEGETATED, WATER, UNCLASSIFIED,
    CLOUD_MEDIUM, CLOUD_HIGH, THIN_CIRRUS, SNOW,
) = range(12)  # fmt: skip
CLASS_NAMES = (
    "NODATA", "SATURATED_DEFECTIVE", "DARK_FEATURE_SHADOW", "CLOUD_SHADOW", "VEGETATION",
    "NOT_VEGETATED", "WATER", "UNCLASSIFIED", "CLOUD_MEDIUM_PROBA", "CLOUD_HIGH_PROBA",
    "THIN_CIRRUS", "SNOW_ICE",
)  # fmt: skip
GREENEST_SOIL = 0.35


@dataclass(frozen=True)
class SafeProduct:
    """One SAFE folder.

    Parameters
    ----------
    source : Product
        Tile, acquisition and datastrip.
    baseline : str
        Processing baseline, e.g. ``05.09``.
    """

    source: Product
    baseline: str

    @property
    def offset(self) -> int:
        """`BOA_ADD_OFFSET`, 0 before baseline 04.00."""
        major, minor = map(int, self.baseline.split("."))
        return OFFSET if (major, minor) >= FIRST_BASELINE_WITH_OFFSET else 0

    @property
    def platform(self) -> str:
        """``S2A``, ``S2B`` or ``S2C``; C takes every third pass of A."""
        letter = self.source.acquisition.platform[-1]
        turn = self.source.acquisition.day.toordinal() // 10 % 3
        return "S2C" if letter == "A" and turn == 0 else f"S2{letter}"

    @property
    def start(self) -> datetime:
        """UTC of the datatake; the datastrips of a date share it."""
        acquisition = self.source.acquisition
        return datetime(*acquisition.day.timetuple()[:3], *acquisition.time)

    @property
    def generated(self) -> datetime:
        """UTC of the processing; baselines from 05.00 on are a reprocessing of the archive."""
        wait = timedelta(hours=4, minutes=17 * (self.source.datastrip or 0))
        if int(self.baseline[:2]) >= 5:
            wait += timedelta(days=REPROCESSED_DAYS)
        return self.start + wait

    @property
    def absolute_orbit(self) -> int:
        """Number of the orbit since launch, about."""
        return (self.start.toordinal() - datetime(2015, 6, 23).toordinal()) * 143 // 10

    @property
    def stem(self) -> str:
        """What the names of the images begin with: ``T22HBD_20210122T133229``."""
        return f"{self.source.tile}_{_stamp(self.start)}"

    @property
    def granule(self) -> str:
        """E.g. ``L2A_T22HBD_A020270_20210122T133224``."""
        sensed = _stamp(self.source.sensing_time)
        return f"L2A_{self.source.tile}_A{self.absolute_orbit:06d}_{sensed}"

    @property
    def name(self) -> str:
        """E.g. ``S2B_MSIL2A_20210122T133229_N0214_R081_T22HBD_20210122T155500.SAFE``."""
        orbit = f"R{self.source.acquisition.orbit:03d}"
        return (
            f"{self.platform}_MSIL2A_{_stamp(self.start)}_N{self.baseline.replace('.', '')}_"
            f"{orbit}_{self.source.tile}_{_stamp(self.generated)}.SAFE"
        )


def _stamp(time: datetime) -> str:
    return time.strftime("%Y%m%dT%H%M%S")


def _instant(time: datetime) -> str:
    return f"{time.isoformat()}.000Z"


def plan_safe(settings: SceneSettings, tile: str) -> list[SafeProduct]:
    """Sen2Cor's products of a tile: the dates of THEIA's, the baselines in turn."""
    turns = {each.day: number for number, each in enumerate(acquisitions(settings))}
    count = len(settings.baselines)
    return [
        SafeProduct(product, settings.baselines[turns[product.acquisition.day] % count])
        for product in plan_products(settings, tile)
    ]


def scene_classification(image: Image) -> np.ndarray:
    """SCL at 20 m of an image, uint8: what its masks CLM, SAT and EDG say, and the ground."""
    cloud, saturated, edge = (image.masks[f"{name}_R2"] for name in ("CLM", "SAT", "EDG"))
    red = _mean(image.fine[BANDS_10M.index("B4")], 2)
    near = image.coarse[BANDS_20M.index("B8A")]
    green = near - red > GREENEST_SOIL * (near + red)
    classes = np.where(green, VEGETATION, NOT_VEGETATED).astype(np.uint8)
    classes[image.masks["MG2_R2"] & 1 == 1] = WATER
    for bits, code in (
        (THINNEST_CLOUDS | CIRRUS, THIN_CIRRUS),
        (SHADOW, CLOUD_SHADOW),
        (CLOUD_BY_CHANGE, CLOUD_MEDIUM),
        (CLOUD_BY_BRIGHTNESS, CLOUD_HIGH),
    ):
        classes[cloud & bits != 0] = code
    classes[saturated != 0] = SATURATED
    classes[edge != 0] = NO_DATA
    return classes


def digital_numbers(reflectance: np.ndarray, offset: int) -> np.ndarray:
    """DN of reflectance x 10000, uint16: the offset taken off, 0 where nothing was seen.

    >>> digital_numbers(np.array([427, -10000], dtype=np.int16), -1000).tolist()
    [1427, 0]
    """
    numbers = reflectance.astype(np.int32) - offset
    return np.where(reflectance == NODATA, 0, numbers).astype(np.uint16)


def _blockwise(array: np.ndarray, factor: int, combine: np.ufunc) -> np.ndarray:
    """Blocks of `factor` x `factor` pixels combined, those cut by the border too."""
    rows, cols = (np.arange(0, side, factor) for side in array.shape)
    return combine.reduceat(combine.reduceat(array, rows, axis=0), cols, axis=1)


def _mean(array: np.ndarray, factor: int) -> np.ndarray:
    """Mean of blocks of `factor` x `factor` pixels."""
    heights, widths = (
        np.minimum(factor, side - np.arange(0, side, factor)) for side in array.shape
    )
    total = _blockwise(array.astype(np.int32), factor, np.add)
    return total / (heights[:, np.newaxis] * widths)


def _coarsened(reflectance: np.ndarray, factor: int, share: float = 1.0) -> np.ndarray:
    """Mean reflectance of blocks, int16; nodata where a pixel of the block has none."""
    seen = _blockwise(reflectance != NODATA, factor, np.logical_and)
    mean = np.rint(share * _mean(reflectance, factor))
    return np.where(seen, mean, NODATA).astype(np.int16)


def images_of(image: Image) -> dict[str, np.ndarray]:
    """Images of a SAFE by band and resolution (``B04_10m``): reflectance x 10000, and SCL.

    Bands of 10 m stand at 20 m too, as Sen2Cor writes them; B01 and B09 are made of their
    neighbours.
    """
    images: dict[str, np.ndarray] = {}
    for band, pixels in zip(BANDS_10M, image.fine, strict=True):
        images[f"{_padded(band)}_10m"] = pixels
        if band != "B8":
            images[f"{_padded(band)}_20m"] = _coarsened(pixels, 2)
    for band, pixels in zip(BANDS_20M, image.coarse, strict=True):
        images[f"{_padded(band)}_20m"] = pixels
    images["B01_60m"] = _coarsened(image.fine[BANDS_10M.index("B2")], 6, 0.9)
    images["B09_60m"] = _coarsened(image.coarse[BANDS_20M.index("B8A")], 3, 1.05)
    classes = scene_classification(image)
    return images | {"SCL_20m": classes, "SCL_60m": classes[::3, ::3]}


def _padded(band: str) -> str:
    """B02 of B2; B8A and B11 stay."""
    return f"B0{band[1:]}" if len(band) == 2 else band


def image_of_lands(settings: SceneSettings, product: SafeProduct, lands: list[Land]) -> Image:
    """The whole image of a product, block under block."""
    source = product.source
    blocks = [
        take_image(settings, land, parcel_traits(land), source.acquisition, source.datastrip)
        for land in lands
    ]
    return Image(
        np.concatenate([block.fine for block in blocks], axis=1),
        np.concatenate([block.coarse for block in blocks], axis=1),
        {name: np.concatenate([block.masks[name] for block in blocks]) for name in blocks[0].masks},
    )


def observe_safe(settings: SceneSettings, product: SafeProduct) -> Observation:
    """What a reader must find: bands by their names in the SAFE, at their best resolution."""
    window = tile_window(settings, product.source.tile)
    images = images_of(image_of_lands(settings, product, [describe_land(settings, window)]))
    classes = images.pop("SCL_20m")
    finest = {name.partition("_")[0]: name for name in sorted(images, reverse=True)}
    del finest["SCL"]
    return Observation(
        product.source.acquisition.day,
        {band: images[name] for band, name in finest.items()},
        {band: product_grid(window, _resolution(name)) for band, name in finest.items()},
        product_grid(window, 20),
        classes == NO_DATA,
        np.isin(classes, (NO_DATA, SATURATED, CLOUD_SHADOW, CLOUD_MEDIUM, CLOUD_HIGH, THIN_CIRRUS)),
    )


def _resolution(name: str) -> int:
    return int(name.partition("_")[2].removesuffix("m"))


def write_safe(settings: SceneSettings, product: SafeProduct, lands: list[Path], out: Path) -> None:
    """Write one SAFE; its folder bears its name once all its files are there."""
    window = tile_window(settings, product.source.tile)
    image = image_of_lands(settings, product, [load_land(land) for land in lands])
    images = images_of(image)
    with whole_folder(out, product.name) as folder:
        granule = folder / "GRANULE" / product.granule
        for name, pixels in images.items():
            numbers = pixels if name.startswith("SCL") else digital_numbers(pixels, product.offset)
            path = granule / "IMG_DATA" / f"R{_resolution(name)}m" / f"{product.stem}_{name}.jp2"
            write_jp2(path, product_grid(window, _resolution(name)), numbers)
        write_text(folder / "MTD_MSIL2A.xml", text_of(_product_metadata(product, images)))
        write_text(granule / "MTD_TL.xml", text_of(_tile_metadata(settings, product)))
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        names = [str(path.relative_to(folder)) for path in files]
        write_text(folder / "manifest.safe", text_of(_manifest(product, names)))


def write_jp2(path: Path, grid: Grid, pixels: np.ndarray) -> None:
    """Write a JPEG 2000 without loss, and without a tag for nodata."""
    with whole_file(str(path)) as temporary, gdal_failures_raise(str(path)):
        source = gdal.GetDriverByName("MEM").Create(
            "", grid.cols, grid.rows, 1, GDAL_TYPES[pixels.dtype.name]
        )
        source.SetGeoTransform(grid.geotransform)
        source.SetProjection(grid.crs)
        source.GetRasterBand(1).WriteArray(pixels)
        gdal.GetDriverByName(DRIVER).CreateCopy(temporary, source, options=list(LOSSLESS))


def _schema(product: SafeProduct, kind: str) -> str:
    """Namespace of a metadata file; its name changes with the baseline."""
    edition = 15 if int(product.baseline[:2]) >= 5 else 14
    return f"https://psd-{edition}.sentinel2.eo.esa.int/PSD/{kind}.xsd"


def _identifier(product: SafeProduct, kind: str) -> str:
    """Name of a granule (``TL``) or a datastrip (``DS``)."""
    source = product.source
    rest = (
        f"A{product.absolute_orbit:06d}_{source.tile}"
        if kind == "TL"
        else f"S{_stamp(source.sensing_time)}"
    )
    return (
        f"{product.platform}_OPER_MSI_L2A_{kind}_2APS_{_stamp(product.generated)}_{rest}_"
        f"N{product.baseline}"
    )


def _product_metadata(product: SafeProduct, images: dict[str, np.ndarray]) -> Element:
    """`MTD_MSIL2A.xml`."""
    schema = _schema(product, "User_Product_Level-2A")
    ElementTree.register_namespace("n1", schema)
    general = [_product_information(product, images), _characteristics(product)]
    classes = images["SCL_20m"]
    seen = max(int((classes != NO_DATA).sum()), 1)
    cloudy = np.isin(classes, (CLOUD_MEDIUM, CLOUD_HIGH, THIN_CIRRUS)).sum() / seen
    nodata = (classes == NO_DATA).mean()
    quality = [
        node("Cloud_Coverage_Assessment", f"{100 * cloudy:.6f}"),
        node("Image_Content_QI", [node("NODATA_PIXEL_PERCENTAGE", f"{100 * nodata:.6f}")]),
    ]
    return node(
        f"{{{schema}}}Level-2A_User_Product",
        [
            node(f"{{{schema}}}General_Info", general),
            node(f"{{{schema}}}Quality_Indicators_Info", quality),
        ],
    )


def _product_information(product: SafeProduct, images: dict[str, np.ndarray]) -> Element:
    start = _instant(product.start)
    orbit = product.source.acquisition.orbit
    datatake = [
        node("SPACECRAFT_NAME", f"Sentinel-{product.platform[1:]}"),
        node("DATATAKE_TYPE", "INS-NOBS"),
        node("DATATAKE_SENSING_START", start),
        node("SENSING_ORBIT_NUMBER", orbit),
        node("SENSING_ORBIT_DIRECTION", "DESCENDING"),
    ]
    takes = f"GS{product.platform[1:]}_{_stamp(product.start)}_{product.absolute_orbit:06d}"
    granule = node(
        "Granule",
        [
            node("IMAGE_FILE", f"GRANULE/{product.granule}/IMG_DATA/R{_resolution(name)}m/"
                 f"{product.stem}_{name}")
            for name in images
        ],
        datastripIdentifier=_identifier(product, "DS"),
        granuleIdentifier=_identifier(product, "TL"),
        imageFormat="JPEG2000",
    )  # fmt: skip
    return node(
        "Product_Info",
        [
            node("PRODUCT_START_TIME", start),
            node("PRODUCT_STOP_TIME", start),
            node("PRODUCT_URI", product.name),
            node("PROCESSING_LEVEL", "Level-2A"),
            node("PRODUCT_TYPE", "S2MSI2A"),
            node("PROCESSING_BASELINE", product.baseline),
            node("GENERATION_TIME", _instant(product.generated)),
            node("Datatake", datatake, datatakeIdentifier=f"{takes}_N{product.baseline}"),
            node(
                "Query_Options",
                [node("PRODUCT_FORMAT", "SAFE_COMPACT")],
                completeSingleTile="true",
            ),
            node("Product_Organisation", [node("Granule_List", [granule])]),
        ],
    )


def _characteristics(product: SafeProduct) -> Element:
    """Nodata, quantification, offsets (from baseline 04.00 on) and classes of the SCL."""
    special = [
        node(
            "Special_Values",
            [node("SPECIAL_VALUE_TEXT", text), node("SPECIAL_VALUE_INDEX", value)],
        )
        for text, value in (("NODATA", 0), ("SATURATED", 65535))
    ]
    quantification = node(
        "QUANTIFICATION_VALUES_LIST",
        [
            node("BOA_QUANTIFICATION_VALUE", QUANTIFICATION, unit="none"),
            node("AOT_QUANTIFICATION_VALUE", "1000.0", unit="none"),
            node("WVP_QUANTIFICATION_VALUE", "1000.0", unit="cm"),
        ],
    )
    offsets = [
        node("BOA_ADD_OFFSET", product.offset, band_id=number)
        for number in range(BANDS_IN_METADATA)
    ]
    classes = [
        node(
            "Scene_Classification_ID",
            [
                node("SCENE_CLASSIFICATION_TEXT", f"SC_{name}"),
                node("SCENE_CLASSIFICATION_INDEX", code),
            ],
        )
        for code, name in enumerate(CLASS_NAMES)
    ]
    return node(
        "Product_Image_Characteristics",
        [
            *special,
            quantification,
            *([node("BOA_ADD_OFFSET_VALUES_LIST", offsets)] if product.offset else []),
            node("Scene_Classification_List", classes),
        ],
    )


def _tile_metadata(settings: SceneSettings, product: SafeProduct) -> Element:
    """`MTD_TL.xml` of the granule."""
    schema = _schema(product, "S2_PDI_Level-2A_Tile_Metadata")
    ElementTree.register_namespace("n1", schema)
    grids = [
        product_grid(tile_window(settings, product.source.tile), size) for size in (10, 20, 60)
    ]
    sizes = [
        node("Size", [node("NROWS", grid.rows), node("NCOLS", grid.cols)],
             resolution=f"{grid.resolution:.0f}")
        for grid in grids
    ]  # fmt: skip
    positions = [
        node(
            "Geoposition",
            [
                node("ULX", f"{grid.left:.0f}"),
                node("ULY", f"{grid.top:.0f}"),
                node("XDIM", f"{grid.resolution:.0f}"),
                node("YDIM", f"-{grid.resolution:.0f}"),
            ],
            resolution=f"{grid.resolution:.0f}",
        )
        for grid in grids
    ]
    sun = [
        node("ZENITH_ANGLE", f"{product.source.acquisition.sun_zenith:.6f}", unit="deg"),
        node("AZIMUTH_ANGLE", f"{product.source.acquisition.sun_azimuth:.6f}", unit="deg"),
    ]
    general = [
        node("TILE_ID", _identifier(product, "TL"), metadataLevel="Brief"),
        node("DATASTRIP_ID", _identifier(product, "DS"), metadataLevel="Standard"),
        node("SENSING_TIME", _instant(product.source.sensing_time), metadataLevel="Standard"),
    ]
    geocoding = [
        node("HORIZONTAL_CS_NAME", "WGS84 / UTM zone 31N"),
        node("HORIZONTAL_CS_CODE", f"EPSG:{EPSG}"),
        *sizes,
        *positions,
    ]
    geometry = [
        node("Tile_Geocoding", geocoding, metadataLevel="Brief"),
        node("Tile_Angles", [node("Mean_Sun_Angle", sun)], metadataLevel="Standard"),
    ]
    return node(
        f"{{{schema}}}Level-2A_Tile_ID",
        [node(f"{{{schema}}}General_Info", general), node(f"{{{schema}}}Geometric_Info", geometry)],
    )


SAFE = "http://www.esa.int/safe/sentinel/1.1"
XFDU = "urn:ccsds:schema:xfdu:1"


def _manifest(product: SafeProduct, names: list[str]) -> Element:
    """`manifest.safe`: orbit, platform and the list of files."""
    for prefix, uri in (("safe", SAFE), ("xfdu", XFDU)):
        ElementTree.register_namespace(prefix, uri)
    orbit = [
        node(f"{{{SAFE}}}orbitNumber", f"{product.absolute_orbit:06d}", type="start",
             groundTrackDirection="descending"),
        node(f"{{{SAFE}}}relativeOrbitNumber", f"{product.source.acquisition.orbit:03d}",
             type="start"),
    ]  # fmt: skip
    platform = [
        node(f"{{{SAFE}}}familyName", "SENTINEL"),
        node(f"{{{SAFE}}}number", product.platform[1:]),
    ]
    period = [node(f"{{{SAFE}}}startTime", _instant(product.start))]
    metadata = [
        _metadata_object("acquisitionPeriod", node(f"{{{SAFE}}}acquisitionPeriod", period)),
        _metadata_object("measurementOrbitReference", node(f"{{{SAFE}}}orbitReference", orbit)),
        _metadata_object("platform", node(f"{{{SAFE}}}platform", platform)),
    ]
    objects = [
        node(
            "dataObject",
            [node("byteStream", [node("fileLocation", href=f"./{name}", locatorType="URL")])],
            ID=f"file_{number:03d}",
        )
        for number, name in enumerate(names)
    ]
    return node(
        f"{{{XFDU}}}XFDU",
        [node("metadataSection", metadata), node("dataObjectSection", objects)],
        version="esa/safe/sentinel/1.1/sentinel-2/msi/archive_l2a_user_product",
    )


def _metadata_object(name: str, content: Element) -> Element:
    wrapped = node("metadataWrap", [node("xmlData", [content])], mimeType="text/xml")
    return node("metadataObject", [wrapped], ID=name, category="DMD")
