#!/usr/bin/env bash
# Writes envs/*.lock from envs/*.in: the newest versions that fit together, with hashes.
set -euo pipefail
cd "$(dirname "$0")"
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
/usr/bin/python3 -m venv "$tools"
"$tools/bin/pip" install --quiet pip-tools
for name in build python dev; do
    "$tools/bin/pip-compile" --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
        --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --annotation-style=line \
        --output-file "$name.lock" "$name.in"
done
