"""Sensors that a scene can be written for.

A module that writes a format ends in a `Sensor`; `SENSORS` names it as the user asks for it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from iota2_tools.core.errors import ConfigError
from iota2_tools.geo.grid import Window
from iota2_tools.simulate import products, radar_safe, radar_tiles, relief
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
    beside : tuple of str
        Keys of what a user needs to read them, which is written as well.
    """

    folder: str
    plan: Callable[[SceneSettings, str], Sequence[Named]]
    write: Callable[[SceneSettings, Any, list[Path], Path], None]
    window: Callable[[SceneSettings, str], Window] = tile_window
    places: Callable[[SceneSettings], Sequence[str]] = tiles_of
    beside: tuple[str, ...] = ()


SENTINEL2 = "s2"

SENSORS: dict[str, Sensor] = {
    SENTINEL2: Sensor("sentinel2", products.plan_products, products.write_product),
    "s1": Sensor(
        "sentinel1",
        radar_safe.plan_frames,
        radar_safe.write_frame,
        relief.no_land,
        relief.one_place,
        beside=("dem",),
    ),
    "s1tiling": Sensor(
        "sentinel1_s1tiling",
        radar_tiles.plan_images,
        radar_tiles.write_image,
        radar_tiles.window_of,
        radar_tiles.places_of,
    ),
    "dem": Sensor(
        "dem", relief.plan_heights, relief.write_heights, relief.no_land, relief.one_place
    ),
}


def chosen_sensors(names: Iterable[str]) -> dict[str, Sensor]:
    """Sensors of these names, in the order of `SENSORS`.

    Raises
    ------
    ConfigError
        If a name is unknown, or none is given.
    """
    wanted = list(names)
    unknown = [name for name in wanted if name not in SENSORS]
    if unknown or not wanted:
        found = f"{unknown[0]!r} cannot be simulated" if unknown else "none is given"
        raise ConfigError(f"sensors: {found}; choose from {', '.join(SENSORS)}")
    beside = {name for key in wanted for name in SENSORS[key].beside}
    return {name: sensor for name, sensor in SENSORS.items() if name in wanted or name in beside}
