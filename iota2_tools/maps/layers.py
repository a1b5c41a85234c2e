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


CLASS_MAP = Layer(
    name="class_map",
    title="Land cover",
    encodings={"uint8": 0, "uint16": 0},
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


CONFIDENCE = Layer(
    name="confidence",
    title="Confidence of the classifier",
    encodings={"uint8": 0},
    unit="percent",
    overviews="AVERAGE",
    description="Share of the votes, or probability, of the class mapped; 0: not mapped.",
    maximum=100,
)


VALIDITY = Layer(
    name="validity",
    title="Number of clear dates",
    encodings={"uint8": 255, "uint16": 65535},
    unit="dates",
    overviews="AVERAGE",
    description="Number of dates on which the pixel was seen without cloud, shadow or saturation.",
)


PROBABILITY = Layer(
    name="probability",
    title="Class probabilities",
    encodings={"uint16": 65535},
    unit="per mille",
    overviews="AVERAGE",
    description="Probability of each class, one band a class, from 0 to 1000.",
    maximum=1000,
)


# Okabe and Ito's colours, told apart by all common colour visions: warm where the map is
# wrong, cold where it is right, strong for validation, light for learning. Polygons learn and
# validate at once only where a class has too few of them to be split.
DIFFERENCE = Layer(
    name="difference",
    title="Map against reference",
    encodings={"uint8": 0},
    unit="code",
    overviews="MODE",
    description="Where the map agrees with the reference polygons; 0: no reference.",
    maximum=6,
    classes=Nomenclature(
        (
            LandCoverClass(1, "validation, wrong", (213, 94, 0)),
            LandCoverClass(2, "validation, right", (0, 114, 178)),
            LandCoverClass(3, "learning, wrong", (230, 159, 0)),
            LandCoverClass(4, "learning, right", (86, 180, 233)),
            LandCoverClass(5, "learning and validation, wrong", (204, 121, 167)),
            LandCoverClass(6, "learning and validation, right", (0, 158, 115)),
        )
    ),
)


# Okabe and Ito's colours again.
CHOICE = Layer(
    name="choice",
    title="Source of the class",
    encodings={"uint8": 0},
    unit="code",
    overviews="MODE",
    description="Which of the models of radar and optical sensors the map follows; 0: not mapped.",
    maximum=254,
    classes=Nomenclature(
        (
            LandCoverClass(1, "both", (0, 158, 115)),
            LandCoverClass(2, "radar", (230, 159, 0)),
            LandCoverClass(3, "optical", (86, 180, 233)),
            LandCoverClass(254, "neither alone", (204, 121, 167)),
        )
    ),
)


CHANGE = Layer(
    name="change",
    title="Change between two maps",
    encodings={"uint16": 0},
    unit="code",
    overviews="MODE",
    description=(
        "1: the same class in both maps; from 2 on: one class before, another after; 0: not mapped in both."
    ),
)


CHANGED = Layer(
    name="changed",
    title="Whether two maps differ",
    encodings={"uint8": 0},
    unit="code",
    overviews="MODE",
    description=(
        "1: the same class in both maps; 2: another; 0: not mapped in both. Strata for points that tell the area of "
        "change."
    ),
    maximum=2,
    classes=Nomenclature(
        (
            LandCoverClass(1, "unchanged", (232, 232, 228)),
            LandCoverClass(2, "changed", (213, 94, 0)),
        )
    ),
)


CHANGE_CONFIDENCE = Layer(
    name="change_confidence",
    title="Confidence that both maps are right",
    encodings={"uint8": 0},
    unit="percent",
    overviews="AVERAGE",
    description="Product of the confidences of both maps; 0: not mapped in both, or a map without confidence.",
    maximum=100,
)


CHANGE_JUDGEMENT = Layer(
    name="change_judgement",
    title="What the user says of the change",
    encodings={"uint8": 0},
    unit="code",
    overviews="MODE",
    description="Whether the change can be, by the user's table; 0: no change, or not mapped in both.",
    maximum=3,
    classes=Nomenclature(
        (
            LandCoverClass(1, "possible", (0, 158, 115)),
            LandCoverClass(2, "unlikely", (230, 159, 0)),
            LandCoverClass(3, "impossible", (213, 94, 0)),
        )
    ),
)


PREDICTION_SETS = Layer(
    name="prediction_sets",
    title="Number of classes that cannot be excluded",
    encodings={"uint8": 0, "uint16": 0},
    unit="classes",
    overviews="AVERAGE",
    description=(
        "How many classes may be the true one, so that over all pixels it is among them as often as was asked for; "
        "0: not mapped."
    ),
)


FEATURE = Layer(
    name="feature",
    title="Feature",
    encodings={"int16": -32768, "float32": float("nan")},
    unit="as the feature",
    overviews="AVERAGE",
    description=(
        "A feature that was learnt: reflectance x 10000, decibels x 100, NDVI and NDWI x 1000, those of the user "
        "as given."
    ),
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
