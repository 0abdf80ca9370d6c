#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The library beside others: installs Debian's packages of them where they are missing, builds the comparison, runs it on
# one thread of a machine that should be quiet, and writes bench/compare/results/, docs/performance.md and its pictures.
# With the names of functions only these are measured and shown, and nothing is written. It names the time it took.
set -euo pipefail
cd "$(dirname "$0")/.."
case ${1:-} in -h | --help) sed -n '3,5s/^# //p' "$0"; echo "usage: scripts/compare.sh [FUNCTION...]"; exit 0 ;; esac
scripts/setup.sh compare
cmake --preset release -DACTFUN_COMPARE=ON >/dev/null
cmake --build --preset release --target actfun_peers
built=$SECONDS
peers=build/release/bench/compare/actfun_peers
targets=(AVX2)
grep -q avx512vl /proc/cpuinfo && targets=(AVX3 AVX2)

if [ $# -gt 0 ]; then
  for target in "${targets[@]}"; do
    for inputs in normal uniform; do
      for pass in "" --backward; do
        echo "$target, $inputs"
        "$peers" --target "$target" --inputs $inputs $pass "$@"
      done
    done
  done
else
  into=bench/compare/results
  rm -rf "$into.part" && mkdir "$into.part"
  measure() {  # measure NAME arguments...
    echo "measuring $1"
    "$peers" --json "${@:2}" >"$into.part/$1.json"
  }
  for target in "${targets[@]}"; do
    for inputs in normal uniform; do
      measure "$target-$inputs-forward" --target "$target" --inputs $inputs
      measure "$target-$inputs-backward" --target "$target" --inputs $inputs --backward
    done
    measure "$target-sizes" --target "$target" --elements 16,64,256,1024,4096,16384,262144,4194304 gelu sigmoid tanh
  done
  mkdir -p "$into" && mv "$into.part"/*.json "$into" && rmdir "$into.part"
  python3 scripts/performance.py
  python3 scripts/performance.py --summary
fi
echo "scripts/compare.sh took $SECONDS s, $built of them to install and build"
