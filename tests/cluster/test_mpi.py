"""The classification of a tile on two ranks of MPI."""

import os
from importlib.util import find_spec

import pytest
from cluster import cannot, debian_packages, install_debian_packages

from iota2_tools.planning.needs import SNAKEMAKE
from iota2_tools.reporting.summary import job_figures

# Without our variable: to other nodes a launcher may hand none.
LAUNCHER = "env -u IOTA2_RANKS mpirun --allow-run-as-root --oversubscribe --bind-to none"


@pytest.fixture(scope="module")
def mpi():
    """MPI and its Python package."""
    install_debian_packages(debian_packages("mpi"))
    if find_spec("mpi4py") is None:
        cannot("mpi4py is missing: make setup")


def on_ranks(workflow, launcher=LAUNCHER, check=True):
    return workflow.run(
        "classification", "--forcerun", "classify_tile",
        "--set-resources", f"classify_tile:mpi={launcher}", "classify_tile:tasks=2",
        check=check,
    )  # fmt: skip


def test_two_ranks_give_the_maps_of_one_process_byte_for_byte(mpi, production, own_copy):
    on_ranks(own_copy)
    log = (own_copy.results / "logs" / "classify_tile" / "T31TCJ_region_1.log").read_text()
    assert "mapped by 1 models on 2 rank(s)" in log
    pieces = sorted((own_copy.results / "classification").rglob("*.tif"))
    assert pieces
    for piece in pieces:
        same = production.results / piece.relative_to(own_copy.results)
        assert piece.read_bytes() == same.read_bytes(), piece.name
    asked = [
        jobs.loc[jobs["rule"] == "classify_tile", "asked_mb"].max() - SNAKEMAKE
        for jobs in (job_figures(production.results), job_figures(own_copy.results))
    ]
    assert asked[1] >= 1.8 * asked[0]  # both ranks may stand on one node


def test_a_rank_that_fails_ends_all_with_its_message(mpi, own_copy):
    for masks in (own_copy.results / "tiles").glob("*/sentinel2_clear.tif"):
        made = masks.stat().st_mtime_ns
        masks.write_bytes(masks.read_bytes()[:2000])
        os.utime(masks, ns=(made, made))  # so that they are not made again
    done = on_ranks(own_copy, check=False)
    assert done.returncode != 0
    log = (own_copy.results / "logs" / "classify_tile" / "T31TCJ_region_1.log").read_text()
    assert "sentinel2_clear.tif" in log
    assert "a rank failed" in done.stderr
    assert not list((own_copy.results / "classification").rglob("classes_seed_0.tif"))


def test_a_launcher_that_is_missing_is_a_sentence(own_copy):
    done = on_ranks(own_copy, launcher="mpirun-absent", check=False)
    assert done.returncode != 0
    assert "`mpirun-absent` cannot be started" in done.stderr
