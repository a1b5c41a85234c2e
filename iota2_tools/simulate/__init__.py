"""Simulated scenes: a year of a land whose classes are known, as several satellites see it.

Everything is a function of (seed, place, date) on the 10 m grid of UTM zone 31: any window can
be computed alone, tiles agree where they overlap, and the files are the same whatever the number
of processes.
"""

from iota2_tools.simulate.imaging import clear_reflectance, truth_class
from iota2_tools.simulate.landsat import clear_landsat
from iota2_tools.simulate.observation import Observation
from iota2_tools.simulate.scene import simulate_scene
from iota2_tools.simulate.sensors import SENSORS, observations
from iota2_tools.simulate.settings import SceneSettings, acquisitions, scene_window, tile_window

__all__ = [
    "SENSORS",
    "Observation",
    "SceneSettings",
    "acquisitions",
    "clear_landsat",
    "clear_reflectance",
    "observations",
    "scene_window",
    "simulate_scene",
    "tile_window",
    "truth_class",
]
