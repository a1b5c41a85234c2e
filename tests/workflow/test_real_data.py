"""The whole workflow on real satellite data."""

from conftest import Workflow
from truths import overall_accuracy, scores_of


def test_user_features_alone_map_a_crs_without_epsg_code(real_data, tmp_path):
    modis = real_data / "matogrosso_modis_userfeat"
    workflow = Workflow(
        tmp_path,
        {
            "output": str(tmp_path / "results"),
            "tiles": ["T012010W", "T012010E"],
            "user_features": {
                "path": str(modis / "userfeatures"),
                "patterns": ["EVI", "NDVI", "RED", "NIR", "MIR"],
            },
            "reference": {"path": str(modis / "reference" / "reference.gpkg"), "field": "code"},
            "nomenclature": str(modis / "reference" / "nomenclature.csv"),
        },
    )
    workflow.run(scores_of(workflow), str(workflow.results / "final" / "Classif_Seed_0.tif"))
    assert overall_accuracy(workflow) > 0.93  # baseline.md: 0.986 ± 0.0 over five other draws
