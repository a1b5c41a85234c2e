"""What comes into a process from other software: put right where possible, else told.

Modules of a computing centre, an active conda environment or another Python leave variables that
lead GDAL, PROJ and Python to files which are not theirs. Containers and batch systems give no home.

`prepare` puts right what it can: at each start of the Python of `make setup` (envs/setup.sh), and
everywhere before the first module of this package, thus before GDAL is loaded. What it did is told
by `environment_remarks`, for logs; what it could not mend by `environment_problems`, for the check,
each job and the doctor.

Nothing but `os` and `sys` is imported at first: another Python's modules may be in the way, and
every start of Python comes by here.
"""

import os
import sys

NOTES = "IOTA2_ENVIRONMENT"
"""Environment variable: what `prepare` did, one line each, also for the processes started here."""

HOOK = "iota2_environment"
"""Name of this module where Python imports it at its start (envs/setup.sh)."""

FOLDERS = {
    "PROJ_DATA": "proj.db",
    "PROJ_LIB": "proj.db",
    "GDAL_DATA": "gdalvrt.xsd",
    "OTB_APPLICATION_PATH": "otbapp_",
}
"""Variables that name folders of data, and how a file begins that must be in one of them."""

OWN_PLACES = {"XDG_CACHE_HOME": ".cache", "MPLCONFIGDIR": os.path.join(".config", "matplotlib")}
"""Variables of what programs keep in a home, and where it lies in one that stands for it."""

DRIVERS = ("GTiff", "COG", "GPKG", "VRT", "MEM")
"""Of GDAL, that the chain reads and writes by."""

NAMES_TOLD = 4


def prepare() -> None:
    """Put right what the environment brings; once is enough, again does no harm."""
    notes = [*_own_packages_first(), *_folders_without_data(), *_plugins(), *_home(), *_name()]
    if notes:
        os.environ[NOTES] = "\n".join(dict.fromkeys([*environment_remarks(), *notes]))


def environment_remarks() -> list[str]:
    """What `prepare` did, in this process or in those that led to it."""
    return os.environ.get(NOTES, "").splitlines()


def environment_problems() -> list[str]:
    """What of other software is in the way and could not be put right; each with its remedy.

    Judged by what this process has imported: Python's modules first, then GDAL and PROJ if the
    module `osgeo` is loaded.
    """
    found = [*_foreign_modules(), *_no_home()]
    if "osgeo" in sys.modules:
        found += [*_foreign_gdal(), *lacking_formats(), *_no_projections()]
    return found


# Python's modules.


def python_path() -> list[str]:
    """Folders that PYTHONPATH puts before those of this environment."""
    if sys.flags.ignore_environment:
        return []
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return [os.path.abspath(folder) for folder in given if folder]


def _own_packages_first() -> list[str]:
    """Search folders of PYTHONPATH last: they add what this environment lacks, and hide nothing."""
    others = [folder for folder in sys.path if os.path.abspath(folder) in python_path()]
    if not others or sys.path[-len(others) :] == others:
        return []
    sys.path[:] = [folder for folder in sys.path if folder not in others] + others
    return [
        f"PYTHONPATH: {folder} has {_listed(names)} of its own; those of this environment are taken"
        for folder in others
        if (names := own_names() & modules_of(folder))
    ]


def _listed(names: set[str]) -> str:
    told = sorted(names)[:NAMES_TOLD]
    more = len(names) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def own_names() -> set[str]:
    """Modules and packages that this environment has itself, Python's own among them."""
    others = python_path()
    sites = [
        folder
        for folder in sys.path
        if os.path.basename(folder) in ("site-packages", "dist-packages") and folder not in others
    ]
    return set(sys.stdlib_module_names).union(*(modules_of(folder) for folder in sites))


def modules_of(folder: str) -> set[str]:
    """Modules and packages in a folder."""
    try:
        entries = os.listdir(folder)
    except OSError:  # absent, or an archive
        return set()
    modules = {entry.split(".")[0] for entry in entries if entry.endswith((".py", ".so"))}
    packages = {
        entry
        for entry in entries
        if "." not in entry and os.path.isfile(os.path.join(folder, entry, "__init__.py"))
    }
    return modules | packages


def origin_of(name: str) -> str:
    """File that a module was, or would be, imported from; empty if there is none."""
    loaded = getattr(sys.modules.get(name), "__file__", None)
    if loaded:
        return loaded
    from importlib.util import find_spec

    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        return ""
    return (spec and spec.origin) or ""


def _foreign_modules() -> list[str]:
    """Modules of PYTHONPATH that stand for those of this environment, here or in Snakemake."""
    found = []
    for folder in python_path():
        names = own_names() & modules_of(folder)
        taken = names | _other_copy(folder)
        if HOOK in sys.modules:
            taken = {name for name in taken if origin_of(name).startswith(folder + os.sep)}
        if taken:
            found.append(
                f"PYTHONPATH: {_listed(taken)} would come from {folder}, not from this environment "
                f"({sys.prefix}): unset PYTHONPATH, or take that folder out of it"
            )
    return found


def _other_copy(folder: str) -> set[str]:
    """The name of this package, if a folder holds another copy than the one installed."""
    from importlib.machinery import PathFinder

    name = "iota2_tools"
    if not os.path.isdir(os.path.join(folder, name)):
        return set()
    for finder in sys.meta_path:  # of `pip install --editable`
        spec = None if finder is PathFinder else finder.find_spec(name, None)
        if spec and spec.origin and os.path.dirname(os.path.dirname(spec.origin)) != folder:
            return {name}
    return set()


def unimportable(error: ImportError) -> str:
    """Why other software cannot be imported, and what to do; empty if this package is at fault."""
    first: BaseException = error  # the last one may only tell that another failed
    while isinstance(first.__cause__ or first.__context__, ImportError):
        first = first.__cause__ or first.__context__ or first
    name, file = getattr(first, "name", None) or "", getattr(first, "path", None) or ""
    if name.split(".")[0] == "iota2_tools":
        return ""
    if not file:
        file = _last_file(first)
        file = "" if file.startswith(os.path.dirname(os.path.dirname(__file__))) else file
    reason = " ".join(str(first).split())
    told = f"{file}: cannot be imported ({reason})" if file else reason
    if any(file.startswith(folder + os.sep) for folder in python_path()):
        return f"{told}; {blamed('PYTHONPATH', '')}"
    return f"{told}; {blamed('LD_LIBRARY_PATH', 'install it again')}"


def _last_file(error: BaseException) -> str:
    """The file where an exception was raised; empty if it is none."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    file = trace.tb_frame.f_code.co_filename if trace else ""
    return "" if file.startswith("<") else file


# GDAL, PROJ, Orfeo ToolBox.


def _folders_without_data() -> list[str]:
    """Leave out variables of data whose folders do not hold them."""
    notes = []
    for variable, wanted in FOLDERS.items():
        value = os.environ.get(variable)
        if value is None or any(_holds(folder, wanted) for folder in value.split(os.pathsep)):
            continue
        del os.environ[variable]
        what = f"{wanted}*" if wanted.endswith("_") else wanted
        notes.append(f"{variable}={value} is left out: there is no {what}")
    return notes


def _holds(folder: str, beginning: str) -> bool:
    try:
        return any(entry.startswith(beginning) for entry in os.listdir(folder))
    except OSError:
        return False


def _plugins() -> list[str]:
    """Leave out plugins of GDAL: two GDALs work here (pyogrio has its own), one at least is another."""
    value = os.environ.get("GDAL_DRIVER_PATH", "disable")
    if value == "disable":
        return []
    del os.environ["GDAL_DRIVER_PATH"]
    return [f"GDAL_DRIVER_PATH={value} is left out: plugins of another GDAL could be loaded"]


def _foreign_gdal() -> list[str]:
    """A library of GDAL of another version than its Python module, as by LD_LIBRARY_PATH."""
    from importlib.metadata import distributions

    from osgeo import gdal

    folder = os.path.dirname(os.path.dirname(gdal.__file__))
    for found in distributions(name="gdal", path=[folder]):
        module, library = found.version, gdal.VersionInfo("RELEASE_NAME")
        if module.split(".")[:2] != library.split(".")[:2]:
            return [
                f"GDAL's Python module is of version {module}, its library of {library}: "
                f"{blamed('LD_LIBRARY_PATH', 'install them again')}"
            ]
    return []


def lacking_formats() -> list[str]:
    """Formats and compressions without which no product can be written."""
    from osgeo import gdal

    lacking = [name for name in DRIVERS if gdal.GetDriverByName(name) is None]
    tiff = gdal.GetDriverByName("GTiff")
    if tiff and "ZSTD" not in tiff.GetMetadataItem("DMD_CREATIONOPTIONLIST"):
        lacking.append("zstd compression")
    if not lacking:
        return []
    release = gdal.VersionInfo("RELEASE_NAME")
    remedy = blamed("GDAL_SKIP", "another build of GDAL is needed, such as Debian's")
    return [f"GDAL {release} lacks {', '.join(lacking)}: {remedy}"]


def _no_projections() -> list[str]:
    """PROJ that finds no definitions, or only those of another version."""
    from osgeo import gdal, osr

    system = osr.SpatialReference()
    gdal.ErrorReset()
    gdal.PushErrorHandler("CPLQuietErrorHandler")
    try:
        failed = system.ImportFromEPSG(32631)
        reason = gdal.GetLastErrorMsg()
    except RuntimeError as error:
        failed, reason = True, str(error)
    finally:
        gdal.PopErrorHandler()
    if not failed:
        return []
    variable = "PROJ_DATA" if "PROJ_DATA" in os.environ else "PROJ_LIB"
    return [f"{reason.rstrip('.')}: {blamed(variable, 'install proj-data')}"]


def blamed(variable: str, otherwise: str) -> str:
    """What to do: unset a variable if it is set, else something else."""
    value = os.environ.get(variable)
    return f"unset {variable} (it is {value})" if value else otherwise


# Home, and the name of the user.


def _home() -> list[str]:
    """Give a home to a user without one, and a place for caches where none can be written."""
    home = os.path.expanduser("~")
    notes = []
    if not os.path.isdir(home):
        own = _own_folder()
        if not own:
            return []
        given = os.environ.get("HOME")
        told = f"HOME={given} is no folder" if given else "no home is known"
        notes.append(f"{told}: {own} stands for it")
        os.environ["HOME"] = home = own
    config = os.environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    usual = (os.path.join(home, ".cache"), os.path.join(config, "matplotlib"))
    for variable, place in zip(OWN_PLACES, usual, strict=True):
        place = os.environ.get(variable) or place
        if _can_be_made(place) or not (own := _own_folder()):
            continue
        os.environ[variable] = os.path.join(own, OWN_PLACES[variable])
        notes.append(f"{place} cannot be written: {variable} is {os.environ[variable]}")
    return notes


def _can_be_made(folder: str) -> bool:
    """Whether a folder is there and can be written, or can be made."""
    folder = os.path.abspath(folder)
    while not os.path.lexists(folder) and folder != os.path.dirname(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def _own_folder() -> str:
    """A folder of this user among the temporary ones, the same each time; empty if there is none.

    One that others may write to could hold settings of theirs: then a new one is made.
    """
    import stat
    import tempfile  # takes long

    try:
        folder = os.path.join(tempfile.gettempdir(), f"iota2-home-{os.getuid()}")
        if not os.path.lexists(folder):
            os.makedirs(folder, 0o700, exist_ok=True)
        found = os.lstat(folder)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o22:
            return folder
        return tempfile.mkdtemp(prefix="iota2-home-")
    except OSError:
        return ""


def _no_home() -> list[str]:
    home = os.path.expanduser("~")
    if os.path.isdir(home):
        return []
    return [f"{home} is no folder, and none can be made: set HOME or TMPDIR to one of yours"]


def _name() -> list[str]:
    """Give a name to a user without entry, for what asks for one (getpass.getuser)."""
    if any(os.environ.get(name) for name in ("LOGNAME", "USER", "LNAME", "USERNAME")):
        return []
    import pwd

    number = os.getuid()
    try:
        pwd.getpwuid(number)
    except KeyError:
        os.environ["LOGNAME"] = f"user{number}"
        return [f"user {number} has no name: LOGNAME is user{number}"]
    return []
