#!/usr/bin/env bash
# Everything a machine can say about the sources without running them, one TAP line a check.
#
#   tools/lint.sh [CHECK...]      all of them without arguments; names are those of the functions check_NAME below
#
# BUILD (default: build) is a configured build directory; clang-tidy and cppcheck read its compile_commands.json.
# shellcheck disable=SC2317    # the checks are called by their names, which shellcheck can't see
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
build=${BUILD:-build}
jobs=$(nproc)
export PYTHONDONTWRITEBYTECODE=1

c_files() { find "$@" -name node_modules -prune -o \( -name '*.c' -o -name '*.h' -o -name '*.cc' \) -print | sort; }

# `make format` mends what this finds.
check_format() {
    c_files src tests fuzz bench | xargs clang-format --dry-run -Werror 2>&1 |
        awk -F: '/: error:/ { at[$1]++; if (!($1 in first)) first[$1] = $2 }
            END { for (f in at) printf "%s:%s: %d places differ from .clang-format\n", f, first[f], at[f] }' | sort
    [ "${PIPESTATUS[1]}" -eq 0 ]
}

check_layers() { python3 tools/check_layers.py; }

check_files() { python3 tools/check_files.py; }

check_tidy() { python3 tools/tidy.py "$build"; }

# Not reported:
#   varFuncNullUB                  NULL is a pointer here, not 0
#   CastIntegerToAddressAtReturn   not told apart from a pointer that comes from a macro
#   pointerOutOfBoundsCond         guesses values that the condition before has excluded
#   uninitvar, legacyUninitvar     does not see that what a function gives back is there when it says OK; clang-tidy does
#   normalCheckLevelMaxBranches, missingInclude: notes, not findings
check_cppcheck() {
    mkdir -p "$build/cppcheck"
    cppcheck --project="$build/compile_commands.json" --cppcheck-build-dir="$build/cppcheck" -j "$jobs" --quiet \
        --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
        --suppress=varFuncNullUB --suppress=CastIntegerToAddressAtReturn --suppress=pointerOutOfBoundsCond \
        --suppress=uninitvar --suppress=legacyUninitvar --file-filter='*/src/*' \
        --suppress=missingInclude --suppress=missingIncludeSystem --suppress="*:*/$(basename "$build")/*" \
        --template='{file}:{line}: {id}: {message}' 2>&1 | sed "s#$PWD/##"
    [ "${PIPESTATUS[0]}" -eq 0 ]
}

# The texts of templates and sources against the catalogues' template.
check_messages() {
    [ -f tools/messages.py ] || { echo "skip"; return 0; }
    python3 tools/messages.py --check
}

check_spelling() { python3 tools/check_spelling.py; }

check_shell() {
    git ls-files --cached --others --exclude-standard | while read -r file; do
        [ -f "$file" ] || continue
        case $file in
        *.sh) echo "$file" ;;
        *.*) ;;
        *) if [[ $(head -c 64 "$file" | tr -d '\0') =~ ^#![^$'\n']*sh ]]; then echo "$file"; fi ;;
        esac
    done | xargs shellcheck
}

# A line with "noqa" is meant as it is (names handed on, imports after the path is set).
check_python() {
    local found=0 file line rest
    while IFS=: read -r file line rest; do
        sed -n "${line}p" "$file" | grep -q noqa && continue
        echo "$file:$line:$rest"
        found=1
    done < <(git ls-files -z --cached --others --exclude-standard -- '*.py' | xargs -0 pyflakes3 2>&1)
    return "$found"
}

# What the pages' own tools find, where ui/ has a script for it.
check_scripts() {
    if [ ! -f ui/package.json ] || ! grep -q '"lint"' ui/package.json; then
        echo "skip"
        return 0
    fi
    [ -d ui/node_modules ] || npm --prefix ui ci --no-audit --no-fund --silent
    npm --prefix ui run --silent lint
}

checks=(layers files format spelling shell python messages scripts cppcheck tidy)
[ $# -eq 0 ] || checks=("$@")
for name in "${checks[@]}"; do
    declare -F "check_$name" >/dev/null || { echo "lint.sh: no check $name" >&2; exit 2; }
done

shown=$([ ${#checks[@]} -eq 1 ] && echo 100000 || echo 60)
failed=0
number=0
echo "1..${#checks[@]}"
for name in "${checks[@]}"; do
    number=$((number + 1))
    if output=$("check_$name" 2>&1); then
        if [ "$output" = skip ]; then
            echo "ok $number - $name # SKIP nothing to look at"
        else
            echo "ok $number - $name"
        fi
    else
        failed=1
        echo "not ok $number - $name"
        printf '%s\n' "$output" | sed 's/^/# /' | head -n "$shown"
        lines=$(printf '%s\n' "$output" | wc -l)
        [ "$lines" -le "$shown" ] || echo "# and $((lines - shown)) more lines: tools/lint.sh $name"
    fi
done
exit $failed
