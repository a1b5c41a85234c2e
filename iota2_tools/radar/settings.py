"""How Sentinel-1 GRD is prepared, and what its files hold."""

from dataclasses import asdict, dataclass

from iota2_tools.core.errors import ConfigError
from iota2_tools.radar.elevation import Elevation

NODATA = -32768
"""In the files of backscatter: not seen."""
PER_DECIBEL = 100
"""Backscatter is stored as int16, hundredths of a decibel."""
FAINTEST = -50.0
"""Decibels: what is less, or nothing after the noise is taken away, is stored as this."""
CALIBRATIONS = ("gamma", "sigma", "beta")
INTERPOLATIONS = ("linear", "nearest")


@dataclass(frozen=True)
class GrdSettings:
    """How products are calibrated and brought on the grid of a tile.

    Parameters
    ----------
    elevation : Elevation
        Heights of the ground.
    polarisations : tuple of str
        Which to prepare; a product must have them all.
    calibration : str
        ``gamma``, ``sigma`` or ``beta`` nought.
    remove_noise : bool
        Whether thermal noise is taken away.
    interpolation : str
        ``linear`` or ``nearest``.
    grid_spacing : float
        Metres between points whose place is computed; between them it is linear.
    """

    elevation: Elevation
    polarisations: tuple[str, ...] = ("VV", "VH")
    calibration: str = "gamma"
    remove_noise: bool = True
    interpolation: str = "linear"
    grid_spacing: float = 40.0

    def __post_init__(self) -> None:
        for value, allowed in (
            (self.calibration, CALIBRATIONS),
            (self.interpolation, INTERPOLATIONS),
        ):
            if value not in allowed:
                raise ConfigError(f"Sentinel-1: {value!r} is none of {', '.join(allowed)}")
        if not self.polarisations or len(set(self.polarisations)) != len(self.polarisations):
            raise ConfigError("Sentinel-1: polarisations are empty, or one stands twice")
        if not 0 < self.grid_spacing <= 1000:
            raise ConfigError(
                f"Sentinel-1: grid_spacing {self.grid_spacing} is not from 0 to 1000 m"
            )

    def as_dict(self) -> dict:
        """Plain values, for JSON and for rule parameters."""
        return {**asdict(self), "polarisations": list(self.polarisations)}
