"""The final products: what their pixels mean, and how they are encoded."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from iota2_tools.config.nomenclature import LandCoverClass, Nomenclature

BLOCK = 512
"""Side of the blocks of a final raster, pixels: they are read by rows of whole blocks."""


@dataclass(frozen=True)
class Layer:
    """One final product: its encoding, its meaning, and how it is shrunk into overviews.

    Parameters
    ----------
    name : str
        Short identifier, tag ``LAYER`` of the file.
    title : str
        Name for readers, tag ``TITLE``.
    encodings : mapping of str to float
        Nodata value of each pixel type allowed.
    unit : str
        Unit of the pixel values, tag ``UNITS`` and unit of the bands.
    overviews : str
        GDAL resampling of the overviews. All of them leave nodata out: a pixel of an overview is
        nodata only where every pixel below it is.
    description : str
        One sentence, tag ``DESCRIPTION``.
    maximum : int, optional
        Largest value possible, where it does not depend on the production.
    classes : Nomenclature, optional
        Fixed codes, names and colours; None where there are none or where the user gives them.
    """

    name: str
    title: str
    encodings: Mapping[str, float]
    unit: str
    overviews: str
    description: str
    maximum: int | None = None
    classes: Nomenclature | None = None

    @property
    def coded(self) -> bool:
        """True if pixels are codes, with names and colours, rather than quantities."""
        return self.overviews == "MODE"


Colour = tuple[int, int, int]
BYTE: Mapping[str, float] = {"uint8": 0}
CODES: Mapping[str, float] = {"uint8": 0, "uint16": 0}
"""Pixel types with the value of what is not mapped."""

# Okabe and Ito's colours, told apart by all common colour visions.
ORANGE, SKY, GREEN = (230, 159, 0), (86, 180, 233), (0, 158, 115)
BLUE, VERMILION, PURPLE = (0, 114, 178), (213, 94, 0), (204, 121, 167)
PALE = (232, 232, 228)


def _quantity(
    name: str,
    title: str,
    unit: str,
    description: str,
    encodings: Mapping[str, float],
    maximum: int | None = None,
) -> Layer:
    """A layer of quantities, of which overviews show the mean."""
    return Layer(name, title, encodings, unit, "AVERAGE", description, maximum)


def _codes(
    name: str,
    title: str,
    description: str,
    legend: Mapping[int, tuple[str, Colour]] | None = None,
    encodings: Mapping[str, float] = BYTE,
) -> Layer:
    """A layer of codes, of which overviews show the most frequent; a legend where it is always the same."""
    if legend is None:
        return Layer(name, title, encodings, "code", "MODE", description)
    classes = tuple(LandCoverClass(code, *told) for code, told in legend.items())
    most = max(legend)
    return Layer(name, title, encodings, "code", "MODE", description, most, Nomenclature(classes))


CLASS_MAP = Layer(
    name="class_map",
    title="Land cover",
    encodings=CODES,
    unit="class code",
    overviews="MODE",
    description="Land-cover class of each pixel, codes of the nomenclature; 0: not mapped.",
)
REGULARISED_MAP = replace(
    CLASS_MAP,
    name="regularised_map",
    title="Land cover, regularised",
    description="Land-cover class without areas below the minimum mapping unit; 0: not mapped.",
)
CONFIDENCE = _quantity(
    "confidence",
    "Confidence of the classifier",
    "percent",
    "Share of the votes, or probability, of the class mapped; 0: not mapped.",
    BYTE,
    maximum=100,
)
VALIDITY = _quantity(
    "validity",
    "Number of clear dates",
    "dates",
    "Number of dates on which the pixel was seen without cloud, shadow or saturation.",
    {"uint8": 255, "uint16": 65535},
)
PROBABILITY = _quantity(
    "probability",
    "Class probabilities",
    "per mille",
    "Probability of each class, one band a class, from 0 to 1000.",
    {"uint16": 65535},
    maximum=1000,
)
PREDICTION_SETS = _quantity(
    "prediction_sets",
    "Number of classes that cannot be excluded",
    "classes",
    "How many classes may be the true one, so that over all pixels it is among them as often as was asked for; "
    "0: not mapped.",
    CODES,
)
FEATURE = _quantity(
    "feature",
    "Feature",
    "as the feature",
    "A feature that was learnt: reflectance x 10000, decibels x 100, NDVI and NDWI x 1000, those of the user "
    "as given.",
    {"int16": -32768, "float32": float("nan")},
)
# Warm where the map is wrong, cold where it is right, strong for validation, light for learning. Polygons
# learn and validate at once only where a class has too few of them to be split.
DIFFERENCE = _codes(
    "difference",
    "Map against reference",
    "Where the map agrees with the reference polygons; 0: no reference.",
    {
        1: ("validation, wrong", VERMILION),
        2: ("validation, right", BLUE),
        3: ("learning, wrong", ORANGE),
        4: ("learning, right", SKY),
        5: ("learning and validation, wrong", PURPLE),
        6: ("learning and validation, right", GREEN),
    },
)
CHOICE = _codes(
    "choice",
    "Source of the class",
    "Which of the models of radar and optical sensors the map follows; 0: not mapped.",
    {
        1: ("both", GREEN),
        2: ("radar", ORANGE),
        3: ("optical", SKY),
        254: ("neither alone", PURPLE),
    },
)
CHANGE = _codes(
    "change",
    "Change between two maps",
    "1: the same class in both maps; from 2 on: one class before, another after; 0: not mapped in both.",
    encodings={"uint16": 0},
)
CHANGED = _codes(
    "changed",
    "Whether two maps differ",
    "1: the same class in both maps; 2: another; 0: not mapped in both. Strata for points that tell the area of "
    "change.",
    {1: ("unchanged", PALE), 2: ("changed", VERMILION)},
)
CHANGE_CONFIDENCE = _quantity(
    "change_confidence",
    "Confidence that both maps are right",
    "percent",
    "Product of the confidences of both maps; 0: not mapped in both, or a map without confidence.",
    BYTE,
    maximum=100,
)
CHANGE_JUDGEMENT = _codes(
    "change_judgement",
    "What the user says of the change",
    "Whether the change can be, by the user's table; 0: no change, or not mapped in both.",
    {1: ("possible", GREEN), 2: ("unlikely", ORANGE), 3: ("impossible", VERMILION)},
)


LAYERS = {
    layer.name: layer
    for layer in (
        CLASS_MAP,
        REGULARISED_MAP,
        CONFIDENCE,
        VALIDITY,
        PROBABILITY,
        DIFFERENCE,
        CHOICE,
        CHANGE,
        CHANGED,
        CHANGE_CONFIDENCE,
        CHANGE_JUDGEMENT,
        PREDICTION_SETS,
        FEATURE,
    )
}
