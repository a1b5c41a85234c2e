"""Simulated scenes: a year of Sentinel-2 of a land whose classes are known.

Everything is a function of (seed, place, date) on the 10 m grid of UTM zone 31: any window can
be computed alone, tiles agree where they overlap, and the files are the same whatever the number
of processes.
"""

from iota2_tools.simulate.imaging import clear_reflectance, truth_class
from iota2_tools.simulate.scene import simulate_scene
from iota2_tools.simulate.settings import SceneSettings, acquisitions, scene_window, tile_window

__all__ = [
    "SceneSettings",
    "acquisitions",
    "clear_reflectance",
    "scene_window",
    "simulate_scene",
    "tile_window",
    "truth_class",
]
