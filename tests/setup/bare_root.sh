#!/usr/bin/env bash
# The set-up on a bare Debian 12: killed at every stage and taken up again, run twice, and without root.
#
# Needs root, debootstrap, the network, 8 GB of disk and about half an hour. The package sources,
# certificates, resolver and pip configuration of this machine are copied into the bare root.
#
# Usage: make test-setup                          (folder in /var/tmp, removed if all is well)
#        bash tests/setup/bare_root.sh FOLDER     (a FOLDER with a bare Debian 12 is used as it is)
set -euo pipefail
cd "$(dirname "$0")/../.."

bare=$(realpath -m "${1:-/var/tmp/iota2-bare-root}")
project=/root/project
readonly USER_ID=1234

step() { printf '\n\033[1m[bare root] %s\033[0m\n' "$*"; }
die() { printf '[bare root] FAILED: %s\n' "$*" >&2; exit 1; }

# Become a command inside: own mounts, own processes, which all die with it.
enter() {
    local settings
    mapfile -t settings < <(env | grep -E '^(PIP_|SSL_CERT_|https?_proxy=|no_proxy=)' || true)
    exec unshare --mount --pid --fork --kill-child --mount-proc="$bare/proc" chroot "$bare" \
        env -i PATH=/usr/bin:/bin HOME=/root LANG=C.UTF-8 "${settings[@]}" "$@"
}

inside() { (enter "$@"); }
as_user() { inside setpriv --reuid=$USER_ID --regid=$USER_ID --clear-groups --no-new-privs "$@"; }

make_root() {
    [ -e "$bare/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$bare"
    rm -rf "$bare/etc/apt/sources.list" "$bare/etc/apt/sources.list.d"
    cp -a /etc/apt/. "$bare/etc/apt/"
    cp -L /etc/resolv.conf /etc/hosts "$bare/etc/"
    mkdir -p "$bare/etc/ssl/certs" "$bare/usr/local/share/ca-certificates"
    cp -a /usr/local/share/ca-certificates/. "$bare/usr/local/share/ca-certificates/"
    cp -L /etc/ssl/certs/ca-certificates.crt "$bare/etc/ssl/certs/"
    if [ -e /etc/pip.conf ]; then cp /etc/pip.conf "$bare/etc/"; fi
    inside sh -c 'apt-get -q update && apt-get -q install --yes --no-install-recommends make'
}

copy_project() {
    rm -rf "${bare:?}$1" && mkdir -p "$bare$1"
    git ls-files -z --cached --others --exclude-standard | tar -c --null -T - | tar -x -C "$bare$1"
}

# Start the set-up, kill -9 it with all its children as soon as a condition holds.
kill_when() {
    local name=$1 condition=$2 namespace
    step "killed: $name"
    enter make -C $project setup > "$bare/last.log" 2>&1 &
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
kill_at_every_stage() {
    local site=$project/.venv/lib/python3.11/site-packages otb="$project/.setup/otb-*"
    kill_when "apt-get while it downloads" 'has "/var/cache/apt/archives/partial/*.deb"'
    kill_when "dpkg while it unpacks" 'has "/usr/share/doc/libboost*-dev" && has "/var/lib/dpkg/updates/0*"'
    kill_when "dpkg while it configures" 'grep -q half-configured "$bare"/var/lib/dpkg/updates/* 2>/dev/null'
    leave_apt_running
    kill_when "venv" 'has "$project/.venv/bin/python" && has "$site/pip"'
    kill_when "pip" 'has "$site/scipy/linalg" && ! grep -qs INSTALLER "$bare$site"/scipy-*/RECORD'
    kill_when "download of the source" '[ "$(size_of "$otb/download/*.orig.tar.xz")" -gt 200000000 ]'
    kill_when "unpacking of the source" 'has "$otb/unpacking/Modules"'
    kill_when "compiler" 'has "$otb/build/*.o"'
    step "to the end"
    inside make -C $project setup
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
    inside make -C $project setup
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
    local site=$project/.venv/lib/python3.11/site-packages
    mkdir -p "$bare/opt/otb"
    mv "$bare$site"/*otbApplication* "$bare/opt/otb/"
    inside apt-get -q remove --yes swig libotb-dev
    inside env PYTHONPATH=/opt/otb make -C $project setup
    ! has "$site/*otbApplication*" || die "another otbApplication was built"
    inside env PYTHONPATH=/opt/otb $project/.venv/bin/iota2 doctor
}

[ "$(id -u)" -eq 0 ] || die "only root can make a root"
command -v debootstrap >/dev/null || die "no debootstrap: apt-get install debootstrap"
make_root
copy_project $project
kill_at_every_stage
second_run_changes_nothing
without_root
otb_from_elsewhere
step "all is well"
if [ $# -eq 0 ]; then rm -rf "$bare"; fi
