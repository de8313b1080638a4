#!/usr/bin/env bash
# Builds the fuzzers with clang and runs each for a while over its corpus in fuzz/corpus/NAME.
#
#   tools/fuzz.sh [SECONDS] [NAME...]
#
# New inputs stay in BUILD-fuzz/corpus/NAME; one that crashes is put into fuzz/corpus/NAME, where the tests replay it.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift $(($# > 0 ? 1 : 0))
build=${BUILD:-build}-fuzz

if [ ! -f "$build/build.ninja" ]; then
    CC=clang CXX=clang++ meson setup "$build" -Dfuzz=true -Db_sanitize=address,undefined -Db_lundef=false
fi
ninja -C "$build"

failed=0
for source in fuzz/*_fuzz.c; do
    name=$(basename "$source" _fuzz.c)
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
    corpus=fuzz/corpus/$name
    mkdir -p "$corpus" "$build/corpus/$name"
    options=(-max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 -artifact_prefix="$corpus/found-")
    [ ! -f "fuzz/$name.dict" ] || options+=(-dict="fuzz/$name.dict")
    echo "$name: $seconds s"
    if "$build/fuzz/${name}_fuzz" "${options[@]}" "$build/corpus/$name" "$corpus" >"$build/corpus/$name.log" 2>&1; then
        grep -E 'number_of_executed_units|new_units_added' "$build/corpus/$name.log" || true
    else
        failed=1
        tail -n 60 "$build/corpus/$name.log"
    fi
done
exit $failed
