"""Fuzz targets: each module's `run` takes any bytes, and raises only if Mixdown breaks a promise."""
