"""Variables, modules and homes of other software: what the chain makes of them."""

import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from strangers import STRANGER, folder_of_stranger, run_as_stranger

from iota2_tools.core import environment
from iota2_tools.core.environment import (
    NOTES,
    environment_problems,
    environment_remarks,
    prepare,
    unimportable,
)

ROOT = Path(__file__).parents[2]
TELL = (
    "from iota2_tools.core.environment import environment_problems; print(*environment_problems())"
)


def run(program: str, *arguments: str, **variables: str | Path) -> str:
    """What a new Python prints in an environment with these variables."""
    own = {name: value for name, value in os.environ.items() if name != NOTES}
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False,
        env=own | {name: str(value) for name, value in variables.items()},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def variables(monkeypatch):
    """Sets variables of this process, which has none of other software otherwise."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    for name in (
        *environment.FOLDERS,
        *environment.OWN_PLACES,
        "GDAL_DRIVER_PATH",
        "PYTHONPATH",
        NOTES,
    ):
        os.environ.pop(name, None)
    return os.environ


def old_definitions(folder: Path) -> Path:
    """A proj.db of another, older PROJ."""
    folder.mkdir()
    with sqlite3.connect(folder / "proj.db") as base:
        base.execute("create table metadata (key text, value text)")
        rows = [("DATABASE.LAYOUT.VERSION.MAJOR", "1"), ("DATABASE.LAYOUT.VERSION.MINOR", "0")]
        base.executemany("insert into metadata values (?, ?)", rows)
    return folder


# Folders of data.


@pytest.mark.parametrize("variable", environment.FOLDERS)
def test_a_folder_without_the_data_is_left_out_and_told(variables, tmp_path, variable):
    for folder in (tmp_path / "absent", tmp_path):
        variables[variable] = str(folder)
        prepare()
        assert variable not in variables
        assert f"{variable}={folder} is left out: there is no " in "\n".join(environment_remarks())
    assert len(environment_remarks()) == 2


@pytest.mark.parametrize("variable", environment.FOLDERS)
def test_a_folder_with_the_data_is_kept(variables, tmp_path, variable):
    (tmp_path / f"{environment.FOLDERS[variable]}Smoothing.so").touch()
    value = f"/nowhere{os.pathsep}{tmp_path}"
    variables[variable] = value
    prepare()
    assert variables[variable] == value
    assert environment_remarks() == []


def test_plugins_of_gdal_are_left_out_unless_none_is_asked_for(variables, tmp_path):
    variables["GDAL_DRIVER_PATH"] = "disable"
    prepare()
    assert variables["GDAL_DRIVER_PATH"] == "disable"
    variables["GDAL_DRIVER_PATH"] = str(tmp_path)
    prepare()
    assert "GDAL_DRIVER_PATH" not in variables
    assert len(environment_remarks()) == 1


def test_projections_are_known_where_variables_lead_nowhere():
    """Before GDAL is loaded: it keeps what it has read."""
    program = """
import iota2_tools.geo.grid as grid
from iota2_tools.core.environment import environment_problems, environment_remarks
print(grid.crs_name("EPSG:32631"), environment_problems(), len(environment_remarks()))
"""
    nowhere = {"PROJ_LIB": "/nowhere", "PROJ_DATA": "/nowhere", "GDAL_DATA": "/nowhere"}
    assert run(program, **nowhere) == "EPSG:32631 [] 3\n"


@pytest.mark.parametrize("variable", ["PROJ_LIB", "PROJ_DATA"])
def test_definitions_of_another_proj_are_refused_by_the_name_of_the_variable(tmp_path, variable):
    folder = old_definitions(tmp_path / "old")
    program = f"import osgeo; {TELL}"
    told = run(program, **{variable: folder})
    assert "It comes from another PROJ installation" in told
    assert told.endswith(f"unset {variable} (it is {folder})\n")


def test_a_gdal_without_a_driver_is_refused():
    program = f"import osgeo; {TELL}"
    told = run(program, GDAL_SKIP="COG")
    assert re.fullmatch(r"GDAL \S+ lacks COG: unset GDAL_SKIP \(it is COG\)\n", told)


def test_a_library_of_gdal_of_another_version_is_refused(monkeypatch):
    from osgeo import gdal

    assert environment_problems() == []
    monkeypatch.setattr(gdal, "VersionInfo", lambda _: "9.9.9")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/other/lib")
    (problem,) = environment_problems()
    assert "its library of 9.9.9: unset LD_LIBRARY_PATH (it is /opt/other/lib)" in problem


def test_gdal_is_judged_only_where_it_is_loaded():
    program = """
import sys
from iota2_tools.core.environment import environment_problems
print(environment_problems(), "osgeo" in sys.modules)
"""
    assert run(program, GDAL_SKIP="COG") == "[] False\n"


# Modules of another Python.


@pytest.fixture
def own_python(tmp_path):
    """A Python environment with a package of its own, and the hook of the set-up."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "own"], check=True)
    python = tmp_path / "own" / "bin" / "python"
    site = Path(
        subprocess.run(
            [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
            capture_output=True, text=True, check=True,
        ).stdout.strip()
    )  # fmt: skip
    module(site, "measure", "own = True")
    (site / "__editable__.pth").write_text("import pathlib\n")  # as setuptools leaves it
    setup = (ROOT / "envs" / "setup.sh").read_text(encoding="utf-8")
    function = re.search(r"^install_environment_hook\(\) \{\n.*?^\}\n", setup, re.M | re.S)[0]
    shell = f"set -eu\n{function}\nROOT=$1 PYTHON=$2\ninstall_environment_hook"
    for _ in range(2):  # a second set-up finds it there
        subprocess.run(["bash", "-c", shell, "sh", str(ROOT), str(python)], check=True)
    return python


def module(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True, parents=True)
    (folder / name).mkdir()
    (folder / name / "__init__.py").write_text(text)
    return folder


def told_by(python: Path, program: str, path: Path) -> str:
    done = subprocess.run(
        [python, "-c", program], capture_output=True, text=True, check=True,
        env={"PYTHONPATH": f"{path}{os.pathsep}/nowhere", "HOME": str(path)},
    )  # fmt: skip
    assert done.stderr == ""
    return done.stdout


def test_own_packages_come_before_those_of_pythonpath(own_python, tmp_path):
    other = module(tmp_path / "other", "measure", "raise ImportError('another python')")
    module(other, "otherwise", "found = 1")
    for name in ("enum", "pathlib", "typing"):  # as an old Python's packages bring them
        (other / f"{name}.py").write_text("raise ImportError('another python')")
    program = """
import os, measure, otherwise, pathlib, typing
print(measure.own, otherwise.found, os.environ["IOTA2_ENVIRONMENT"])
"""
    assert told_by(own_python, program, other) == (
        f"True 1 PYTHONPATH: {other} has enum, measure, pathlib, typing of its own; "
        "those of this environment are taken\n"
    )


def test_folders_of_pythonpath_that_hide_nothing_are_not_spoken_of(own_python, tmp_path):
    other = module(tmp_path / "other", "otherwise", "")
    program = "import os, otherwise; print(os.environ.get('IOTA2_ENVIRONMENT'))"
    assert told_by(own_python, program, other) == "None\n"


def test_without_the_hook_what_hides_own_packages_is_refused(tmp_path):
    """Snakemake is started before this package can put anything right."""
    other = module(tmp_path / "other", "numpy", "raise ImportError('another python')")
    program = """
import sys
sys.modules.pop("iota2_environment", None)
import numpy
from iota2_tools.core.environment import environment_problems
print(numpy.ndarray.__name__, *environment_problems())
"""
    # Of this environment, whether or not its set-up has left the hook there.
    told = run(f"import iota2_tools\n{program}", PYTHONPATH=other)
    assert told == (
        f"ndarray PYTHONPATH: numpy would come from {other}, not from this environment "
        f"({sys.prefix}): unset PYTHONPATH, or take that folder out of it\n"
    )


def test_with_the_hook_only_what_is_imported_from_there_is_refused(tmp_path):
    other = module(tmp_path / "other", "numpy", "")
    module(other, "pandas", "")
    program = """
import sys
sys.modules["iota2_environment"] = sys
sys.path.insert(0, sys.argv[1])
import numpy
sys.path.remove(sys.argv[1])
from iota2_tools.core.environment import environment_problems
print(*environment_problems())
"""
    told = run(program, str(other), PYTHONPATH=other)
    assert told.startswith(f"PYTHONPATH: numpy would come from {other}, not from")


def test_another_copy_of_this_package_is_refused(tmp_path, monkeypatch):
    class Editable:
        """What `pip install --editable` leaves."""

        @staticmethod
        def find_spec(name, _path):
            return importlib_spec(name, ROOT / "iota2_tools" / "__init__.py")

    from importlib.util import spec_from_file_location as importlib_spec

    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, Editable])
    monkeypatch.delitem(sys.modules, environment.HOOK, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(module(tmp_path / "other", "iota2_tools", "")))
    (problem,) = environment._foreign_modules()
    assert "iota2_tools would come from" in problem
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    assert environment._foreign_modules() == []


def test_what_cannot_be_imported_is_told_with_its_file_and_the_variable(tmp_path, monkeypatch):
    other = module(tmp_path / "other", "foreign_one", "import foreign_two")
    module(other, "foreign_two", "raise ImportError('built for another python')")
    monkeypatch.syspath_prepend(str(other))
    with pytest.raises(ImportError) as caught:
        __import__("foreign_one")
    file = other / "foreign_two" / "__init__.py"
    told = f"{file}: cannot be imported (built for another python); "
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    assert unimportable(caught.value) == f"{told}install it again"
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/x")
    assert unimportable(caught.value) == f"{told}unset LD_LIBRARY_PATH (it is /opt/x)"
    monkeypatch.setenv("PYTHONPATH", str(other))
    assert unimportable(caught.value) == f"{told}unset PYTHONPATH (it is {other})"


def test_the_first_failure_of_several_is_told():
    first, last = ImportError("libproj.so.25: wrong version"), ImportError("no module _gdal")
    last.__context__ = first
    assert unimportable(last).startswith("libproj.so.25: wrong version; ")


def test_a_module_that_is_missing_is_told_by_name(monkeypatch):
    monkeypatch.delenv("LD_LIBRARY_PATH", raising=False)
    with pytest.raises(ImportError) as caught:
        exec("import nosuchmodule")
    assert unimportable(caught.value) == "No module named 'nosuchmodule'; install it again"


def test_a_fault_of_this_package_is_no_missing_software():
    with pytest.raises(ImportError) as caught:
        from iota2_tools.core.errors import NoSuchError  # noqa: F401
    assert unimportable(caught.value) == ""


def test_a_command_without_its_software_ends_with_one_line(tmp_path):
    other = module(tmp_path / "other", "numpy", "raise ImportError('another python')")
    program = """
import iota2_tools, sys
sys.path.insert(0, sys.argv[1])
from iota2_tools.commands.cli import main
sys.exit(main(["check", "absent.yaml"]))
"""
    command = [sys.executable, "-c", program, str(other)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"iota2: {other}/numpy/__init__.py: cannot be imported")
    assert done.stderr.count("\n") == 1


# Home and name.


def test_a_home_that_is_no_folder_is_replaced_by_the_same_one_each_time(tmp_path):
    program = "import iota2_tools, os; print(os.environ['HOME'])"
    own = tmp_path / f"iota2-home-{os.getuid()}"
    for _ in range(2):
        assert run(program, HOME="/nonexistent", TMPDIR=tmp_path) == f"{own}\n"
    assert own.stat().st_mode & 0o777 == 0o700


def test_a_home_is_left_as_it_is(tmp_path):
    program = "import iota2_tools, os; print(os.environ['HOME'], os.environ.get('XDG_CACHE_HOME'))"
    assert (
        run(program, HOME=tmp_path, XDG_CACHE_HOME=tmp_path / "c") == f"{tmp_path} {tmp_path}/c\n"
    )


def test_a_folder_that_others_may_write_to_is_no_home(tmp_path):
    bait = tmp_path / f"iota2-home-{os.getuid()}"
    bait.mkdir()
    bait.chmod(0o777)
    program = "import iota2_tools, os; print(os.environ['HOME'])"
    given = Path(run(program, HOME="/nonexistent", TMPDIR=tmp_path).strip())
    assert given != bait
    assert given.parent == tmp_path
    assert given.stat().st_mode & 0o777 == 0o700


def test_a_file_is_no_home(tmp_path):
    (tmp_path / f"iota2-home-{os.getuid()}").touch()
    program = "import iota2_tools, os; print(os.path.isdir(os.environ['HOME']))"
    assert run(program, HOME="/nonexistent", TMPDIR=tmp_path) == "True\n"


def test_a_folder_of_another_user_is_no_home():
    program = "import iota2_tools, os; print(os.environ['HOME'])"
    with folder_of_stranger() as folder:
        bait = folder / f"iota2-home-{STRANGER}"
        bait.mkdir(mode=0o700)
        given = run_as_stranger(program, folder).stdout.strip()
    assert Path(given).parent == folder
    assert given != str(bait)


def test_a_link_is_no_home(tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    (tmp_path / f"iota2-home-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    program = "import iota2_tools, os; print(os.environ['HOME'])"
    given = run(program, HOME="/nonexistent", TMPDIR=tmp_path).strip()
    assert given not in (str(tmp_path / "elsewhere"), str(tmp_path / f"iota2-home-{os.getuid()}"))


def test_without_any_folder_to_write_the_want_of_a_home_is_a_problem(variables, monkeypatch):
    monkeypatch.setattr(environment, "_own_folder", lambda: "")
    variables["HOME"] = "/nonexistent"
    prepare()
    assert variables["HOME"] == "/nonexistent"
    assert environment._no_home() == [
        "/nonexistent is no folder, and none can be made: set HOME or TMPDIR to one of yours"
    ]


def test_caches_go_elsewhere_where_the_home_cannot_be_written():
    program = """
import iota2_tools, os
print(os.environ["HOME"], os.environ["XDG_CACHE_HOME"], os.environ["MPLCONFIGDIR"])
"""
    with folder_of_stranger() as folder:
        done = run_as_stranger(program, folder, HOME="/")
        own = f"{folder}/iota2-home-{STRANGER}"
        assert done.stdout == f"/ {own}/.cache {own}/.config/matplotlib\n"


def test_a_cache_that_can_be_written_is_kept_where_the_home_cannot_be():
    program = "import iota2_tools, os; print(os.environ['XDG_CACHE_HOME'])"
    with folder_of_stranger() as folder:
        done = run_as_stranger(program, folder, HOME="/", XDG_CACHE_HOME=f"{folder}/mine")
        assert done.stdout == f"{folder}/mine\n"


@pytest.mark.slow
def test_snakemake_plots_and_compiled_code_work_for_a_user_without_account():
    """A run of Snakemake: it is Snakemake that ended with a traceback."""
    program = """
import iota2_tools, getpass, os
from pathlib import Path
from snakemake.cli import main
print(getpass.getuser(), os.environ["HOME"])
Path("Snakefile").write_text("rule a:\\n    output: 'a.txt'\\n    shell: 'touch a.txt'\\n")
import matplotlib.pyplot
main(["--cores", "1", "--quiet", "all"])
"""
    with folder_of_stranger() as folder:
        done = run_as_stranger(program, folder)
        assert done.stdout.startswith(f"user{STRANGER} {folder}/iota2-home-{STRANGER}\n")
        assert (folder / "a.txt").exists(), done.stderr
        assert "Traceback" not in done.stderr
        assert "temporary" not in done.stderr  # what matplotlib says without a place of its own


def test_a_user_with_a_name_keeps_it(variables):
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        variables.pop(name, None)
    prepare()
    assert "LOGNAME" not in variables  # the list of accounts has one
