"""Land-cover mapping from satellite image time series."""

from iota2_tools.core.environment import prepare

prepare()  # before GDAL is loaded, which reads its variables then
