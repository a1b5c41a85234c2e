#!/usr/bin/env bash
# Stands in for apptainer where there is none: takes the command line that Snakemake gives it, and runs
# the command with an unpacked root in the place of the image. By root; writes what it ran beside itself.
#
#   apptainer [--quiet --silent] exec --home FOLDER [--pwd FOLDER] [--bind HERE[:THERE]]... IMAGE COMMAND...
set -euo pipefail
if [ "${1:-}" = --version ]; then echo "apptainer version 1.3.0"; exit; fi
while [ "$1" != exec ]; do shift; done
shift
binds=() folder=$PWD
while [[ $1 == --* ]]; do
    case $1 in
        --home) binds+=("$2:$2") ;;
        --pwd) folder=$2 ;;
        --bind) binds+=("$2") ;;
        *) echo "the stand-in does not know $1" >&2; exit 2 ;;
    esac
    shift 2
done
image=$1
shift
printf '%s %s\n' "$image" "$*" >> "$(dirname "$0")/../ran.txt"

# shellcheck disable=SC2016  # the dollars are those of the inner shell
exec unshare --mount bash -c '
    image=$1 folder=$2 count=$3; shift 3
    for place in /proc /dev /tmp; do mount --rbind "$place" "$image$place"; done
    for ((; count > 0; count--)); do
        from=${1%%:*} to=${1#*:}; shift
        if [ -d "$from" ]; then mkdir -p "$image$to"; else mkdir -p "$image${to%/*}" && touch "$image$to"; fi
        mount --bind "$from" "$image$to"
    done
    exec chroot "$image" env HOME="$folder" PATH=/root/project/.venv/bin:/usr/bin:/bin sh -c '\''cd "$0" && exec "$@"'\'' "$folder" "$@"
' apptainer "$image" "$folder" "${#binds[@]}" "${binds[@]}" "$@"
