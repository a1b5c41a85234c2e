#!/usr/bin/env bash
# Installs all that the chain needs: Debian packages, `.venv`, otbApplication.
#
# Each step first looks whether its result stands, so a second run changes nothing
# and an interrupted one goes on where it stopped.
#
# Usage: bash envs/setup.sh        (from anywhere; `make setup` calls it)
set -euo pipefail
cd "$(dirname "$0")/.."

readonly VENV=.venv
readonly PYTHON=$VENV/bin/python

say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }
die() { printf '[setup] %s\n' "$*" >&2; exit 1; }

missing_apt_packages() {
    local package
    sed 's/#.*//' envs/apt.txt | xargs -n1 | while read -r package; do
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
    say "Debian packages: $missing"
    # A package manager that was killed half-way has to finish first.
    "${as_root[@]}" dpkg --configure -a >/dev/null
    "${as_root[@]}" apt-get -q update
    # shellcheck disable=SC2086  # a list of words
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -q install --yes --no-install-recommends --fix-broken $missing
}

create_venv() {
    if [ -x "$PYTHON" ] && "$PYTHON" -m pip --version >/dev/null 2>&1; then
        return 0
    fi
    say "virtual environment $VENV"
    rm -rf "$VENV"
    # Debian's own interpreter: otbApplication is compiled against its headers.
    /usr/bin/python3 -m venv "$VENV"
}

# What the installed packages must be: a change of a lock installs again.
lock_digest() { cat envs/build.lock envs/python.lock envs/dev.lock | sha256sum | cut -d' ' -f1; }

install_python_packages() {
    local stamp=$VENV/.python-packages
    [ "$(cat "$stamp" 2>/dev/null)" = "$(lock_digest)" ] && return 0
    say "Python packages (versions and hashes from envs/*.lock)"
    rm -f "$stamp"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --require-hashes -r envs/build.lock
    local numpy_headers
    numpy_headers=$("$PYTHON" -c 'import numpy; print(numpy.get_include())')
    # numpy's headers first: python3-numpy of Debian, where present, would shadow them.
    CPPFLAGS="-I$numpy_headers ${CPPFLAGS:-}" "$PYTHON" -m pip install --quiet \
        --disable-pip-version-check --require-hashes --no-build-isolation --no-binary gdal \
        --no-cache-dir -r envs/python.lock -r envs/dev.lock
    "$PYTHON" -c 'from osgeo import gdal_array' ||
        die "the GDAL bindings lack NumPy support; remove $VENV and run the set-up again"
    lock_digest > "$stamp"
}

install_package() {
    local stamp=$VENV/.iota2-tools wanted
    wanted=$(sha256sum pyproject.toml | cut -d' ' -f1)
    [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] && return 0
    say "iota2_tools (editable)"
    "$PYTHON" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
    echo "$wanted" > "$stamp"
}

install_otb_wrapper() {
    "$PYTHON" -c 'import otbApplication' 2>/dev/null && return 0
    bash envs/build_otb_wrapper.sh "$PYTHON"
}

# `snakemake --profile local` looks in the working directory, the user's and the site's
# configuration folder, never in profiles/: make profiles/ this environment's site folder.
link_profiles() {
    local site path_file
    site=$("$PYTHON" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
    path_file=$site/iota2_profiles.pth
    mkdir -p "$VENV/etc"
    ln -sfn ../../profiles "$VENV/etc/snakemake"
    cat > "$path_file.new" <<'PTH'
import os, sys; os.environ.setdefault("XDG_CONFIG_DIRS", os.path.join(sys.prefix, "etc") + ":/etc/xdg")
PTH
    if cmp -s "$path_file.new" "$path_file"; then rm "$path_file.new"; else mv "$path_file.new" "$path_file"; fi
}

install_apt_packages
create_venv
install_python_packages
install_package
install_otb_wrapper
link_profiles
say "ready. Look at it with: .venv/bin/iota2 doctor"
