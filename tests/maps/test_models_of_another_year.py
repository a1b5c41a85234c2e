"""A production mapped by the models of another one."""

import copy

from independent import pixels
from test_rules_mosaic import TILES

MAPS = [f"final/Classif_Seed_{seed}.tif" for seed in (0, 1)]


def test_models_of_another_production_map_this_one_and_nothing_is_learnt(
    small_production, tmp_path
):
    """The same images: the same maps, confidence and scores."""
    workflow = type(small_production)(tmp_path, copy.deepcopy(small_production.config))
    (tmp_path / "scene").symlink_to(small_production.folder / "scene")
    workflow.config["learning"] = {"models": str(small_production.results)}
    workflow.config["classification"] = {"probability_map": True}  # no sets: they need folds
    workflow.config["sampling"].pop("suspicious_polygons", None)
    for section in ("feature_maps", "report", "publication"):
        workflow.config.pop(section, None)
    jobs = workflow.planned("mosaic", "validation")
    assert not {"train_model", "learn_folds", "extract_samples"} & set(jobs)
    output = workflow.config["output"]
    workflow.run(*(f"{output}/{name}" for name in MAPS), f"{output}/final/RESULTS.txt")
    for name in MAPS:
        ours, theirs = pixels(workflow.results / name), pixels(small_production.results / name)
        assert (ours == theirs).all()
    for tile in TILES:
        name = f"validation/{tile}/confusion_seed_0.csv"
        assert (workflow.results / name).read_text() == (
            small_production.results / name
        ).read_text()
    assert not (workflow.results / "models").exists()
