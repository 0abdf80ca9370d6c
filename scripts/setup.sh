#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building, testing and running need on Debian 12, and nothing when all of it is there. With `aarch64` or
# `wasm` also what scripts/cross.sh needs for that platform, with `compare` the libraries of scripts/compare.sh.
set -euo pipefail

packages=(
  g++ make cmake ninja-build ccache pkg-config git python3
  libhwy-dev                                # SIMD: headers only
  libcli11-dev libfmt-dev nlohmann-json3-dev libxxhash-dev   # the program
  libeigen3-dev zlib1g-dev                  # the lab; zlib: the health check, too
  gnuplot-nox fonts-dejavu-core             # pictures
  libmpfr-dev libgmp-dev                    # the oracle
  libgtest-dev libbenchmark-dev             # tests and benchmarks
)
for platform in "$@"; do
  case $platform in
    aarch64) packages+=(g++-aarch64-linux-gnu qemu-user-static) ;;
    wasm) packages+=(emscripten) ;;  # brings Node
    compare) packages+=(libdnnl-dev libtorch-dev libxnnpack-dev libpthreadpool-dev libsleef-dev) ;;
    *) echo "setup: unknown platform $platform" >&2; exit 2 ;;
  esac
done

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "setup: installing ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: run as root, or install sudo" >&2; exit 2; }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
