"""Land-cover mapping from satellite image time series."""
