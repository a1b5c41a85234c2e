#!/usr/bin/env bash
# Builds otbApplication, the Python binding of the installed Orfeo ToolBox.
#
# Debian ships the toolbox without it, but its source package holds the binding's
# SWIG files: they are fetched for the installed version (apt checks the signature),
# compiled against the interpreter given, and installed beside its packages.
#
# Usage: bash envs/build_otb_wrapper.sh PYTHON
set -euo pipefail

python=$(realpath --no-symlinks "${1:?which python}")
root=$(cd "$(dirname "$0")/.." && pwd)
work=$root/.setup/otb
say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }

# apt's own state stays as it is: source entries, lists and cache live in the work folder.
fetch_source() {
    local version=$1 apt
    [ -d "$work/Modules/Wrappers/SWIG/src" ] && return 0
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/download"
    apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' | sort -u > "$work/sources.list"
    if ! [ -s "$work/sources.list" ]; then
        # Package lists were never fetched, or were cleaned: take the entries themselves.
        { grep -hs '^deb ' /etc/apt/sources.list /etc/apt/sources.list.d/*.list | sed 's/^deb /deb-src /'; } \
            > "$work/sources.list" || true
    fi
    apt=(apt-get -q -o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null
        -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User=)
    say "source package of otb $version (about 700 MB, fetched once)"
    "${apt[@]}" update
    (cd "$work/download" && "${apt[@]}" source --download-only "otb=$version")
    say "unpacking the SWIG files"
    rm -rf "$work/unpacking" && mkdir "$work/unpacking"
    tar -xJf "$work"/download/otb_*.orig.tar.xz -C "$work/unpacking" Modules/Wrappers/SWIG/src
    mv "$work/unpacking/Modules" "$work/Modules"
}

# Debian's library names carry the version: libOTBCommon-8.1.so.
versioned() { basename "$(find /usr/lib -name "lib$1-*.so" -print -quit)" .so | sed 's/^lib/-l/'; }

compile() {
    local sources=$work/Modules/Wrappers/SWIG/src build=$work/build site
    local numpy_headers python_headers otb_headers itk_headers
    rm -rf "$build" && mkdir -p "$build"
    numpy_headers=$("$python" -c 'import numpy; print(numpy.get_include())')
    python_headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
    site=$("$python" -c 'import sysconfig; print(sysconfig.get_path("platlib"))')
    otb_headers=$(dirname "$(dpkg -L libotb-dev libotbapplicationengine-dev 2>/dev/null | grep -m1 'otbWrapperApplication\.h$')")
    itk_headers=$(dirname "$(dpkg -L libinsighttoolkit4-dev | grep -m1 '/itkObject\.h$')")
    say "compiling otbApplication"
    # Without -flatstaticmethod the module of SWIG 4.1 fails at import.
    local includes=(-I"$(gdal-config --prefix)/include/gdal" -I"$sources" -I"$sources/python" -I"$numpy_headers" -I"$otb_headers" -I"$itk_headers" -I"$python_headers")
    swig -c++ -python -flatstaticmethod -DOTB_SWIGNUMPY=1 -w362,315,503,509 -I"$sources" -I"$sources/python" \
        -I"$otb_headers" -I"$itk_headers" -outdir "$build" -o "$build/wrap.cxx" "$sources/otbApplication.i"
    local unit pids=()
    for unit in "$build/wrap.cxx" "$sources"/python/*.cxx; do
        g++ -std=c++14 -O1 -fPIC -w "${includes[@]}" -c "$unit" -o "$build/$(basename "$unit" .cxx).o" &
        pids+=($!)
    done
    local pid
    for pid in "${pids[@]}"; do wait "$pid"; done
    g++ -shared -o "$build/_otbApplication.so" "$build"/*.o \
        $(for library in OTBApplicationEngine OTBCommon OTBMetadata OTBImageBase ITKCommon; do versioned "$library"; done)
    (cd "$build" && "$python" -c 'import otbApplication')
    install -m 644 "$build/_otbApplication.so" "$build/otbApplication.py" "$site/"
}

version=$(dpkg-query -W -f '${source:Version}' libotb-dev)
fetch_source "$version"
compile
rm -rf "$root/.setup"
