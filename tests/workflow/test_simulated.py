"""The whole workflow on a simulated scene: products, reruns, identity of results, faults."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import yaml
from conftest import ROOT, Workflow, deliver_again, job_counts, on_scene
from locks import locked_contents
from osgeo import gdal
from osgeo_utils.samples import validate_cloud_optimized_geotiff as cog
from rules.independent import clear

from iota2_tools.planning.needs import LEAST, SNAKEMAKE
from iota2_tools.publishing.housekeeping import kept_groups, remove, to_remove
from iota2_tools.reporting.summary import job_figures

gdal.UseExceptions()


def pixels(path: Path) -> np.ndarray:
    return gdal.Open(str(path)).ReadAsArray()


def test_final_maps_are_valid_cogs_with_classes_and_units(production):
    final = production.results / "final"
    for name in ("Classif_Seed_0", "Confidence_Seed_0", "PixelsValidity", "diff_seed_0"):
        warnings, errors, _ = cog.validate(str(final / f"{name}.tif"), full_check=True)
        assert (warnings, errors) == ([], [])
    classes = gdal.Open(str(final / "Classif_Seed_0.tif"))
    assert classes.GetRasterBand(1).GetColorTable() is not None
    assert classes.GetMetadata()["CLASS_11"] == "Water"
    assert gdal.Open(str(final / "Confidence_Seed_0.tif")).GetMetadata()["UNITS"] == "percent"


def test_map_agrees_with_the_simulated_truth(production, scene):
    """The truth is the simulator's, which the chain never reads."""
    final = gdal.Open(str(production.results / "final" / "Classif_Seed_0.tif"))
    truth = gdal.Open(str(scene / "truth" / "T31TCJ_class.tif"))
    left, size, _, top, *_ = final.GetGeoTransform()
    x, _, _, y, *_ = truth.GetGeoTransform()
    window = (
        round((x - left) / size),
        round((top - y) / size),
        truth.RasterXSize,
        truth.RasterYSize,
    )
    mapped, true = final.ReadAsArray(*window), truth.ReadAsArray()
    agreement = (mapped == true)[mapped > 0].mean()
    assert agreement > 0.6


def test_every_pixel_that_was_once_clear_has_a_class_and_no_other(production):
    """Clear dates from the masks of the products; each pixel belongs to one tile."""
    results = production.results
    mapped = pixels(results / "final" / "Classif_Seed_0.tif") > 0
    left, size, _, top, *_ = gdal.Open(
        str(results / "final" / "Classif_Seed_0.tif")
    ).GetGeoTransform()
    owners, expected = np.zeros(mapped.shape, int), np.zeros(mapped.shape, bool)
    for tile in production.config["tiles"]:
        regions = gdal.Open(str(results / "tiles" / tile / "regions.tif"))
        x, _, _, y, *_ = regions.GetGeoTransform()
        row, col = round((top - y) / size), round((x - left) / size)
        place = slice(row, row + regions.RasterYSize), slice(col, col + regions.RasterXSize)
        own = regions.ReadAsArray() > 0
        owners[place] += own
        expected[place] |= own & clear(production.folder / "scene", tile).any(axis=0)
    assert (owners == 1).all()
    assert np.count_nonzero(mapped) == np.count_nonzero(expected)
    assert np.array_equal(mapped, expected)


def test_confidence_and_class_are_mapped_at_the_same_pixels(production):
    final = production.results / "final"
    classes, confidence = (
        pixels(final / "Classif_Seed_0.tif"),
        pixels(final / "Confidence_Seed_0.tif"),
    )
    assert np.array_equal(classes > 0, confidence > 0)
    assert confidence.max() <= 100


def test_nothing_changed_means_no_job(production):
    assert production.planned() == {}


def test_a_deleted_product_is_made_again_alone(own_copy):
    (own_copy.results / "final" / "Confidence_Seed_0.tif").unlink()
    jobs = own_copy.planned()
    # And what tells of all products: their lock above all, and the report.
    assert [jobs.pop(name) for name in ("describe_production", "cut_map", "write_report")] == [
        1
    ] * 3
    assert jobs == {"mosaic_confidence": 1}


def test_what_is_cleaned_is_not_made_again(own_copy):
    """Without what was made on the way to the maps, they are up to date."""
    results = str(own_copy.results)
    remove(results, to_remove(results, kept_groups("final,models,samples")))
    assert not (own_copy.results / "classification").exists()
    assert own_copy.planned() == {}


def test_a_changed_colour_or_memory_does_not_classify_again(own_copy):
    classification = own_copy.config.get("classification", {}) | {"window_mb": 64}
    own_copy.config = own_copy.config | {"classification": classification}
    table = own_copy.folder / own_copy.config["nomenclature"]
    lines = table.read_text(encoding="utf-8").splitlines()
    lines[1] = re.sub("#[0-9a-fA-F]{6}", "#123456", lines[1])
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    jobs = own_copy.planned()
    assert jobs
    assert not {"classify_tile", "train_model", "extract_samples", "compare_tile"} & set(jobs)


def test_a_new_acquisition_runs_what_depends_on_it_and_no_more(own_copy):
    folder = own_copy.products / "T31TDJ"
    names = sorted(path.name for path in folder.iterdir())
    old = names[len(names) // 2]  # neither the first nor the last date: the grid of dates stays
    deliver_again(folder / old)
    done = own_copy.run("--dry-run")
    text, jobs = done.stdout + done.stderr, job_counts(done)
    assert jobs["take_inventory"] == jobs["mask_series"] == jobs["extract_samples"] == 1
    assert "split_polygons" not in jobs
    assert "burn_polygons" not in jobs
    assert "Looking at the acquisitions of T31TCJ" not in text


def test_a_mask_mended_under_its_name_makes_its_tile_again_and_a_touched_one_nothing(own_copy):
    folder = own_copy.products / "T31TDJ"
    for path in folder.rglob("*.tif"):
        path.touch()
    assert own_copy.planned() == {}
    path = next(iter(sorted(folder.rglob("*_CLM_R1.tif"))))
    mask = gdal.Open(str(path), gdal.GA_Update)
    mask.GetRasterBand(1).Fill(2)
    mask = None
    jobs = own_copy.planned()
    assert jobs["take_inventory"] == jobs["mask_series"] == jobs["extract_samples"] == 1
    assert jobs["mosaic_classes"] == 1
    assert "split_polygons" not in jobs


def test_a_truncated_image_is_named_and_nothing_looks_finished(own_copy):
    folder = own_copy.products / "T31TCJ"
    image = next(path for path in sorted(folder.rglob("*_FRE_B4.tif")))
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    shutil.rmtree(own_copy.results)
    done = own_copy.run("init", check=False)
    assert done.returncode != 0
    assert image.name in done.stderr
    assert "Traceback" not in done.stderr.split("InputDataError")[1].split("(log:")[0]
    assert not (own_copy.results / "tiles" / "T31TCJ" / "inventory.json").exists()
    told = done.stderr.split("What the jobs that failed say:")[1]
    assert f"{image.name} is truncated" in told


def kill_in_the_middle(workflow: Workflow, target: str, folder: Path) -> None:
    """Run up to a target; SIGKILL snakemake and its jobs while a product of a folder is written.

    All is stopped before it is looked at, so that nothing ends between the look and the kill. If a
    job was too quick, the folder is emptied and all begins again.
    """
    command = [
        sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"), "--directory",
        str(workflow.folder), "--configfile", str(workflow.folder / "config.yaml"), "--cores", "1", target,
    ]  # fmt: skip
    while True:
        shutil.rmtree(folder, ignore_errors=True)
        with subprocess.Popen(
            command, start_new_session=True, stderr=subprocess.DEVNULL
        ) as process:
            while process.poll() is None:
                if not list(folder.rglob(".part-*")):
                    continue
                os.killpg(process.pid, signal.SIGSTOP)
                caught = bool(list(folder.rglob(".part-*")))
                os.killpg(process.pid, signal.SIGKILL if caught else signal.SIGCONT)
                if caught:
                    return
        workflow.run("--unlock")


def test_a_run_killed_on_one_core_with_small_windows_ends_in_the_same_files(
    production, scene, tmp_path
):
    workflow = on_scene(scene, tmp_path, classification={"window_mb": 16})
    workflow.run("learning", cores=1)
    classified = workflow.results / "classification"
    kill_in_the_middle(workflow, "classification", classified)
    unfinished = {path.parent for path in classified.rglob(".part-*")}
    assert unfinished
    assert not [path for folder in unfinished for path in folder.glob("confidence_seed_0.tif")]
    workflow.run("--unlock")
    workflow.run("catalogue", cores=1)
    assert not list(workflow.results.rglob(".part-*"))
    names = ("Classif_Seed_0", "Confidence_Seed_0", "PixelsValidity", "diff_seed_0")
    same = [f"final/{name}.tif" for name in names]
    same += [f"tiles/{tile}/samples.parquet" for tile in ("T31TCJ", "T31TDJ")]
    for name in same:
        ours, theirs = (results / name for results in (production.results, workflow.results))
        assert ours.read_bytes() == theirs.read_bytes(), name
    # All final products hold the same, says the lock of each.
    ours, theirs = (locked_contents(made.results) for made in (production, workflow))
    assert ours
    assert ours == theirs


def test_features_are_written_with_their_names(production):
    production.run("features")
    stack = gdal.Open(str(production.results / "features" / "T31TCJ.tif"))
    names = [stack.GetRasterBand(n).GetDescription() for n in range(1, stack.RasterCount + 1)]
    dates = len([name for name in names if "_NDVI_" in name])
    assert len(names) == 13 * dates
    assert names[0].startswith("Sentinel2_B2_2018")
    assert [name.split("_")[1] for name in names[-dates:]] == ["Brightness"] * dates


def test_mistakes_of_the_configuration_are_told_together_in_the_words_of_the_command(
    scene, tmp_path
):
    workflow = on_scene(scene, tmp_path)
    config = workflow.config
    config["tiles"] = ["T31TCJ", "T99XXX"]
    config["reference"] = config["reference"] | {"field": "kode"}
    config["learning"] = {"learner": "RandomForestClasifier"}
    (tmp_path / "own.yaml").write_text(yaml.safe_dump(config))
    done = subprocess.run(
        [sys.executable, "-m", "iota2_tools.commands.cli", "plan", "own.yaml"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    said = done.stdout + done.stderr
    for words in ("iota2: ", "T99XXX", "'kode'", "did you mean 'RandomForestClassifier'"):
        assert words in said
    for words in ("Traceback", "WorkflowError", "common.smk"):
        assert words not in said


HEAVY = ("classify_tile", "extract_samples", "mask_series", "train_model", "write_features")


def test_no_job_takes_more_than_it_asked_for_and_the_heavy_ones_ask_for_less_than_twice(production):
    """The Snakemake that starts a job on a cluster is counted with it.

    On these small tiles most ask for the least; benchmarks/README.md has larger ones.
    """
    production.run("features")
    jobs = job_figures(production.results)
    assert set(HEAVY) <= set(jobs["rule"])
    taken = jobs["peak_mb"] + SNAKEMAKE
    assert jobs[taken > jobs["asked_mb"]].empty
    heavy = jobs["rule"].isin(HEAVY) & (jobs["asked_mb"] > LEAST)
    assert jobs[heavy & (jobs["asked_mb"] >= 2 * taken)].empty


def test_a_need_that_is_cut_to_what_there_is_is_told(own_copy):
    done = own_copy.run("--resources", "mem_mb=620", "--forcerun", "take_inventory", "--until",
                        "take_inventory")  # fmt: skip
    assert "take_inventory needs mem_mb=1000 and gets no more than 620" in done.stderr


def test_the_command_makes_a_product_from_anywhere_with_the_records_beside_it(scene, tmp_path):
    workflow = on_scene(scene, tmp_path / "project")
    (tmp_path / "project" / "own.yaml").write_text(yaml.safe_dump(workflow.config))
    (tmp_path / "elsewhere").mkdir()
    words = ["run", "../project/own.yaml", "results/tiles/T31TCJ/regions.tif", "--cores", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "iota2_tools.commands.cli", *words],
        cwd=tmp_path / "elsewhere", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"paths count from {tmp_path / 'project'}\n" in done.stderr
    assert re.search(r"^complete: 1 jobs in \d+ s$", done.stderr, re.MULTILINE)
    assert (workflow.results / "tiles" / "T31TCJ" / "regions.tif").exists()
    assert (workflow.results / ".snakemake" / "metadata").is_dir()
    assert not (tmp_path / "project" / ".snakemake").exists()
    assert not list((tmp_path / "elsewhere").iterdir())
