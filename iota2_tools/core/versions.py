"""Versions of the computations: raise one when its numbers change.

Snakemake runs a rule again when its parameters change, but does not look inside the package.
Each rule carries the versions of the modules its numbers come from, so that a new one rebuilds
exactly the products it changes.
"""

VERSIONS = {
    "accuracy": 2,
    "areas": 4,
    "boosting": 1,
    "catalogue": 1,
    "classification": 1,
    "coregistration": 2,
    "delivery": 1,
    "dropping": 2,
    "envelopes": 2,
    "expressions": 1,
    "feature_maps": 1,
    "features": 2,
    "figures": 1,
    "folds": 1,
    "forest": 1,
    "fusion": 1,
    "gapfilling": 1,
    "histograms": 1,
    "indices": 1,
    "inventory": 4,
    "learning": 2,
    "masks": 4,
    "mosaic": 1,
    "preparation": 1,
    "preview": 2,
    "radar": 1,
    "reference": 2,
    "regularisation": 1,
    "report": 2,
    "resampling": 3,
    "polygon_statistics": 1,
    "polygons": 1,
    "samples": 2,
    "sets": 2,
    "smoothing": 1,
    "speckle": 1,
    "style": 1,
    "training": 1,
    "validation": 1,
    "vectors": 1,
}

# What turns images into features, wherever that happens.
FEATURES = ("resampling", "speckle", "gapfilling", "indices", "expressions", "features")


def versions(*modules: str) -> dict[str, int]:
    """Versions of some modules.

    >>> versions("masks")
    {'masks': 1}
    """
    return {module: VERSIONS[module] for module in modules}
