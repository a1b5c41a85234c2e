#!/usr/bin/env bash
# From a bare Debian to a chain that runs: what the container recipes do, and what the tests do in a
# bare root. By root, with this project already in place.
#
# Usage: bash envs/on_bare_debian.sh      (OTB=yes: with the Orfeo ToolBox)
set -euo pipefail
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get -q install --yes --no-install-recommends make
make setup OTB="${OTB:-no}"
.venv/bin/iota2 doctor
