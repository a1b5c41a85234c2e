"""The whole workflow on real satellite data."""

from conftest import Workflow
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
