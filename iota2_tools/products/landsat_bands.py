"""Reflective bands of Landsat at 30 m, the same whoever delivers them."""

from iota2_tools.products.format import Band

OLI = (
    Band("B1", 30, "coastal"),
    Band("B2", 30, "blue"),
    Band("B3", 30, "green"),
    Band("B4", 30, "red"),
    Band("B5", 30, "nir"),
    Band("B6", 30, "swir"),
    Band("B7", 30, "swir2"),
)
TM = (
    Band("B1", 30, "blue"),
    Band("B2", 30, "green"),
    Band("B3", 30, "red"),
    Band("B4", 30, "nir"),
    Band("B5", 30, "swir"),
    Band("B7", 30, "swir2"),
)
