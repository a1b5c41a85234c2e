#!/usr/bin/env bash
# Writes envs/*.lock: versions that fit together, with the hashes of all their files, so that one lock
# serves every Python from 3.11 on. Versions stay as they are until `make lock UPGRADE=1`.
set -euo pipefail
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
/usr/bin/python3 -m venv "$tools"
"$tools/bin/pip" install --quiet uv

# Usage: lock PYTHON NAME SOURCE OPTION...
lock() {
    local python=$1 name=$2 source=$3
    "$tools/bin/uv" --quiet pip compile --universal --python-version "$python" --generate-hashes --no-header \
        --annotation-style line ${UPGRADE:+--upgrade} "${@:4}" --output-file "$name.lock" "$source"
}

lock 3.11 build build.in
lock 3.11 python python.in
lock 3.11 dev dev.in
# What `pip install 'iota2-tools[gdal]'` asks for, in the versions of the other roads.
lock 3.12 pip ../pyproject.toml --extra gdal --constraints build.lock --constraints python.lock

# The bindings of GDAL must have the version of the machine's own library: each on one line.
sed 's/#.*//' gdal.in | while read -r version; do
    echo "gdal==$version" | "$tools/bin/uv" --quiet pip compile --no-deps --universal --python-version 3.11 \
        --generate-hashes --no-header --no-annotate - | tr -d '\\\n' | tr -s ' '
    echo
done > "$tools/gdal.lock"
cp "$tools/gdal.lock" gdal.lock
