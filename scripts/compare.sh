#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The library beside others: installs Debian's oneDNN, XNNPACK and SLEEF where they are missing, builds the comparison,
# runs it on a quiet machine (some minutes, one thread), and writes bench/compare/results/ and docs/performance.md.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh compare
cmake --preset release -DACTFUN_COMPARE=ON >/dev/null
cmake --build --preset release --target actfun_peers
for target in AVX3 AVX2; do
  for inputs in normal uniform; do
    OMP_NUM_THREADS=1 build/release/bench/compare/actfun_peers --target $target --inputs $inputs --json \
      >bench/compare/results/$target-$inputs.json.part
    mv bench/compare/results/$target-$inputs.json.part bench/compare/results/$target-$inputs.json
  done
done
python3 scripts/performance.py
