"""The set-up, by its own script: without root, repeated, killed, interrupted, moved."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from clones import ROOT, Clone, ask_for, listing

WAITING = "another set-up is at work in this folder"
# The file before which a set-up stops.
IN_VENV = ".venv/bin/activate"
IN_MODULES = "small_library/m700.py"
IN_RECORD = "small_library-1.0.dist-info/INSTALLER"
IN_PACKAGE = "iota2_tools-0.1.0.dist-info/INSTALLER"


def test_a_user_without_root_is_told_which_packages_are_missing_and_nothing_is_made(clone):
    ask_for(clone, "apt.txt", "no-such-package-a", "no-such-package-b   # a comment")
    before = clone.listing()
    said = clone.set_up(check=False)
    assert "apt-get install --no-install-recommends no-such-package-a no-such-package-b\n" in said
    assert "neither root nor passwordless sudo" in said
    assert clone.listing() == before


def test_a_user_without_root_sets_up_and_the_second_run_changes_nothing(clone):
    clone.set_up()
    clone.check_whole()
    before = clone.listing()
    assert clone.set_up().count("[setup]") == 1  # "ready"
    assert clone.listing() == before


def test_an_otb_from_elsewhere_is_left_as_it_is_and_its_packages_are_not_asked_for(clone, workshop):
    ask_for(clone, "apt-otb.txt", "no-such-package")
    before = listing(workshop / "elsewhere")
    clone.set_up(OTB="yes")
    assert not list(clone.site.glob("*otbApplication*"))
    assert not (clone.folder / ".setup").exists()
    assert listing(workshop / "elsewhere").keys() - before.keys() == set()


@pytest.fixture
def without_otb(workshop):
    """No otbApplication anywhere: neither elsewhere nor as Debian's packages."""
    there, away = workshop / "elsewhere" / "otbApplication.py", workshop / "otbApplication.py"
    there.rename(away)
    yield
    away.rename(there)


def test_the_toolbox_is_installed_only_where_it_is_asked_for(clone, without_otb):
    ask_for(clone, "apt-otb.txt", "no-such-package")
    assert "no-such-package" not in clone.set_up()
    assert "no-such-package" in clone.set_up(check=False, OTB="yes")
    said = clone.set_up(OTB="auto")
    assert "without the Orfeo ToolBox" in said
    assert "no-such-package" in said
    clone.check_whole()


APT_CACHE = """#!/bin/sh
# Like the real one, content if it knows any.
shift; known=100
for package; do [ "$package" != known-package ] || known=0; done
exit $known
"""


def test_a_debian_without_the_toolbox_is_told_also_where_it_has_some_of_the_packages(
    clone, without_otb
):
    (clone.folder / "envs" / "apt-otb.txt").write_text("known-package\nno-such-package\n")
    programs = clone.folder.parent / "programs"
    programs.mkdir()
    for name, text in (
        ("apt-cache", APT_CACHE),
        ("apt-get", "#!/bin/sh\nexit 1\n"),
        ("sudo", '#!/bin/sh\nshift\nexec "$@"\n'),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)
    # With modules loaded, programs of PATH come before those of the system.
    clone.variables |= {"PATH": f"{programs}:{os.environ['PATH']}", "LOADEDMODULES": "any"}
    said = clone.set_up(OTB="auto")
    assert "without the Orfeo ToolBox: this Debian has no packages of it" in said
    assert "this Debian has no packages of it" in clone.set_up(check=False, OTB="yes")


def test_a_word_that_is_none_of_the_three_is_refused(clone):
    assert "OTB=perhaps: say no, auto or yes" in clone.set_up(check=False, OTB="perhaps")


@pytest.mark.parametrize("place", [IN_VENV, IN_MODULES, IN_RECORD, IN_PACKAGE])
def test_a_killed_set_up_is_taken_up_where_it_stopped(clone, place):
    with clone.stopped(place) as process:
        os.killpg(process.pid, signal.SIGKILL)
    assert not list(clone.folder.rglob(place))
    clone.set_up()
    clone.check_whole()
    before = clone.listing()
    clone.set_up()
    assert clone.listing() == before


def test_what_is_finished_before_a_kill_is_not_made_again(clone):
    with clone.stopped(IN_PACKAGE) as process:
        os.killpg(process.pid, signal.SIGKILL)
    activate, module = clone.folder / IN_VENV, clone.site / IN_MODULES
    before = activate.stat().st_mtime_ns, module.stat().st_mtime_ns
    said = clone.set_up()
    assert "virtual environment" not in said
    assert "Python packages" not in said
    assert (activate.stat().st_mtime_ns, module.stat().st_mtime_ns) == before


def test_what_a_killed_set_up_left_running_is_waited_for(clone):
    """Only the script dies; its pip goes on."""
    with clone.stopped(IN_MODULES) as process:
        os.kill(process.pid, signal.SIGKILL)
        with clone.start() as second:
            assert WAITING in second.stdout.readline()
            clone.go_on()
            said = second.communicate(timeout=300)[0]
            assert second.returncode == 0, said
    clone.check_whole()


def test_ctrl_c_ends_everything_and_the_next_run_goes_on(clone):
    with clone.stopped(IN_MODULES) as process:
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)
    assert process.returncode != 0
    assert WAITING not in clone.set_up()
    clone.check_whole()


def test_a_moved_clone_gets_an_environment_of_its_own(clone, workshop):
    clone.set_up()
    moved = Clone(workshop / "moved")
    clone.folder.rename(moved.folder)
    moved.set_up()
    moved.check_whole()


def test_the_environment_of_these_tests_stands_and_a_set_up_leaves_it_as_it_is():
    if Path(sys.prefix) != ROOT / ".venv":
        reason = f"these tests run in {sys.prefix}, not in {ROOT / '.venv'}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    before = listing(ROOT / ".venv")
    subprocess.run(["bash", ROOT / "envs/setup.sh"], check=True)
    assert listing(ROOT / ".venv") == before
