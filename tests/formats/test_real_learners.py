"""The forest beside its baseline and other learners, on real satellite data."""

import pytest
from conftest import Workflow, job_counts
from truths import overall_accuracy, scores_of

BASELINE = 0.761  # scikit-learn forest on these splits (baseline.md of the data set)


def test_flanders_reaches_the_baseline_on_its_fixed_splits(real_data, tmp_path):
    flanders = real_data / "flanders2018"
    workflow = Workflow(
        tmp_path,
        {
            "output": str(tmp_path / "results"),
            "tiles": ["T31UDS", "T31UES"],
            "sensors": {"sentinel2": {"path": str(flanders / "sentinel2")}},
            "reference": {
                "path": str(flanders / "reference" / "reference.gpkg"),
                "field": "code_l1",
                "splits": str(flanders / "reference" / "splits_code_l1.csv"),
            },
            "nomenclature": str(flanders / "reference" / "nomenclature_l1.csv"),
            "sampling": {"runs": 5},
            "learning": {"parameters": {"n_estimators": 200}},
        },
    )
    workflow.run(scores_of(workflow))
    assert overall_accuracy(workflow) >= BASELINE - 0.05


def test_flanders_with_regions_shapefile_and_other_learners_on_the_same_samples(
    real_data, tmp_path
):
    flanders = real_data / "flanders2018"
    workflow = Workflow(
        tmp_path,
        {
            "output": str(tmp_path / "results"),
            "tiles": ["T31UDS", "T31UES"],
            "sensors": {
                "sentinel2": {"path": str(flanders / "sentinel2"), "temporal_resolution": 20}
            },
            "grid": {"projection": "EPSG:2154", "spatial_resolution": 20},
            "reference": {
                "path": str(flanders / "reference" / "shp" / "reference.shp"),
                "field": "code_l1",
            },
            "nomenclature": str(flanders / "reference" / "nomenclature_l1.csv"),
            "learning": {"learner": "SVC"},
        },
    )
    workflow.run(scores_of(workflow))
    assert overall_accuracy(workflow) > 0.5
    pytest.importorskip("otbApplication")
    workflow.config["learning"] = {"learner": "otb-rf"}
    jobs = job_counts(workflow.run(scores_of(workflow)))
    assert overall_accuracy(workflow) > 0.5
    assert {"train_model", "classify_tile", "compare_tile"} <= set(jobs)
    assert not {"take_inventory", "mask_series", "select_samples", "extract_samples"} & set(jobs)
