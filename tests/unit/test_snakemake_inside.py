"""Every function of rules/snakemake_inside.smk, on the Snakemake that is installed."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import ROOT

INSIDE = ROOT / "rules" / "snakemake_inside.smk"

# What each gives in the workflow below, started in `folder` with --resources mem_mb=1000.
EXPECTED = {
    "is_main_process()": True,
    "is_only_read()": False,  # True for the linter: test_wheel.py
    "configuration_files()": ["own.yaml"],
    "start_folder()": "{folder}",
    "executor_of_jobs()": "slurm-patient",
    "limit_of('mem_mb')": 1000,
    "limit_of('runtime')": None,
    "given_resource('first', 'tasks')": 2,
    "given_resource('last', 'tasks')": None,
    "is_grouped('first')": True,
    "is_grouped('last')": False,
    "sorted(asked_at_first('mem_mb'))": [["first", 700], ["last", 3000]],
    "sorted(asked_at_first('runtime'))": [["first", 5]],
    "list(asked_by_groups('runtime'))": [["group together", 5]],
    "tell_of_untried_version()": None,
    "is_dry_run()": False,
    "words_of_nothing_to_do()[:18]": "Nothing to be done",
    "cores_of_run()": 1,
    "tell_also(logger.handlers[0])": None,
    "print_only(bool)": None,
    "[[job['rule'], job['needed'], list(job['after']), job['threads']] for job in planned_jobs()]": [
        ["first", True, [], 1],
        ["last", True, [0], 3],
    ],
    "sorted(threads_of(job) for job in workflow.dag.jobs)": [1, 3],
    "sorted({key for job in workflow.dag.jobs for key in why_needed(job)})": ["follows", "missing"],
}
# Stops before the first submission, so no Slurm is needed.
WORKFLOW = """
import json

configfile: "own.yaml"
include: "{inside}"

def tried(call):
    try:
        return eval(call)
    except Exception as error:
        return f"{{type(error).__name__}}: {{error}}"

onstart:
    with open("found.json", "w") as file:
        json.dump({{call: tried(call) for call in {calls}}}, file)
    raise SystemExit("enough")

rule last:
    input: "first.txt"
    output: "last.txt"
    threads: 3
    resources: mem_mb=3000
    shell: "touch {{output}}"

rule first:
    output: "first.txt"
    group: "together"
    resources: mem_mb=lambda wildcards, attempt: 700 * attempt, runtime=5, tasks=2
    shell: "touch {{output}}"
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """What each call gave, or its error."""
    folder = tmp_path_factory.mktemp("inside")
    (folder / "own.yaml").write_text("own: 1\n", encoding="utf-8")
    text = WORKFLOW.format(inside=INSIDE, calls=list(EXPECTED))
    (folder / "Snakefile").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "snakemake", "--executor", "slurm-patient", "--jobs", "1",
               "--resources", "mem_mb=1000"]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert (folder / "found.json").exists(), done.stderr
    return json.loads((folder / "found.json").read_text()) | {"folder": str(folder)}


@pytest.mark.parametrize("call", EXPECTED)
def test_snakemake_still_has_what_is_taken_from_its_inside(found, call):
    wanted = json.loads(json.dumps(EXPECTED[call]).replace("{folder}", found["folder"]))
    assert found[call] == wanted, f"{call}: {found[call]}"


def functions(**workflow) -> dict:
    """The functions of the file, which is plain Python, with a workflow of the test's making."""
    names = {"workflow": SimpleNamespace(**{"is_main_process": False} | workflow)}
    exec(compile(INSIDE.read_text(encoding="utf-8"), str(INSIDE), "exec"), names)
    return names


def test_every_function_is_tried():
    defined = set(re.findall(r"^def (\w+)", INSIDE.read_text(encoding="utf-8"), re.MULTILINE))
    assert defined == {re.findall(r"\w+(?=\()", call)[-1] for call in EXPECTED}


def test_jobs_of_this_machine_have_no_executor():
    assert functions(local_exec=True)["executor_of_jobs"]() == ""


def test_cores_that_a_function_tells_are_asked_of_the_job():
    job = SimpleNamespace(
        rule=SimpleNamespace(resources={"_cores": SimpleNamespace(value=max)}), threads=5
    )
    assert functions()["threads_of"](job) == 5


def test_nothing_else_looks_into_snakemake():
    others = [*(ROOT / "rules").glob("*.smk"), ROOT / "workflow" / "Snakefile"]
    for path in set(others) - {INSIDE}:
        text = path.read_text(encoding="utf-8")
        assert not re.findall(r"\bworkflow\.\w+|\.rule\.|\bdag\.", text), path


def test_the_bound_of_the_version_is_the_one_of_the_environment():
    python_in = (ROOT / "envs" / "python.in").read_text(encoding="utf-8")
    (bound,) = re.findall(r"^snakemake\S*>=9\.27,<(\d+)\.(\d+)\b", python_in, re.MULTILINE)
    assert functions()["UNTRIED"] == tuple(map(int, bound))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r'"snakemake\S*>=9\.27,<(\d+)\.(\d+)"', project) == [bound]
    (locked,) = re.findall(
        r"^snakemake==(\d+)\.(\d+)", Path(ROOT / "envs/python.lock").read_text(), re.MULTILINE
    )
    assert (9, 27) <= tuple(map(int, locked)) < functions()["UNTRIED"]


@pytest.mark.parametrize(
    ("version", "told"), [("9.27.1", False), ("9.28.0", True), ("10.1", True), ("9.27.99", False)]
)
def test_a_snakemake_that_was_not_tried_is_told_of(version, told):
    names = functions()
    words = []
    names["version"] = lambda package: version
    names["logger"] = SimpleNamespace(warning=words.append)
    names["tell_of_untried_version"]()
    assert bool(words) is told
    assert not words or version in words[0]
