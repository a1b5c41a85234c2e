#!/usr/bin/env bash
# Builds otbApplication, the Python binding of the installed Orfeo ToolBox.
#
# Debian ships the toolbox without it, but its source package holds the binding's
# SWIG files: they are fetched for the installed version (apt checks the signature),
# compiled against the interpreter given, and installed beside its packages.
#
# Usage: bash envs/build_otb_wrapper.sh PYTHON SCRATCH_FOLDER
set -euo pipefail

python=$(realpath --no-symlinks "${1:?which python}")
version=$(dpkg-query -W -f '${source:Version}' libotb-dev)
work=$(realpath "${2:?scratch folder}")/otb-$version # kept when interrupted: the download is long
say() { printf '\033[1m[setup]\033[0m %s\n' "$*"; }

# apt's own state stays as it is: source entries, lists and cache live in the work folder.
apt() {
    apt-get -q -o "Dir::State::Lists=$work/lists" -o "Dir::Cache=$work/cache" -o APT::Sandbox::User= "$@"
}

# Debian's archives among the package sources of this machine.
source_entries() {
    # shellcheck disable=SC2016  # the dollars are apt's
    apt-get "$@" indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 'Origin: Debian' | sort -u
}

fetch_source() {
    [ -d "$work/Modules/Wrappers/SWIG/src" ] && return 0
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/download"
    source_entries > "$work/sources.list"
    if ! [ -s "$work/sources.list" ]; then
        # The package lists of this machine were never fetched, or were cleaned away.
        apt update
        source_entries -o "Dir::State::Lists=$work/lists" > "$work/sources.list"
    fi
    local only_sources=(-o "Dir::Etc::SourceList=$work/sources.list" -o Dir::Etc::SourceParts=/dev/null)
    say "source package of otb $version (about 700 MB, fetched once)"
    apt "${only_sources[@]}" update
    (cd "$work/download" && apt "${only_sources[@]}" source --download-only "otb=$version")
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
    # In the foreground: a compiler started with & would not hear Ctrl-C.
    (cd "$build" && printf '%s\0' "$build/wrap.cxx" "$sources"/python/*.cxx |
        xargs -0 -n1 -P "$(nproc)" g++ -std=c++14 -O1 -fPIC -w "${includes[@]}" -c)
    # shellcheck disable=SC2046  # a list of words
    g++ -shared -o "$build/_otbApplication.so" "$build"/*.o \
        $(for library in OTBApplicationEngine OTBCommon OTBMetadata OTBImageBase ITKCommon; do versioned "$library"; done)
    (cd "$build" && "$python" -c 'import otbApplication')
    # Under their names once whole; the module last, since it is what is looked for.
    local file
    for file in _otbApplication.so otbApplication.py; do
        install -m 644 "$build/$file" "$site/.$file.new"
        mv "$site/.$file.new" "$site/$file"
    done
    "$python" -c 'import otbApplication'
}

fetch_source
compile
