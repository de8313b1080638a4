#!/usr/bin/env bash
# Brings the build directory (BUILD, default: build) up to date, making it first where there is none. Quiet while all
# goes well.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${BUILD:-build}

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -f "$build/build.ninja" ]; then
    echo "Building Cronista in $build (the first time takes some minutes)"
    meson setup "$build" "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi
ninja --quiet -C "$build" >"$log" 2>&1 || { tail -n 100 "$log" >&2; exit 1; }
