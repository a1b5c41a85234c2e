#!/usr/bin/env bash
# Installs all that the chain needs: Debian packages, `.venv`, and the Orfeo ToolBox where asked for.
# What environment modules give (`module load python gdal otb`) is taken, and not installed.
#
# Each step first looks whether its result stands, so a second run changes nothing
# and an interrupted one goes on where it stopped.
#
# Usage: bash envs/setup.sh        (from anywhere; `make setup` calls it)
#   OTB=no    without the Orfeo ToolBox, unless there is one (default)
#   OTB=auto  with it, where Debian has it and it can be installed
#   OTB=yes   with it, or fail
#   IOTA2_PYTHON=/path/to/python3  another Python than the first in PATH
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian's tools first: a compiler or gdal-config of conda would not fit. dpkg needs sbin, `su` forgets it.
# With environment modules what they put in front stays there.
ROOT=$(pwd -P)
readonly ROOT
readonly VENV=$ROOT/.venv
readonly PYTHON=$VENV/bin/python
readonly SCRATCH=$ROOT/.setup
PATH=${PATH//$VENV\/bin:/} # of the Makefile, or of `activate`
if [ -n "${LOADEDMODULES:-}" ]; then
    export PATH=$PATH:/usr/sbin:/usr/bin:/sbin:/bin
else
    export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
fi
readonly OTB=${OTB:-no}

say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }
die() { printf '[setup] %s\n' "$*" >&2; exit 1; }

case $OTB in
    no | auto | yes) ;;
    *) die "OTB=$OTB: say no, auto or yes" ;;
esac

has() { command -v "$1" > /dev/null; }
# The interpreter that the environment is made of.
host_python() { echo "${IOTA2_PYTHON:-$(command -v python3 || true)}"; }

# One set-up at a time. What a killed one left running (pip, a compiler) holds this lock as well.
take_turn() {
    local status=0
    exec 9< envs/setup.sh
    flock --nonblock --conflict-exit-code 75 9 || status=$?
    [ "$status" -eq 75 ] || return 0 # ours, or a file system without locks
    say "another set-up is at work in this folder, or the rest of one that was killed: waiting for it"
    flock 9
}

may_write() {
    [ -w "$1" ] || die "$1 belongs to $(stat -c %U "$1"), and you may not write there.
  Type the same command as that user, or work in a copy of this folder that is yours."
}

# Whether Python finds a module by PYTHONPATH: that of an Orfeo ToolBox or GDAL not of this set-up's making.
is_from_elsewhere() {
    local python=$PYTHON origin
    local where='import importlib.util as u, sys; print(getattr(u.find_spec(sys.argv[1]), "origin", None))'
    [ -x "$python" ] || python=$(host_python)
    [ -x "$python" ] || return 1
    origin=$("$python" -c "$where" "$1")
    [ "$origin" != None ] && [ "$origin" != "$("$python" -E -c "$where" "$1")" ]
}

# What modules, or a system without Debian's packages, give instead of a Debian package.
is_given() {
    if has dpkg-query && [ -z "${LOADEDMODULES:-}" ]; then return 1; fi
    case $1 in
        ca-certificates | graphviz) return 0 ;; # nothing here fails without
        libgdal-dev) is_from_elsewhere osgeo || has gdal-config || ! has dpkg-query ;;
        g++) has g++ || ! compiles_gdal ;;
        python3-dev) ! compiles_gdal || has_python_headers ;;
        python3-venv) "$(host_python)" -c 'import ensurepip, venv' 2> /dev/null ;;
        *) return 1 ;;
    esac
}

compiles_gdal() { ! is_from_elsewhere osgeo && has gdal-config; }
has_python_headers() {
    "$(host_python)" -c 'import os, sys, sysconfig
sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))'
}

# Usage: missing_packages LIST
missing_packages() {
    local package
    sed 's/#.*//' "$1" | xargs -n1 | while read -r package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            is_given "$package" || echo "$package"
    done
}

# Sets `as_root` to what precedes a command of root; fails without a way to be root.
become_root() {
    as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        if ! has sudo || ! sudo -n true 2>/dev/null; then return 1; fi
        as_root=(sudo -n)
    fi
    as_root+=(env LC_ALL=C DEBIAN_FRONTEND=noninteractive)
}

# Usage: install_apt_packages LIST
install_apt_packages() {
    local missing as_root
    missing=$(missing_packages "$1" | xargs)
    [ -n "$missing" ] || return 0
    if ! has apt-get; then
        die "these are missing, by the names of Debian's packages: $missing
  Load modules that have them, or install them, then type the same command again.
  Without any of them: pip alone, see docs/installation.md."
    fi
    become_root || die "Debian packages are missing and neither root nor passwordless sudo is there to install them.
  Ask the administrator of this machine for:  apt-get install --no-install-recommends $missing
  then type the same command again. Without any of them: pip alone, see docs/installation.md."
    say "Debian packages: $missing"
    # What a killed package manager left half-way is finished first; what lacks dependencies, apt-get mends.
    when_unlocked "${as_root[@]}" dpkg --force-confold --configure -a
    when_unlocked "${as_root[@]}" apt-get -q update
    # shellcheck disable=SC2086  # a list of words
    "${as_root[@]}" apt-get -q -o DPkg::Lock::Timeout=-1 install \
        --yes --no-install-recommends --fix-broken $missing 9<&- ||
        die "apt-get could not install the Debian packages: see above, mend it, type the same command again"
}

# Run a package tool, waiting while another one is at work; a failure is shown, what follows decides.
# (Descriptor 9 is the lock of this set-up: daemons that packages start shall not hold it.)
when_unlocked() {
    local said
    until said=$("$@" 2>&1 </dev/null 9<&-); do
        case $said in
            *"lock was locked by"* | *"Could not get lock"*)
                say "another package manager is at work on this machine: waiting for it"
                sleep 3
                ;;
            *)
                printf '%s\n' "$said" >&2
                return 0
                ;;
        esac
    done
}

check_python() {
    local python
    python=$(host_python)
    [ -x "$python" ] || die "no python3 in PATH, and IOTA2_PYTHON names none"
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        die "$python is $("$python" --version): 3.11 or newer is needed.
  Load a module that has one, or name one: IOTA2_PYTHON=/path/to/python3 make setup"
}

# `activate` is the last file that venv writes, and names the folder: a venv does not survive a move.
# Nor does it follow its interpreter: another one, say of a module, makes another environment.
venv_is_whole() {
    local of='import sys; print(sys.base_prefix, sys.version)'
    grep -qsF "$VENV" "$VENV/bin/activate" && "$PYTHON" -m pip --version >/dev/null 2>&1 &&
        [ "$("$PYTHON" -c "$of")" = "$("$(host_python)" -c "$of")" ]
}

create_venv() {
    venv_is_whole && return 0
    may_write .
    say "virtual environment .venv"
    rm -rf "$VENV"
    "$(host_python)" -m venv "$VENV"
}

pip_install() {
    may_write "$VENV"
    forget_half_written_packages
    rm -rf "$SCRATCH/pip" && mkdir -p "$SCRATCH/pip"
    TMPDIR=$SCRATCH/pip "$PYTHON" -m pip install --quiet --disable-pip-version-check "$@"
}

# pip writes the list of a package's files last. A killed one leaves a package without, which the next
# would take for whole. Names with ~ are what it had put aside.
forget_half_written_packages() {
    local site info
    site=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    rm -rf "$site"/~*
    for info in "$site"/*.dist-info; do
        grep -qs '/INSTALLER,' "$info/RECORD" || rm -rf "$info"
    done
}

# What the installed packages must be: a change of a lock, or of the machine's GDAL, installs again.
lock_digest() {
    { cat envs/build.lock envs/python.lock envs/dev.lock && gdal_requirement; } | sha256sum | cut -d' ' -f1
}

# The line of a lock for GDAL's Python module: nothing where there is one already, else the bindings of
# the version of the machine's library, else the module that brings its library along.
gdal_requirement() {
    local version
    is_from_elsewhere osgeo && return 0
    if ! has gdal-config; then
        sed -n '/^gdal-wheel==/,/^ *#/p' envs/pip.lock
        return 0
    fi
    version=$(gdal-config --version)
    grep "^gdal==$version " envs/gdal.lock || echo "gdal==$version"
}

install_python_packages() {
    local stamp=$VENV/.python-packages
    [ "$(cat "$stamp" 2>/dev/null)" = "$(lock_digest)" ] && return 0
    say "Python packages (versions and hashes from envs/*.lock)"
    rm -f "$stamp"
    pip_install --require-hashes -r envs/build.lock
    pip_install --require-hashes --no-build-isolation --no-cache-dir -r envs/python.lock -r envs/dev.lock
    install_gdal
    lock_digest > "$stamp"
}

install_gdal() {
    local numpy_headers hashes=--require-hashes
    gdal_requirement > "$SCRATCH/gdal.txt"
    forget_other_gdal
    if [ -s "$SCRATCH/gdal.txt" ]; then
        say "GDAL for Python: $(grep -o '^gdal[^ ]*' "$SCRATCH/gdal.txt")"
        grep -q -- --hash "$SCRATCH/gdal.txt" || {
            hashes=--no-deps
            say "envs/gdal.lock has no hash for this version: it is installed by its number alone"
        }
        numpy_headers=$("$PYTHON" -c 'import numpy; print(numpy.get_include())')
        # numpy's headers first: python3-numpy of Debian, where present, would shadow them.
        CPPFLAGS="-I$numpy_headers ${CPPFLAGS:-}" pip_install "$hashes" --no-build-isolation \
            --no-binary gdal --no-cache-dir -r "$SCRATCH/gdal.txt" ||
            die "GDAL's Python module could not be installed: see above.
  Python 3.12 or newer takes a ready-made one where no gdal-config is in PATH; docs/installation.md tells more."
    fi
    "$PYTHON" -c 'from osgeo import gdal_array' || die "GDAL's Python module cannot be used, see above: \
$("$PYTHON" -c 'import importlib.util as u; print(u.find_spec("osgeo").origin)' 2>&1 | tail -1)
  Unload the module (or PYTHONPATH) that brings it, or remove .venv, then type the same command again."
}

# Both `gdal` and `gdal-wheel` bring the module `osgeo`: the one that is not wanted goes first.
forget_other_gdal() {
    local name
    for name in gdal gdal-wheel; do
        grep -q "^$name==" "$SCRATCH/gdal.txt" || ! "$PYTHON" -m pip show --quiet "$name" 2> /dev/null ||
            "$PYTHON" -m pip uninstall --quiet --yes "$name"
    done
}

# Usage: install_package NAME FOLDER; again when its pyproject.toml changed.
install_package() {
    local stamp=$VENV/.$1 wanted
    wanted=$(sha256sum "$2/pyproject.toml" | cut -d' ' -f1)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
    say "$1 (editable)"
    PYTHONWARNINGS=ignore pip_install --no-deps --no-build-isolation -e "$2"
    echo "$wanted" > "$stamp"
}

# The Orfeo ToolBox, where it is asked for and not there.
install_otb() {
    is_from_elsewhere otbApplication && { look_at_otb_from_elsewhere; return 0; }
    "$PYTHON" -c 'import otbApplication' 2>/dev/null && return 0
    [ "$OTB" != no ] || return 0
    if ! otb_packages_can_be_had; then
        [ "$OTB" = auto ] || die "$why_not"
        say "without the Orfeo ToolBox: $why_not"
        return 0
    fi
    install_apt_packages envs/apt-otb.txt
    may_write "$VENV"
    bash envs/build_otb_wrapper.sh "$PYTHON" "$SCRATCH"
}

# One that Python finds and cannot load is that of another Python, or its libraries are not in reach.
look_at_otb_from_elsewhere() {
    local said
    if said=$("$PYTHON" -c 'import otbApplication' 2>&1); then return 0; fi
    said="otbApplication is found and cannot be loaded by this Python: $(tail -1 <<< "$said")"
    [ "$OTB" != yes ] || die "$said"
    say "$said"
    say "all goes on without it; what needs the Orfeo ToolBox says so"
}

# Sets `why_not` where Debian has no Orfeo ToolBox, or it may not be installed.
otb_packages_can_be_had() {
    local missing as_root
    missing=$(missing_packages envs/apt-otb.txt | xargs)
    [ -n "$missing" ] || return 0
    why_not="there is none of Debian's here, and none by PYTHONPATH (\`module load otb\`?)"
    has apt-cache || return 1
    why_not="its packages are missing; the administrator of this machine would type:
  apt-get install --no-install-recommends $missing"
    become_root || return 1
    are_known "$missing" || when_unlocked "${as_root[@]}" apt-get -q update
    why_not="this Debian has no packages of it (Debian 12 has)"
    are_known "$missing"
}

# One by one: apt-cache is content if it knows any of several.
are_known() {
    local package
    for package in $1; do
        apt-cache show "$package" > /dev/null 2>&1 || return 1
    done
}

# `snakemake --profile local` looks in the working directory, the user's and the site's
# configuration folder, never in profiles/: make profiles/ this environment's site folder.
link_profiles() {
    local line path_file
    line='import os, sys; own = os.path.join(sys.prefix, "etc"); dirs = os.environ.get("XDG_CONFIG_DIRS") or "/etc/xdg"; os.environ["XDG_CONFIG_DIRS"] = dirs if own in dirs.split(":") else own + ":" + dirs'
    path_file=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/iota2_profiles.pth
    [ "$(cat "$path_file" 2>/dev/null)" = "$line" ] || echo "$line" > "$path_file"
    [ "$(readlink "$VENV/etc/snakemake")" = ../../profiles ] && return 0
    mkdir -p "$VENV/etc"
    ln -sfn ../../profiles "$VENV/etc/snakemake"
}

# At each start of this Python, before any other module: what other software has left in the environment
# is put right. Files of this kind are read in order of name, so its name begins with 0.
install_environment_hook() {
    local line='import iota2_environment; iota2_environment.prepare()' site
    local module=$ROOT/iota2_tools/core/environment.py
    site=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    [ "$(readlink "$site/iota2_environment.py")" = "$module" ] || ln -sfn "$module" "$site/iota2_environment.py"
    [ "$(cat "$site/00-iota2-environment.pth" 2>/dev/null)" = "$line" ] || echo "$line" > "$site/00-iota2-environment.pth"
}

main() {
    take_turn
    has python3 || install_apt_packages envs/apt.txt # of a bare Debian
    check_python
    install_apt_packages envs/apt.txt
    create_venv
    install_python_packages
    install_package iota2-tools .
    install_package executor-drmaa-verified executors/drmaa_verified
    install_package executor-slurm-patient executors/slurm_patient
    install_otb
    link_profiles
    install_environment_hook
    rm -rf "$SCRATCH"
    if [ -n "${LOADEDMODULES:-}" ]; then
        say "load the same modules before each use: module load ${LOADEDMODULES//:/ }"
    fi
    say "ready. Look at it with: .venv/bin/iota2 doctor"
}

main
