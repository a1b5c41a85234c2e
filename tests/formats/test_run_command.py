"""`iota2 run` on a terminal and without one, by two at once, killed, freed, on a read-only installation."""

import json
import os
import pty
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from conftest import ROOT, scene_config

from iota2_tools.core.versions import VERSIONS
from iota2_tools.planning.ownership import owning
from iota2_tools.planning.whereabouts import place_of
from iota2_tools.simulate import SceneSettings, simulate_scene

IOTA2 = [sys.executable, "-m", "iota2_tools.commands.cli"]
MAP = "final/Classif_Seed_0.tif"


@pytest.fixture(scope="module")
def small_scene(tmp_path_factory) -> Path:
    """A project of two tiles of 64 pixels; nothing is made in it."""
    folder = tmp_path_factory.mktemp("project")
    settings = SceneSettings(size=64, overlap=20, dates=6, cloud_cover=0.3, seed=1)
    simulate_scene(settings, str(folder / "scene"), jobs=1)
    return folder


def configured(project: Path, output: Path, name: str, **sections) -> Path:
    """A configuration whose products go to a folder outside the project."""
    config = scene_config(learning={"parameters": {"n_estimators": 5}}, **sections)
    path = project / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config | {"output": str(output)}), encoding="utf-8")
    return path


def iota2(*words, folder="/", check=0, **options) -> subprocess.CompletedProcess:
    """Type a command in some folder."""
    done = subprocess.run(
        [*IOTA2, *map(str, words)],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        **options,
    )
    assert done.returncode == check, done.stdout + done.stderr
    return done


def files_of(folder: Path) -> dict[str, int]:
    return {
        str(path): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def made(small_scene, tmp_path_factory) -> Path:
    """Configuration of a production that was made from the root folder; its output is beside it."""
    folder = tmp_path_factory.mktemp("made")
    path = configured(small_scene, folder / "results", "made", tiles=["T31TCJ"])
    before = [files_of(ROOT / name) for name in ("workflow", "rules", "profiles", "config")]
    here = set(os.listdir("/"))
    done = iota2("run", path, "--cores", 2)
    assert f"paths count from {small_scene}\n" in done.stderr
    (folder / "said.txt").write_text(done.stderr, encoding="utf-8")
    after = [files_of(ROOT / name) for name in ("workflow", "rules", "profiles", "config")]
    assert before == after
    assert set(os.listdir("/")) == here
    assert not (small_scene / ".snakemake").exists()
    return path


def output_of(path: Path) -> Path:
    return Path(yaml.safe_load(path.read_text())["output"])


def test_all_that_is_written_is_in_the_output_folder(made):
    results = output_of(made)
    assert (results / MAP).exists()
    assert (results / ".snakemake" / "metadata").is_dir()
    assert list((results / ".snakemake" / "log").glob("*.log"))
    assert not (results / ".snakemake" / "running.json").exists()


def test_without_a_terminal_progress_is_plain_lines(made):
    said = (output_of(made).parent / "said.txt").read_text(encoding="utf-8").splitlines()
    lines = [line for line in said if re.match(r"\d\d:\d\d:\d\d ", line)]
    first = re.fullmatch(r"\S+ init \d+/\d+, \d+ of (\d+) jobs, about \d+ (s|min) left", lines[0])
    assert first, lines[0]
    assert re.fullmatch(rf"complete: {first[1]} jobs in \d+ (s|min)", said[-1])
    assert not [line for line in said if "snakemake" in line.lower() or "\x1b" in line]


def test_status_tells_a_run_that_is_over(made):
    said = iota2("status", made).stdout
    assert re.match(r"complete: (\d+) of \1 jobs, begun ", said)
    assert re.search(r"^  classification +1 of 1$", said, re.MULTILINE)
    facts = json.loads(iota2("status", made, "--json").stdout)
    assert (facts["state"], facts["done"], facts["failed"]) == ("complete", facts["jobs"], [])


def test_what_is_up_to_date_is_planned_and_run_as_nothing(made):
    assert re.fullmatch(r"all of \d+ jobs are up to date\n", iota2("plan", made).stdout)
    assert "nothing to be done: all is up to date" in iota2("run", made).stderr


def test_a_model_of_another_draw_is_no_product_of_the_production(made):
    said = iota2("run", made, "models/region_1_seed_3", check=1, folder=output_of(made)).stderr
    assert "models/region_1_seed_3: no product of this production" in said
    assert "fault of the chain" not in said
    assert "failed" not in said


def test_the_plan_says_why_a_changed_parameter_makes_jobs_run(made):
    config = yaml.safe_load(made.read_text())
    config["learning"]["parameters"]["n_estimators"] = 6
    other = made.with_name("changed.yaml")
    other.write_text(yaml.safe_dump(config))
    said = iota2("plan", other).stdout
    assert re.search(
        r"^  learning.parameters.n_estimators: 5 → 6: train_model \(region 1, seed 0\), and \d+ behind$",
        said, re.MULTILINE,
    )  # fmt: skip
    assert re.search(r"^  T31TCJ: 2 of \d+ jobs$", said, re.MULTILINE)  # classify, compare
    assert "are known from earlier runs" in said
    assert re.search(
        r"^  sampling +0 +5 ", said, re.MULTILINE
    )  # split, burn, count, select, extract


def test_the_plan_after_an_upgrade_says_which_computation_makes_what_again(made):
    """Records as an earlier version of the package has left them: its masks were of the version before."""
    version = VERSIONS["masks"]
    now, before = f"'masks': {version}", f"'masks': {version - 1}"
    metadata = output_of(made) / ".snakemake" / "metadata"
    records = {path: path.read_text() for path in metadata.rglob("*") if path.is_file()}
    assert any(now in text for text in records.values())
    try:
        for path, text in records.items():
            path.write_text(text.replace(now, before))
        said = iota2("plan", made).stdout
        facts = json.loads(iota2("plan", made, "--json").stdout)
    finally:
        for path, text in records.items():
            path.write_text(text)
    masks = rf"  computation masks: from version {version - 1} to {version}: "
    jobs = r"mask_series \(tile T31TCJ, series sentinel2\), count_valid_dates \(tile T31TCJ\)"
    told = re.search(rf"^{masks}{jobs}, and (\d+) behind$", said, re.MULTILINE)
    assert told, said
    assert int(told[1]) == len(facts["to_run"]) - 2
    assert "draw_regions" not in {job["rule"] for job in facts["to_run"]}


def test_a_plan_of_a_new_production_leaves_no_trace(small_scene, tmp_path):
    path = configured(small_scene, tmp_path / "new" / "results", "new")
    said = iota2("plan", path, "--cores", 1, 4).stdout
    assert re.match(r"(\d+) of \1 jobs to run, 0 up to date\n", said)
    assert "about " in said.splitlines()[-3]
    assert not (tmp_path / "new" / "results").exists()


def test_the_digest_of_the_maps_is_that_of_plain_snakemake(made):
    from osgeo import gdal

    from iota2_tools.planning.configuration import read_configuration

    tags = gdal.Open(str(output_of(made) / MAP)).GetMetadata()
    assert tags["CONFIG_SHA256"] == read_configuration(made).digest


def test_plain_snakemake_does_not_go_on_with_it_in_another_folder(made, small_scene):
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "workflow" / "Snakefile"),
               "--configfile", str(made), "-n", "--cores", "1"]  # fmt: skip
    done = subprocess.run(command, cwd=small_scene, capture_output=True, text=True, check=False)
    assert done.returncode
    assert "was made by `iota2 run`" in done.stdout + done.stderr


def test_two_productions_run_at_once_from_one_folder(small_scene, tmp_path):
    target = "tiles/T31TCJ/regions.tif"
    paths = [configured(small_scene, tmp_path / name, name) for name in ("one", "two")]
    runs = [
        subprocess.Popen([*IOTA2, "run", str(path), target, "--cores", "1"], cwd=small_scene,
                         stderr=subprocess.PIPE, text=True)
        for path in paths
    ]  # fmt: skip
    for process in runs:
        said = process.communicate()[1]
        assert process.returncode == 0, said
        assert "complete: 1 jobs in" in said
    assert all((output_of(path) / target).exists() for path in paths)


def test_the_second_run_of_a_production_is_told_who_runs_it(small_scene, tmp_path):
    path = configured(small_scene, tmp_path / "results", "occupied")
    with owning(place_of(path)):
        said = iota2("run", path, "init", check=2).stderr
        assert f"is being made by {os.environ.get('USER', '')}" in said
        assert f"on {os.uname().nodename}, process {os.getpid()}, since 20" in said
        assert "is being planned by" in iota2("status", path).stdout
        assert "is being made by" in iota2("run", path, "--unlock", check=2).stderr
    assert "no run yet" in iota2("status", path, check=3).stdout


def run_until_killed(path: Path) -> None:
    """A run that is killed, with all it has started, while jobs are at work."""
    with subprocess.Popen(
        [*IOTA2, "run", str(path), "init", "--cores", "1"], cwd="/", start_new_session=True,
        stderr=subprocess.DEVNULL,
    ) as process:  # fmt: skip
        while process.poll() is None:
            facts = json.loads(
                subprocess.run([*IOTA2, "status", str(path), "--json"], cwd="/", check=False,
                               capture_output=True, text=True).stdout
            )  # fmt: skip
            if facts["state"] == "running" and facts.get("running"):
                os.killpg(process.pid, signal.SIGKILL)
                break


def test_a_killed_run_is_told_and_unlock_frees_it_alone(small_scene, tmp_path):
    paths = [configured(small_scene, tmp_path / name, name) for name in ("killed", "other")]
    run_until_killed(paths[0])
    locks = output_of(paths[0]) / ".snakemake" / "locks"
    assert list(locks.glob("*.lock"))
    said = iota2("status", paths[0], check=1).stdout
    assert said.startswith("killed: ")
    told = iota2("run", paths[0], "init", check=2).stderr
    assert "was killed: jobs of its may still run" in told
    others = output_of(paths[1]) / ".snakemake" / "locks" / "0.output.lock"
    others.parent.mkdir(parents=True)
    others.write_text("x\n")
    iota2("run", paths[0], "--unlock")
    assert not list(locks.glob("*.lock"))
    assert others.exists()
    assert "complete" in iota2("run", paths[0], "init", "--cores", 2).stderr


CTRL_C = b"\x03"


def on_a_terminal(*words, seconds: float = 120, interrupt: str = "") -> tuple[int, str]:
    """Type a command at a terminal, and Ctrl-C once something is shown; its exit code, and what was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir("/")
        os.environ["COLUMNS"] = "120"
        os.execv(IOTA2[0], [*IOTA2, *map(str, words)])
    shown, until = b"", time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            part = os.read(terminal, 10_000)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
        if interrupt and interrupt.encode() in shown:
            os.write(terminal, CTRL_C)
            interrupt = ""
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


def test_on_a_terminal_one_line_is_written_again_and_a_failure_told(small_scene, tmp_path):
    shutil.copytree(small_scene / "scene", tmp_path / "scene")
    path = configured(tmp_path, tmp_path / "results", "failing", tiles=["T31TCJ"])
    image = min((tmp_path / "scene/sentinel2/T31TCJ").rglob("*_FRE_B4.tif"))
    image.write_bytes(image.read_bytes()[: image.stat().st_size // 2])
    code, shown = on_a_terminal("run", path, "init", "--cores", 2)
    assert code == 1
    assert "\r\x1b[Kinit " in shown
    assert re.search(
        r"failed: take_inventory \(tile T31TCJ\); log: \S+/logs/take_inventory/T31TCJ\.log", shown
    )
    assert f"{image.name} is truncated" in shown
    assert "not complete: " in shown
    assert iota2("status", path, check=1).stdout.startswith("ended: ")
    assert "Traceback" not in shown


def test_ctrl_c_ends_a_run_in_order_with_a_line_and_it_goes_on_from_there(small_scene, tmp_path):
    shutil.copytree(small_scene / "scene", tmp_path / "scene")
    path = configured(tmp_path, tmp_path / "results", "stopped", tiles=["T31TCJ"])
    words = ("run", path, "init", "--cores", 1)
    code, shown = on_a_terminal(*words, interrupt=", 1 of ")
    assert code == 1
    assert "stopping: jobs at work are ended; what is done is kept" in shown
    assert re.search(r"stopped: \d+ of \d+ jobs done; the same command goes on from there", shown)
    for word in ("Traceback", "KeyboardInterrupt", "failed", "WorkflowError"):
        assert word not in shown
    assert "complete: " in iota2(*words).stderr


def test_an_installation_that_may_not_be_written_to_is_enough(small_scene, tmp_path):
    path = configured(small_scene, tmp_path / "results", "readonly")
    words = [*IOTA2, "run", str(path), "tiles/T31TCJ/regions.tif", "--cores", "1"]
    mounts = (
        f"mount --bind {ROOT} {ROOT} && mount -o remount,ro,bind {ROOT} && ! touch {ROOT}/x 2>&1"
    )
    script = f'{mounts} && exec "$@"'
    command = ["unshare", "--mount", "sh", "-c", script, "sh", *words]
    if os.geteuid() or subprocess.run(["unshare", "--mount", "true"], check=False).returncode:
        reason = "no folder can be made read-only here: root is needed"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    done = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "results/tiles/T31TCJ/regions.tif").exists()
