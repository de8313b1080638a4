#!/usr/bin/env bash
# Tries ./run, and the installation for ./test, in a bare Debian 12 without compiler, make, Node.js or Python.
# Needs root and debootstrap.
#
#   tools/bare_check.sh [STEP...]        steps: make clone run test all_tests; without any: make clone run test
#
#   make        a fresh Debian (debootstrap --variant=minbase) in BARE_ROOT; an old one there is removed
#   clone       this repository's HEAD cloned into it
#   run         ./run until the sign-in page answers, then stopped
#   test        the packages of ./test installed and the section `tools` run
#   all_tests   the whole of ./test
#
# BARE_ROOT     where (default /tmp/cronista-bare)
# BARE_MIRROR   Debian mirror (default http://deb.debian.org/debian)
# BARE_FILES    what the machine's network needs: "SOURCE:TARGET ..." (certificates, npm and apt configuration), copied in
# BARE_ENV      variables for the inside: "NAME=VALUE ..."
# BARE_SETUP    a command run inside after that (e.g. update-ca-certificates)
# BARE_DATA     directory of data by others for the tests, seen inside read-only (CRONISTA_SHARED_DATA)
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)
root=${BARE_ROOT:-/tmp/cronista-bare}
mirror=${BARE_MIRROR:-http://deb.debian.org/debian}
opt=/opt
inside=$opt/cronista
port=${PORT:-8099}

[ "$(id -u)" -eq 0 ] || { echo "bare_check.sh: needs root" >&2; exit 2; }

mounted=()
mount_all() {
    [ ${#mounted[@]} -eq 0 ] || return 0
    mount -t proc proc "$root/proc" && mounted+=("$root/proc")
    mount --rbind /dev "$root/dev" && mount --make-rslave "$root/dev" && mounted+=("$root/dev")
    if [ -n "${BARE_DATA:-}" ]; then
        mkdir -p "$root/opt/data"
        mount --bind -o ro "$BARE_DATA" "$root/opt/data" && mounted+=("$root/opt/data")
    fi
}
unmount_all() {
    for at in "${mounted[@]}"; do umount -R -l "$at" || true; done
}
trap unmount_all EXIT

become() { # this process becomes a shell command inside, in the clone when there is one
    local variables=()
    read -ra variables <<<"${BARE_ENV:-}"
    [ -z "${BARE_DATA:-}" ] || variables+=(CRONISTA_SHARED_DATA=/opt/data)
    exec chroot "$root" env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        "${variables[@]}" bash -c "cd $inside 2>/dev/null || cd /; $1"
}

in_root() {
    mount_all
    (become "$1")
}

step_make() {
    if [ -d "$root" ]; then
        unmount_all
        mounted=()
        rm -rf --one-file-system "$root"
    fi
    debootstrap --variant=minbase bookworm "$root" "$mirror" >"$root.log" 2>&1 || { tail -n 20 "$root.log"; return 1; }
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    for pair in ${BARE_FILES:-}; do
        mkdir -p "$root$(dirname "${pair#*:}")"
        cp -r "${pair%%:*}" "$root${pair#*:}"
    done
    mount_all
    echo "a bare Debian $(cat "$root/etc/debian_version") with $(in_root "dpkg -l | grep -c ^ii") packages"
    for program in make gcc node npm python3 git meson; do
        ! in_root "command -v $program" >/dev/null || echo "  has $program"
    done
    [ -z "${BARE_SETUP:-}" ] || in_root "$BARE_SETUP"
}

step_clone() {
    rm -rf "$root$inside"
    git clone -q --no-hardlinks "$here" "$root$inside"
    echo "cloned $(git -C "$root$inside" log -1 --format='%h %s')"
}

ask_sign_in() {
    exec 3<>"/dev/tcp/127.0.0.1/$port" || return 1
    printf 'GET /sign-in HTTP/1.0\r\nHost: 127.0.0.1:%s\r\n\r\n' "$port" >&3
    cat <&3
}

step_run() {
    echo "./run"
    local started=$SECONDS answer pid
    mount_all
    (become "PORT=$port exec ./run") >"$root.run.log" 2>&1 &
    pid=$!
    while kill -0 $pid 2>/dev/null; do
        # The sign-in page is where somebody without a session ends up.
        if answer=$(ask_sign_in 2>/dev/null); then
            echo "answered after $((SECONDS - started)) s"
            grep -m1 '^HTTP' <<<"$answer"
            grep -q 'name="password"' <<<"$answer" || { echo "that is no sign-in page"; printf '%s\n' "$answer" | head -n 40; failed=1; }
            cat "$root.run.log"
            kill $pid
            wait $pid || true
            return "${failed:-0}"
        fi
        sleep 1
    done
    cat "$root.run.log"
    echo "./run ended before it answered"
    return 1
}

step_test() {
    in_root "./test tools"
}

step_all_tests() {
    in_root "./test"
}

steps=(make clone run test)
[ $# -eq 0 ] || steps=("$@")
for step in "${steps[@]}"; do
    declare -F "step_$step" >/dev/null || { echo "bare_check.sh: no step $step" >&2; exit 2; }
    "step_$step"
done
