"""Take each protection of the fault tables away, and see that its test fails: make test-protections

make test-protections ONLY=word     the protections with that word in their name, file or tests

For each protection the project's files are copied to a temporary folder, the lines that protect
are changed there, and its tests run in the copy. Each must fail, by an assertion of its own: not
in its set-up, nor because it was broken before, so all of them run once on an unchanged copy first.
Snakemake's plugin for Slurm is copied too, to be changed like our own code.
As root on Debian, like all tests of this folder. The Python environment must be readable by all.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.append(str(ROOT / "tests"))
from files_of_project import files_of_project  # noqa: E402

# Packages that must come from the copy, each with its folder there. Jobs run with the interpreter
# of the Snakemake that submits them.
EXECUTOR = "executors/drmaa_verified/src/snakemake_executor_plugin_drmaa_verified"
PLUGIN = "snakemake_executor_plugin_slurm"
PATIENT = "executors/slurm_patient/src/snakemake_executor_plugin_slurm_patient"
PACKAGES = {
    "iota2_tools": "iota2_tools",
    Path(EXECUTOR).name: EXECUTOR,
    Path(PATIENT).name: PATIENT,
    PLUGIN: PLUGIN,
}


@dataclass(frozen=True)
class Protection:
    """Lines that protect, and the tests that must fail without them.

    Attributes
    ----------
    name : str
        What is true while they are there.
    file : str
        In the copy.
    old, new : str
        Text that stands there once, and what takes the protection away.
    tests : tuple of str
        Each must fail.
    """

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


def of_slurm(*tests: str) -> tuple[str, ...]:
    """Tests of Slurm, by the ends of their names."""
    return tuple(f"tests/cluster/test_slurm.py::test_{name}" for name in tests)


def of_engine(*tests: str) -> tuple[str, ...]:
    """Tests of Grid Engine, by the ends of their names."""
    return tuple(f"tests/cluster/test_gridengine.py::test_{name}" for name in tests)


NOT_ENDED_WELL = "a_job_that_did_not_end_well_is_told_and_its_file_is_never_merged"
FAILURE_TOLD = "a_failure_is_told_with_its_id_its_reason_and_its_log"

SLURM = [
    Protection(
        "slurm-native: exit status, SIGKILL, time, memory, scancel: no such end is a success",
        f"{PLUGIN}/__init__.py",
        'if status == "COMPLETED":',
        'if status == "COMPLETED" or status in fail_stati:',
        of_slurm(
            f"{NOT_ENDED_WELL}[slurm-native-exits]",
            f"{NOT_ENDED_WELL}[slurm-native-killed]",
            f"{NOT_ENDED_WELL}[slurm-native-late]",
            f"{NOT_ENDED_WELL}[slurm-native-deleted]",
            f"{NOT_ENDED_WELL}[slurm-native-greedy]",
        ),
    ),
    Protection(
        "slurm-native: a job over its memory is run again",
        "profiles/slurm-native/config.yaml",
        "retries: 2",
        "retries: 0",
        of_slurm("a_job_over_its_memory_is_run_again_with_more[slurm-native]"),
    ),
    Protection(
        "slurm-native: a Slurm that does not answer is waited for",
        f"{PATIENT}/__init__.py",
        "            for job in active_jobs:\n",
        "            for job in ():\n",
        of_slurm("a_job_ends_well_while_the_scheduler_is_down[slurm-native]"),
    ),
    Protection(
        "slurm-native: a job is submitted once Slurm answers",
        f"{PATIENT}/__init__.py",
        "                known_jobs()\n                break\n",
        "                break\n",
        of_slurm("a_job_that_is_ready_while_the_scheduler_is_down_is_submitted_later"),
    ),
    Protection(
        "slurm-native: a job that Slurm forgot is lost after a stated time and tried again",
        f"{PATIENT}/__init__.py",
        "if self._is_lost(job, known):",
        "if False:",
        of_slurm("a_job_that_slurm_forgot_is_lost_after_the_stated_time_and_tried_again"),
    ),
    Protection(
        "slurm-native: a refused submission is told",
        f"{PLUGIN}/__init__.py",
        """                self._report_job_error_threadsafe(
                    SubmittedJobInfo(job),
                    (
                        "SLURM sbatch failed.""",
        """                "".format(
                    SubmittedJobInfo(job),
                    (
                        "SLURM sbatch failed.""",
        of_slurm("a_refused_submission_is_told_in_the_words_of_slurm[slurm-native]"),
    ),
    Protection(
        "slurm-native: requests above the limits are refused",
        "rules/cluster.smk",
        "{resource: limit for resource, limit in limits.items() if limit},",
        "{},",
        of_slurm("requests_above_the_limits_are_refused_before_any_job[slurm-native]"),
    ),
    Protection(
        "slurm-native: Ctrl-C ends the jobs",
        f"{PLUGIN}/__init__.py",
        "        cancel_slurm_jobs(active_jobs, self._submitted_job_clusters, self.logger)",
        "        pass",
        of_slurm("an_interrupted_snakemake_ends_its_jobs[slurm-native]"),
    ),
    Protection(
        "slurm-native: after kill -9 the folder is locked",
        "profiles/slurm-native/config.yaml",
        "keep-going: true",
        "keep-going: true\nnolock: true",
        of_slurm("after_kill_9_no_second_writer_is_submitted"),
    ),
    Protection(
        "slurm-native: after kill -9 no second writer is submitted",
        "rules/cluster.smk",
        'if executor_of_jobs() in ("slurm", "slurm-patient"):',
        "if False:",
        of_slurm("after_kill_9_no_second_writer_is_submitted"),
    ),
]

LATE = [
    Protection(
        f"{profile}: a file that shows late is waited for",
        f"profiles/{profile}/config.yaml",
        "latency-wait: 60",
        "latency-wait: 3",
        tests,
    )
    for profile, tests in (
        ("slurm-native", of_slurm("a_file_that_shows_late_is_waited_for[slurm-native]")),
        ("gridengine", of_engine("a_file_that_shows_late_is_waited_for")),
    )
]

GRID_ENGINE = [
    Protection(
        "drmaa-verified: exit status, SIGKILL, time, qdel: no end without its mark is a success",
        f"{EXECUTOR}/verdict.py",
        "    if marked:\n        return Verdict(Outcome.SUCCEEDED)",
        "    if marked or ending:\n        return Verdict(Outcome.SUCCEEDED)",
        of_engine(
            f"{FAILURE_TOLD}[exit]",
            f"{FAILURE_TOLD}[kill]",
            f"{FAILURE_TOLD}[slow]",
            f"{FAILURE_TOLD}[deleted]",
            "nothing_of_a_failed_job_is_left_or_used[kill]",
        ),
    ),
    Protection(
        "drmaa-verified: exit status, signal and abort are told",
        f"{EXECUTOR}/session.py",
        """        exit_status=info.exitStatus if info.hasExited else None,
        signal=info.terminatedSignal or "an unknown signal" if info.hasSignal else "",
        aborted=info.wasAborted,
""",
        "",
        of_engine(
            f"{FAILURE_TOLD}[exit]",
            f"{FAILURE_TOLD}[kill]",
            f"{FAILURE_TOLD}[slow]",
            f"{FAILURE_TOLD}[deleted]",
        ),
    ),
    Protection(
        "gridengine: a job over its memory is run again",
        "profiles/gridengine/config.yaml",
        "retries: 2",
        "retries: 0",
        of_engine("a_job_over_its_memory_is_tried_again_with_more"),
    ),
    Protection(
        "drmaa-verified: silence is no verdict",
        f"{EXECUTOR}/executor.py",
        """            self.last_words = str(error)
            return False
""",
        """            self.last_words = str(error)
            submission.ending = Ending(aborted=True)
            return False
""",
        of_engine("a_silent_scheduler_is_waited_for_and_nothing_is_guessed"),
    ),
    Protection(
        "drmaa-verified: a submission without an answer is tried again",
        f"{EXECUTOR}/session.py",
        """            if self._is_silence(error):
                raise SchedulerSilent(str(error)) from None
""",
        "",
        of_engine("a_silent_scheduler_is_waited_for_and_nothing_is_guessed"),
    ),
    Protection(
        "drmaa-verified: a submission without an answer would not start any more",
        f"{EXECUTOR}/executor.py",
        "                self._take_back(submission)\n",
        "",
        of_engine("a_silent_scheduler_is_waited_for_and_nothing_is_guessed"),
    ),
    Protection(
        "drmaa-verified: a job deleted before it started is no success",
        f"{EXECUTOR}/verdict.py",
        """        return Verdict(Outcome.AWAITING_MARK)
    return Verdict(Outcome.FAILED, explain(ending, asked))""",
        """        return Verdict(Outcome.AWAITING_MARK)
    return Verdict(Outcome.SUCCEEDED)""",
        of_engine("a_job_deleted_before_it_started_is_no_success"),
    ),
    Protection(
        "drmaa-verified: two Snakemakes do not share a file",
        f"{EXECUTOR}/executor.py",
        "if owner := self.earlier.living_owner(entries.values()):",
        "if owner := None:",
        of_engine("two_snakemakes_do_not_share_a_file"),
    ),
    Protection(
        "drmaa-verified: orphans are ended before their jobs run again",
        f"{EXECUTOR}/earlier.py",
        "            self._runs[token] = run\n",
        "",
        of_engine("orphans_are_ended_before_their_job_runs_again"),
    ),
    Protection(
        "drmaa-verified: an orphan tells its id",
        f"{EXECUTOR}/record.py",
        '            return claimed.name.removeprefix("running.")',
        "            return None",
        of_engine("an_orphan_without_a_known_id_is_ended_too"),
    ),
    Protection(
        "drmaa-verified: a damaged record stops nothing",
        f"{EXECUTOR}/record.py",
        "    except (ValueError, KeyError, TypeError, RecursionError):\n        return {}\n",
        "    except ZeroDivisionError:\n        return {}\n",
        of_engine("a_damaged_record_stops_nothing_and_its_orphan_is_ended"),
    ),
    Protection(
        "drmaa-verified: an orphan in the queue does not start",
        f"{EXECUTOR}/record.py",
        "exit 75",
        "true",
        of_engine("an_orphan_that_waits_in_the_queue_never_starts"),
    ),
    Protection(
        "drmaa-verified: orphans that are gone do not hinder",
        f"{EXECUTOR}/session.py",
        """            if self._is_not_known(error):
                return State.UNKNOWN
""",
        "",
        of_engine("orphans_that_are_gone_do_not_hinder"),
    ),
    Protection(
        "drmaa-verified: Ctrl-C, SIGTERM and a closed terminal end the jobs",
        f"{EXECUTOR}/executor.py",
        "left = self._end([submission.entry for submission in list(self.submissions.values())])",
        "left = []",
        of_engine(
            "a_signal_ends_snakemake_and_its_jobs[2]",
            "a_signal_ends_snakemake_and_its_jobs[15]",
            "a_signal_ends_snakemake_and_its_jobs[1]",
        ),
    ),
    Protection(
        "drmaa-verified: SIGTERM and a closed terminal end Snakemake as Ctrl-C does",
        f"{EXECUTOR}/executor.py",
        "        cancel_on_signals()\n",
        "",
        of_engine(
            "a_signal_ends_snakemake_and_its_jobs[15]",
            "a_signal_ends_snakemake_and_its_jobs[1]",
        ),
    ),
    Protection(
        "drmaa-verified: a refused submission is told in the scheduler's words",
        f"{EXECUTOR}/session.py",
        "            raise SubmissionRefused(_words(error)) from None",
        "            raise",
        of_engine("a_refused_submission_says_why"),
    ),
    Protection(
        "drmaa-verified: no library, or no DRMAA library, is one message",
        f"{EXECUTOR}/session.py",
        "        raise ExecutorError(_loading_problem(error)) from None",
        "        raise",
        of_engine(
            "a_missing_or_wrong_library_is_named_without_traceback[absent]",
            "a_missing_or_wrong_library_is_named_without_traceback[unset]",
            "a_missing_or_wrong_library_is_named_without_traceback[wrong]",
        ),
    ),
    Protection(
        "drmaa-verified: requests above the limits are refused",
        f"{EXECUTOR}/executor.py",
        "                check_limits(self.limits, need)\n",
        "",
        of_engine("a_job_above_the_limits_is_not_submitted"),
    ),
    Protection(
        "drmaa-verified: what cannot be expressed stops before the first submission",
        f"{EXECUTOR}/executor.py",
        "        if problems:\n",
        "        if False:\n",
        of_engine("what_cannot_be_expressed_stops_before_the_first_submission"),
    ),
    Protection(
        "drmaa-verified: the failure of a group is told",
        f"{EXECUTOR}/executor.py",
        "            self.logger.error(message)  # Snakemake does not",
        "            pass  # Snakemake does not",
        of_engine("a_group_is_one_job_and_its_failure_is_told"),
    ),
]

PROTECTIONS = SLURM + LATE + GRID_ENGINE


# A copy of the project.


def copy_project(tree: Path) -> None:
    """Copy what Git would take, as it stands, the plugin for Slurm, and the environment."""
    for name in files_of_project(ROOT):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tree / name)
    shutil.copytree(installed_plugin(), tree / PLUGIN, ignore=shutil.ignore_patterns("__pycache__"))
    copy_environment(tree)


def installed_plugin() -> Path:
    """Folder of Snakemake's plugin for Slurm."""
    return Path(find_spec(PLUGIN).origin).parent


def copy_environment(tree: Path) -> None:
    """Make a Python environment of links to this one, that has the code of the copy.

    PYTHONPATH would not do: it is searched last.
    """
    packages = Path(sysconfig.get_path("purelib"))
    copy = tree / ".venv" / packages.relative_to(sys.prefix)
    copy.mkdir(parents=True)
    for path in packages.iterdir():
        ours = path.suffix == ".pth" or path.name.startswith("__editable__")
        if ours and path.is_file():
            text = path.read_text(encoding="utf-8").replace(str(ROOT), str(tree))
            (copy / path.name).write_text(text, encoding="utf-8")
        elif path.name == PLUGIN:
            (copy / PLUGIN).symlink_to(tree / PLUGIN)
        elif path.name != "__pycache__":
            target = path.resolve()
            inside = target.is_relative_to(ROOT) and not target.is_relative_to(sys.prefix)
            (copy / path.name).symlink_to(tree / target.relative_to(ROOT) if inside else target)
    (tree / ".venv" / "bin").mkdir()
    interpreter(tree).symlink_to(Path(sys.executable).resolve())
    shutil.copy(Path(sys.prefix, "pyvenv.cfg"), tree / ".venv")
    (tree / ".venv" / "etc").mkdir()
    (tree / ".venv" / "etc" / "snakemake").symlink_to(tree / "profiles")


def interpreter(tree: Path) -> Path:
    """The interpreter of a copy."""
    return tree / ".venv" / "bin" / "python"


def environment() -> dict[str, str]:
    """That of the tests: no code but the copy's, and a test that is skipped fails."""
    own = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return own | {"CI": "true"}


def check_imports(tree: Path) -> None:
    """Stop unless the copy's packages are the ones that are imported."""
    program = f"import {', '.join(PACKAGES)}; print(*({'.__file__, '.join(PACKAGES)}.__file__,))"
    done = subprocess.run(
        [str(interpreter(tree)), "-c", program], cwd=tree.parent, env=environment(),
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = [Path(name).resolve() for name in done.stdout.split()]
    if found != [(tree / folder / "__init__.py").resolve() for folder in PACKAGES.values()]:
        raise SystemExit(f"not those of the copy are imported: {done.stdout}")


def without(protection: Protection) -> str:
    """The text of its file without a protection."""
    folder = installed_plugin().parent if protection.file.startswith(PLUGIN) else ROOT
    text = (folder / protection.file).read_text(encoding="utf-8")
    if (found := text.count(protection.old)) != 1:
        raise SystemExit(
            f"{protection.name}: its text stands {found} times in {protection.file}, not once:\n"
            f"{protection.old}"
        )
    return text.replace(protection.old, protection.new)


# Tests, and what became of them.


def run(tests: Iterable[str], tree: Path) -> dict[str, str]:
    """Run tests in a copy; what became of each: `passed`, `failed: ...`, or another reason."""
    outcomes = dict.fromkeys(tests, "did not run")
    report = tree.parent / "report.xml"
    command = [
        str(interpreter(tree)), "-m", "pytest", "-q", "-p", "no:cacheprovider",
        f"--basetemp={tree.parent / 'pytest'}", f"--junitxml={report}", *outcomes,
    ]  # fmt: skip
    subprocess.run(command, cwd=tree, env=environment(), capture_output=True, check=False)
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            name = f"{case.get('classname').replace('.', '/')}.py::{case.get('name')}"
            outcomes[name] = outcome(case)
    return outcomes


def outcome(case: ElementTree.Element) -> str:
    """What became of one test: it failed only if by an assertion of its own."""
    for kind, words in (("error", "broke in its set-up"), ("skipped", "was skipped")):
        if case.find(kind) is not None:
            return f"{words}: {in_a_line(case.find(kind))}"
    failure = case.find("failure")
    if failure is None:
        return "passed"
    asserted = failure.get("message", "").startswith(("assert", "AssertionError"))
    return f"{'failed' if asserted else 'broke'}: {in_a_line(failure)}"


def in_a_line(element: ElementTree.Element) -> str:
    """What pytest says of a failure: its assertion, or the first line."""
    lines = element.get("message", "").splitlines() or ["?"]
    asserted = [line for line in lines if line.startswith("assert ")]
    return (asserted or lines)[0][:120]


def in_a_copy(tests: Iterable[str], protection: Protection | None = None) -> dict[str, str]:
    """Run tests in a copy of the project, with all protections or without one."""
    with tempfile.TemporaryDirectory(prefix="iota2-protections-") as folder:
        tree = Path(folder) / "tree"
        tree.mkdir()
        Path(folder).chmod(0o755)
        copy_project(tree)
        check_imports(tree)
        if protection is not None:
            (tree / protection.file).write_text(without(protection), encoding="utf-8")
        return run(tests, tree)


# The whole.


def main(only: str = "") -> int:
    """Take the protections away, one at a time; 1 if one was not seen to fail."""
    chosen = [
        protection
        for protection in PROTECTIONS
        if only in " ".join([protection.name, protection.file, *protection.tests])
    ]
    if not chosen:
        raise SystemExit(f"no protection holds {only!r}")
    for protection in chosen:
        without(protection)  # a text that is not found is told before all that takes time
    began = time.monotonic()
    before = in_a_copy([test for protection in chosen for test in protection.tests])
    tell("unchanged", began, {test: said for test, said in before.items() if said != "passed"})
    good = sum(seen_to_fail(protection, before) for protection in chosen)
    minutes = (time.monotonic() - began) / 60
    print(f"{good} of {len(chosen)} protections were seen to fail, in {minutes:.0f} minutes")
    return 0 if good == len(chosen) else 1


def seen_to_fail(protection: Protection, before: dict[str, str]) -> bool:
    """Whether all tests of a protection fail without it, which passed with it."""
    began = time.monotonic()
    after = in_a_copy(protection.tests, protection)
    good = all(before[test] == "passed" for test in after) and all(
        said.startswith("failed") for said in after.values()
    )
    still = "STILL PASSES" if "passed" in after.values() else "NOT TOLD"
    tell(f"{'seen to fail' if good else still}: {protection.name}", began, after)
    return good


def tell(what: str, began: float, outcomes: dict[str, str]) -> None:
    """Print a line of the table, and one for each of its tests."""
    print(f"{time.monotonic() - began:5.0f} s  {what}")
    for test, said in outcomes.items():
        print(f"         {test.split('::test_')[1]}: {said}", flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
