#!/usr/bin/env bash
# Installs the Debian packages of the groups named (build, test, bench) that are not there yet.
set -euo pipefail
here=$(dirname "$0")

[ $# -gt 0 ] || { echo "usage: install_packages.sh GROUP..." >&2; exit 2; }

wanted=()
for group in "$@"; do
    mapfile -t of_group < <(awk -v group="$group" '$1 == group { print $2 }' "$here/packages.txt")
    [ ${#of_group[@]} -gt 0 ] || { echo "install_packages.sh: no group $group in packages.txt" >&2; exit 2; }
    wanted+=("${of_group[@]}")
done

# A Node.js that did not come from Debian serves as well, and Debian's npm can't be installed beside it.
has_node() {
    command -v npm >/dev/null && command -v node >/dev/null &&
        [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 18 ]
}

# shellcheck disable=SC2016
installed=$(dpkg-query -W -f ' ${Package}:${db:Status-Status} ' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
    case $package in
    nodejs | npm) if has_node; then continue; fi ;;
    esac
    [[ $installed == *" $package:installed "* ]] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get >/dev/null || {
    echo "This machine has no apt-get. Please install what matches Debian's: ${missing[*]}" >&2
    exit 1
}
as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
        echo "Missing packages. Please run as root: apt-get install ${missing[*]}" >&2
        exit 1
    }
    as_root=(sudo)
fi
echo "Installing ${#missing[@]} packages: ${missing[*]}"
install() {
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
        -o Dpkg::Use-Pty=0 "${missing[@]}"
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
"${as_root[@]}" apt-get update -q >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
install >"$log" 2>&1 || { tail -n 40 "$log" >&2; exit 1; }
