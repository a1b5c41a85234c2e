#!/usr/bin/env bash
# Installs all that the chain needs: Debian packages, `.venv`, otbApplication.
#
# Each step first looks whether its result stands, so a second run changes nothing
# and an interrupted one goes on where it stopped.
#
# Usage: bash envs/setup.sh        (from anywhere; `make setup` calls it)
set -euo pipefail
cd "$(dirname "$0")/.."

# Debian's tools first: a compiler or gdal-config of conda would not fit. dpkg needs sbin, `su` forgets it.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
ROOT=$(pwd -P)
readonly ROOT
readonly VENV=$ROOT/.venv
readonly PYTHON=$VENV/bin/python
readonly SCRATCH=$ROOT/.setup

say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }
die() { printf '[setup] %s\n' "$*" >&2; exit 1; }

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

# An otbApplication that is not of this set-up's making, such as that of another Orfeo ToolBox.
otb_is_from_elsewhere() {
    local python=$PYTHON
    [ -x "$python" ] || python=/usr/bin/python3
    [ -x "$python" ] && "$python" - <<'PY'
import importlib.util, sys
found = importlib.util.find_spec("otbApplication")
sys.exit(not found or found.origin.startswith(sys.prefix + "/"))
PY
}

missing_apt_packages() {
    local lists=(envs/apt.txt) package
    otb_is_from_elsewhere || lists+=(envs/apt-otb.txt)
    sed 's/#.*//' "${lists[@]}" | xargs -n1 | while read -r package; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || echo "$package"
    done
}

install_apt_packages() {
    local missing as_root=()
    missing=$(missing_apt_packages | xargs)
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
            as_root=(sudo -n)
        else
            die "Debian packages are missing and neither root nor passwordless sudo is there to install them.
  Ask the administrator of this machine for:  apt-get install --no-install-recommends $missing
  then type the same command again."
        fi
    fi
    as_root+=(env LC_ALL=C DEBIAN_FRONTEND=noninteractive)
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

# `activate` is the last file that venv writes, and names the folder: a venv does not survive a move.
venv_is_whole() {
    grep -qsF "$VENV" "$VENV/bin/activate" && "$PYTHON" -m pip --version >/dev/null 2>&1
}

create_venv() {
    venv_is_whole && return 0
    may_write .
    say "virtual environment .venv"
    rm -rf "$VENV"
    # Debian's own interpreter: otbApplication is compiled against its headers.
    /usr/bin/python3 -m venv "$VENV"
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

# What the installed packages must be: a change of a lock installs again.
lock_digest() { cat envs/build.lock envs/python.lock envs/dev.lock | sha256sum | cut -d' ' -f1; }

install_python_packages() {
    local stamp=$VENV/.python-packages
    [ "$(cat "$stamp" 2>/dev/null)" = "$(lock_digest)" ] && return 0
    say "Python packages (versions and hashes from envs/*.lock)"
    rm -f "$stamp"
    pip_install --require-hashes -r envs/build.lock
    local numpy_headers
    numpy_headers=$("$PYTHON" -c 'import numpy; print(numpy.get_include())')
    # numpy's headers first: python3-numpy of Debian, where present, would shadow them.
    CPPFLAGS="-I$numpy_headers ${CPPFLAGS:-}" pip_install --require-hashes --no-build-isolation \
        --no-binary gdal --no-cache-dir -r envs/python.lock -r envs/dev.lock
    "$PYTHON" -c 'from osgeo import gdal_array' ||
        die "the GDAL bindings lack NumPy support; remove .venv and run the set-up again"
    lock_digest > "$stamp"
}

# Usage: install_package NAME FOLDER; again when its pyproject.toml changed.
install_package() {
    local stamp=$VENV/.$1 wanted
    wanted=$(sha256sum "$2/pyproject.toml" | cut -d' ' -f1)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
    say "$1 (editable)"
    pip_install --no-deps --no-build-isolation -e "$2"
    echo "$wanted" > "$stamp"
}

install_otb_wrapper() {
    "$PYTHON" -c 'import otbApplication' 2>/dev/null && return 0
    may_write "$VENV"
    bash envs/build_otb_wrapper.sh "$PYTHON" "$SCRATCH"
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
    install_apt_packages
    create_venv
    install_python_packages
    install_package iota2-tools .
    install_package executor-drmaa-verified executors/drmaa_verified
    install_package executor-slurm-patient executors/slurm_patient
    install_otb_wrapper
    link_profiles
    install_environment_hook
    rm -rf "$SCRATCH"
    say "ready. Look at it with: .venv/bin/iota2 doctor"
}

main
