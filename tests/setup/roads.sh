#!/usr/bin/env bash
# The roads of installation, each in a bare root that debootstrap makes, each to a map; then whether
# the maps are the same.
#
# Needs root, debootstrap (installed where it is missing), the network, and 6 GB of disk a road. Certificates, resolver, pip and apt
# configuration of this machine are copied into the bare roots.
#
# Usage: bash tests/setup/roads.sh ROAD...     (`make test-roads` builds the wheel first)
#   bookworm, trixie   `make setup` on Debian 12 or 13, `iota2 doctor`, `make demo`
#   bookworm-tests, trixie-tests   the same, then `make test`
#   pip                `pip install` on Debian 13 without a compiler, by a user without HOME, USER and
#                      without shared memory; `iota2 demo`
#   container          trixie's root as the image of `snakemake --sdm apptainer`, with a stand-in for apptainer
#   bookworm-killed, trixie-killed   the set-up killed at every stage and taken up again, run twice, and
#                      without root; with the Orfeo ToolBox where there is one. Up to an hour each
#
# Roots are in /var/tmp, or in ROADS_FOLDER, and removed if all is well; KEEP=1 keeps them.
set -euo pipefail
cd "$(dirname "$0")/../.."

folder=$(realpath -m "${ROADS_FOLDER:-/var/tmp/iota2-roads}")
project=/root/project
readonly USER_ID=1234

step() { printf '\n\033[1m[%s] %s\033[0m\n' "$road" "$*"; }
die() { printf '[%s] FAILED: %s\n' "$road" "$*" >&2; exit 1; }
timed() { # WHAT COMMAND...
    local start=$SECONDS
    "${@:2}"
    printf '[%s] %s: %d s\n' "$road" "$1" $((SECONDS - start)) | tee -a "$folder/times.txt"
}

# Become a command inside: own mounts, own processes, which all die with it.
enter() {
    local settings
    mapfile -t settings < <(env | grep -E '^(PIP_|SSL_CERT_|https?_proxy=|no_proxy=|OPENBLAS_)' | grep -v FIND_LINKS || true)
    # shellcheck disable=SC2016  # the inner shell's
    exec unshare --mount --pid --fork --kill-child --mount-proc="$bare/proc" \
        sh -c 'mount -t devpts -o ptmxmode=666 devpts "$1/dev/pts" && exec chroot "$@"' sh "$bare" \
        env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 "${settings[@]}" "$@"
}

inside() { (enter "$@"); }
as_user() { inside setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups --no-new-privs "$@"; }

make_root() { # SUITE
    if [ -e "$bare/etc/debian_version" ]; then return 0; fi
    step "debootstrap $1"
    debootstrap --variant=minbase "$1" "$bare" > "$folder/debootstrap-$1.log"
    if grep -qs "^Suites:.*\b$1\b\|^deb .* $1 " /etc/apt/sources.list /etc/apt/sources.list.d/*; then
        rm -rf "$bare/etc/apt/sources.list" "$bare/etc/apt/sources.list.d"
        cp -a /etc/apt/. "$bare/etc/apt/"
    else
        cp -a /etc/apt/apt.conf.d/. "$bare/etc/apt/apt.conf.d/"
    fi
    cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
    copy_certificates
    sed '/find-links/d; /extra-index/d' /etc/pip.conf > "$bare/etc/pip.conf" 2> /dev/null || true
}

# Before and after the package ca-certificates, which makes a list of its own.
copy_certificates() {
    mkdir -p "$bare/etc/ssl/certs" "$bare/usr/local/share/ca-certificates"
    cp -a /usr/local/share/ca-certificates/. "$bare/usr/local/share/ca-certificates/"
    cp -L /etc/ssl/certs/ca-certificates.crt "$bare/etc/ssl/certs/"
}

copy_project() { # PLACE
    rm -rf "${bare:?}$1" && mkdir -p "$bare$1"
    hand_over "$bare$1"
}

hand_over() { # FOLDER
    git ls-files -z --cached --others --exclude-standard | xargs -0 ls -d -- 2> /dev/null |
        tar -c -T - | tar -x -C "$1"
}

keep_map() { # DEMO
    rm -rf "$folder/maps/$road" && mkdir -p "$folder/maps"
    cp -r "$bare$1/results/final" "$folder/maps/$road"
}

# --- set-up on a bare Debian -----------------------------------------------------------------

by_setup() { # SUITE
    make_root "$1"
    copy_project $project
    timed "set-up" inside bash $project/envs/on_bare_debian.sh
    timed "demonstration, second set-up included" inside make -C $project demo
    keep_map $project/demo
}

tested() { # SUITE
    by_setup "$1"
    step "make test"
    timed "tests, set-up of OTB included where there is one" inside make -C $project test
}

# --- pip alone -------------------------------------------------------------------------------

by_pip() {
    make_root trixie
    inside sh -c 'apt-get -q update && apt-get -q install --yes --no-install-recommends python3-venv'
    copy_certificates
    ! inside sh -c 'command -v cc c++ gcc g++ make gdal-config' || die "there is a compiler"
    rm -rf "$bare/work" && mkdir "$bare/work"
    cp dist/*.whl envs/pip.lock "$bare/work/"
    chown -R $USER_ID:$USER_ID "$bare/work"
    chmod 555 "$bare/dev/shm"
    timed "pip install" poor_user 'python3 -m venv env && env/bin/pip install --quiet --no-cache-dir --require-hashes -r pip.lock &&
        env/bin/pip install --quiet --no-deps *.whl'
    poor_user 'env/bin/pip check && env/bin/iota2 doctor'
    timed "demonstration" poor_user 'env/bin/iota2 demo'
    poor_user '! touch /dev/shm/anything 2> /dev/null' || die "shared memory could be written"
    keep_map /work/demo
}

# Someone of whom the machine knows a number and nothing else.
poor_user() { as_user env -u HOME sh -c "cd /work && $1"; }

# --- containers ------------------------------------------------------------------------------

# The jobs run in trixie's root; Snakemake itself here. What stands in for apptainer takes its command line.
in_container() {
    local image=$folder/trixie
    [ -e "$image$project/.venv/bin/iota2" ] || die "walk the road trixie first, with KEEP=1"
    hand_over "$image$project" # both sides must be of one version
    rm -rf "$folder/container" && mkdir -p "$folder/container/bin"
    cp tests/setup/apptainer.sh "$folder/container/bin/apptainer"
    chmod +x "$folder/container/bin/apptainer"
    (
        cd "$folder/container"
        export PATH=$folder/container/bin:$OLDPWD/.venv/bin:$PATH IOTA2_CONTAINER=$image
        iota2 simulate demo/scene --size 400
        snakemake --snakefile "$OLDPWD/workflow/Snakefile" --profile "$OLDPWD/profiles/local" --sdm apptainer \
            --configfile "$OLDPWD/config/demo.yaml" --quiet rules
    )
    [ "$(grep -c '^'"$image"' .*\.classify_tile\.py' "$folder/container/ran.txt")" -gt 1 ] || die "no job ran in the container"
    bare=$folder keep_map /container/demo
}

# --- killed at every stage -------------------------------------------------------------------

# Start the set-up, kill -9 it with all its children as soon as a condition holds.
kill_when() {
    local name=$1 condition=$2 namespace
    step "killed: $name"
    enter make -C $project setup OTB=auto > "$bare/last.log" 2>&1 &
    namespace=$!
    until eval "$condition"; do
        kill -0 "$namespace" 2>/dev/null || { tail -20 "$bare/last.log"; die "ended before: $name"; }
        sleep 0.02
    done
    kill -9 "$namespace"
    wait "$namespace" 2>/dev/null || true
}

has() { compgen -G "$bare$1" >/dev/null; }
# shellcheck disable=SC2086  # a pattern
size_of() { stat -c %s "$bare"$1 2>/dev/null || echo 0; }

# shellcheck disable=SC2016,SC2034  # conditions are evaluated again and again
kill_at_every_stage() { # SUITE
    local site="$project/.venv/lib/python3.*/site-packages" otb="$project/.setup/otb-*"
    kill_when "apt-get while it downloads" 'has "/var/cache/apt/archives/partial/*.deb"'
    kill_when "dpkg while it unpacks" 'has "/usr/share/doc/libboost*" && has "/var/lib/dpkg/updates/0*"'
    kill_when "dpkg while it configures" 'grep -q half-configured "$bare"/var/lib/dpkg/updates/* 2>/dev/null'
    leave_apt_running
    kill_when "venv" 'has "$project/.venv/bin/python" && has "$site/pip"'
    kill_when "pip" 'has "$site/scipy/linalg" && ! grep -qs INSTALLER "$bare"$site/scipy-*/RECORD'
    if [ "$1" = bookworm ]; then
        kill_when "download of the source" '[ "$(size_of "$otb/download/*.orig.tar.xz")" -gt 200000000 ]'
        kill_when "unpacking of the source" 'has "$otb/unpacking/Modules"'
        kill_when "compiler" 'has "$otb/build/*.o"'
    fi
    step "to the end"
    inside make -C $project setup OTB=auto
    inside $project/.venv/bin/iota2 doctor
}

# Only the script dies; apt-get goes on, and the next set-up has to wait for it.
leave_apt_running() {
    step "killed: the script alone, while dpkg is at work"
    enter sh -c "
        cd $project && { bash envs/setup.sh > /first.log 2>&1 & }
        until grep -q '^Unpacking\|^Setting up' /first.log; do sleep 0.05; done
        kill -9 \$! && bash envs/setup.sh" > "$bare/last.log" 2>&1 &
    local namespace=$!
    until has "$project/.venv/bin/python"; do
        kill -0 "$namespace" 2>/dev/null || { tail -20 "$bare/last.log"; die "the second set-up failed"; }
        sleep 0.1
    done
    kill -9 "$namespace"
    wait "$namespace" 2>/dev/null || true
    grep -q "another package manager is at work" "$bare/last.log" || die "it did not wait for apt-get"
}

listing() { find "$bare$1" -not -path '*/.git/*' -printf '%p %T@ %C@ %s %y\n' | sort; }

second_run_changes_nothing() {
    step "a second run"
    local before start
    before=$(listing $project)
    start=$SECONDS
    inside make -C $project setup OTB=auto
    [ $((SECONDS - start)) -lt 10 ] || die "the second run took $((SECONDS - start)) s"
    diff <(echo "$before") <(listing $project) || die "the second run changed files"
    echo "nothing changed, $((SECONDS - start)) s"
}

without_root() {
    step "an ordinary user, all Debian packages present"
    copy_project /home/user/project
    chown -R $USER_ID:$USER_ID "$bare/home/user"
    as_user env HOME=/home/user make -C /home/user/project setup
    as_user env HOME=/home/user /home/user/project/.venv/bin/iota2 doctor
    step "an ordinary user, one Debian package missing"
    inside sh -c 'apt-get -q remove --yes graphviz && rm -rf /home/user/project/.venv'
    local said
    said=$(as_user env HOME=/home/user make -C /home/user/project setup 2>&1) && die "it did not fail"
    grep -q "apt-get install --no-install-recommends graphviz$" <<< "$said" || die "it said: $said"
    [ ! -e "$bare/home/user/project/.venv" ] || die "a half-made .venv is left"
    echo "$said"
}

otb_from_elsewhere() {
    step "otbApplication from elsewhere, without the Debian packages of OTB's binding"
    local site
    site=$(compgen -G "$bare$project/.venv/lib/python3.*/site-packages")
    mkdir -p "$bare/opt/otb"
    mv "$site"/*otbApplication* "$bare/opt/otb/"
    inside apt-get -q remove --yes swig libotb-dev
    inside env PYTHONPATH=/opt/otb make -C $project setup-otb
    ! compgen -G "$site/*otbApplication*" || die "another otbApplication was built"
    inside env PYTHONPATH=/opt/otb $project/.venv/bin/iota2 doctor
}

killed() { # SUITE
    rm -rf "$bare"
    make_root "$1"
    inside sh -c 'apt-get -q update && apt-get -q install --yes --no-install-recommends make'
    copy_project $project
    kill_at_every_stage "$1"
    second_run_changes_nothing
    without_root
    if [ "$1" = bookworm ]; then otb_from_elsewhere; fi
}

# ---------------------------------------------------------------------------------------------

road=roads
[ $# -gt 0 ] || die "which road? See the head of this file"
[ "$(id -u)" -eq 0 ] || die "only root can make a root"
command -v debootstrap > /dev/null || apt-get -q install --yes --no-install-recommends debootstrap ||
    die "no debootstrap, and apt-get could not install it"
mkdir -p "$folder"
for road in "$@"; do
    bare=$folder/$road
    case $road in
        bookworm | trixie) by_setup "$road" ;;
        *-tests) tested "${road%-tests}" ;;
        pip) by_pip ;;
        container) in_container ;;
        *-killed) killed "${road%-killed}" ;;
        *) die "no such road" ;;
    esac
    step "all is well"
done
road=roads
mapfile -t maps < <(compgen -G "$folder/maps/*" || true)
if [ ${#maps[@]} -gt 1 ]; then .venv/bin/python tests/setup/same_pixels.py "${maps[@]}"; fi
if [ -s "$folder/times.txt" ]; then cat "$folder/times.txt"; fi
if [ -z "${KEEP:-}" ]; then rm -rf "$folder"; fi
