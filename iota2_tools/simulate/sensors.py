"""Sensors that a scene can be written for.

A module that writes a format ends in a `Sensor`; `SENSORS` names it as the user asks for it.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from osgeo import gdal

from iota2_tools.core.errors import ConfigError, MissingSoftwareError
from iota2_tools.geo.grid import Window
from iota2_tools.simulate import (
    l3a,
    own,
    products,
    radar_safe,
    radar_tiles,
    relief,
    sen2cor,
    stac,
    theia_landsat,
    usgs,
)
from iota2_tools.simulate.observation import Observation
from iota2_tools.simulate.settings import SceneSettings, tile_window


class Named(Protocol):
    """What is written at once: a folder or a file."""

    @property
    def name(self) -> str:
        """Its name."""


def tiles_of(settings: SceneSettings) -> Sequence[str]:
    """Names of the tiles of a scene."""
    return settings.tiles


@dataclass(frozen=True)
class Sensor:
    """How the products of a sensor are planned and written.

    Parameters
    ----------
    folder : str
        Folder of the scene that holds them.
    plan : callable
        ``plan(settings, place)``: products of a place, in order of time.
    write : callable
        ``write(settings, product, lands, folder)``: write ``folder/product.name``, which bears
        that name only once it is whole. `lands` are files of `products.load_land`, blocks of
        whole rows from north to south that make up the window.
    window : callable
        ``window(settings, place)``: world window of 10 m pixels whose land is wanted.
    places : callable
        ``places(settings)``: folders inside `folder`; the tiles, as a rule.
    observe : callable, optional
        ``observe(settings, product)``: what a reader must find in the product.
    driver : str
        Driver of GDAL that writes the images.
    beside : tuple of str
        Keys of what a user needs to read them, which is written as well.
    """

    folder: str
    plan: Callable[[SceneSettings, str], Sequence[Named]]
    write: Callable[[SceneSettings, Any, list[Path], Path], None]
    window: Callable[[SceneSettings, str], Window] = tile_window
    places: Callable[[SceneSettings], Sequence[str]] = tiles_of
    observe: Callable[[SceneSettings, Any], Observation] | None = None
    driver: str = "GTiff"
    beside: tuple[str, ...] = ()


def old_landsat(folder: str, plan: Callable) -> Sensor:
    """A Landsat of THEIA's old layout."""
    return Sensor(
        folder,
        plan,
        theia_landsat.write_old,
        theia_landsat.window_of,
        observe=theia_landsat.observe_old,
    )


def own_series(folder: str, plan: Callable) -> Sensor:
    """A series of the user's own."""
    return Sensor(folder, plan, own.write_own, own.window_of, observe=own.observe_own)


def usgs_landsat(folder: str, plan: Callable) -> Sensor:
    """A Landsat of the USGS."""
    return Sensor(folder, plan, usgs.write_usgs, usgs.window_of, observe=usgs.observe_usgs)


SENTINEL2 = "s2"

SENSORS: dict[str, Sensor] = {
    SENTINEL2: Sensor(
        "sentinel2",
        products.plan_products,
        products.write_product,
        observe=products.observe_product,
    ),
    "s2-sen2cor": Sensor(
        "sentinel2_sen2cor",
        sen2cor.plan_safe,
        sen2cor.write_safe,
        observe=sen2cor.observe_safe,
        driver=sen2cor.DRIVER,
    ),
    "l3a": Sensor(
        "sentinel2_l3a", l3a.plan_syntheses, l3a.write_synthesis, observe=l3a.observe_synthesis
    ),
    "l8": Sensor(
        "landsat8",
        theia_landsat.plan_new,
        theia_landsat.write_new,
        theia_landsat.window_of,
        observe=theia_landsat.observe_new,
    ),
    "l8-old": old_landsat("landsat8_old", theia_landsat.plan_old8),
    "l5": old_landsat("landsat5", theia_landsat.plan_old5),
    "l5-usgs": usgs_landsat("landsat5_usgs", usgs.plan_usgs5),
    "l7-usgs": usgs_landsat("landsat7_usgs", usgs.plan_usgs7),
    "l8-usgs": usgs_landsat("landsat8_usgs", usgs.plan_usgs8),
    "l9-usgs": usgs_landsat("landsat9_usgs", usgs.plan_usgs9),
    "s1": Sensor(
        "sentinel1",
        radar_safe.plan_frames,
        radar_safe.write_frame,
        relief.no_land,
        relief.one_place,
        beside=("dem", "geoid"),
    ),
    "s1tiling": Sensor(
        "sentinel1_s1tiling",
        radar_tiles.plan_images,
        radar_tiles.write_image,
        radar_tiles.window_of,
        radar_tiles.places_of,
    ),
    "own": own_series("own_series", own.plan_own),
    "own-misplaced": own_series("own_series_misplaced", own.plan_misplaced),
    "stac": Sensor(
        "stac", stac.plan_stac, stac.write_stac, observe=stac.observe_stac, beside=("stac-items",)
    ),
    "stac-items": Sensor("stac", stac.plan_list, stac.write_list, relief.no_land, relief.one_place),
    "dem": Sensor("dem", relief.plan_dem, relief.write_heights, relief.no_land, relief.one_place),
    "geoid": Sensor(
        "geoid", relief.plan_geoid, relief.write_heights, relief.no_land, relief.one_place
    ),
}


def observations(
    settings: SceneSettings, name: str, place: str
) -> Iterator[tuple[str, Observation]]:
    """Products of a sensor in a place, in order of time, and what a reader must find in each.

    Parameters
    ----------
    settings : SceneSettings
    name : str
        Key of `SENSORS`, of a sensor that can be observed.
    place : str
        A tile, as a rule.

    Yields
    ------
    str
        Name of the product.
    Observation
    """
    sensor = chosen_sensors([name])[name]
    if sensor.observe is None:
        raise ConfigError(f"sensors: what {name} must give cannot be told product by product")
    for product in sensor.plan(settings, place):
        yield product.name, sensor.observe(settings, product)


def chosen_sensors(names: Iterable[str]) -> dict[str, Sensor]:
    """Sensors of these names, in the order of `SENSORS`.

    Raises
    ------
    ConfigError
        If a name is unknown, or none is given.
    MissingSoftwareError
        If GDAL lacks the driver of a format.
    """
    wanted = list(names)
    unknown = [name for name in wanted if name not in SENSORS]
    if unknown or not wanted:
        found = f"{unknown[0]!r} cannot be simulated" if unknown else "none is given"
        raise ConfigError(f"sensors: {found}; choose from {', '.join(SENSORS)}")
    beside = {name for key in wanted for name in SENSORS[key].beside}
    chosen = {name: sensor for name, sensor in SENSORS.items() if name in wanted or name in beside}
    for name, sensor in chosen.items():
        if gdal.GetDriverByName(sensor.driver) is None:
            raise MissingSoftwareError(
                f"sensors: {name} needs GDAL's driver {sensor.driver}, which this GDAL was built "
                "without; leave that sensor out, or take a GDAL that has it"
            )
    return chosen
