#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, builds, and runs every test: `scripts/test.sh [ctest arguments]`, for instance -R axis.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
preset=${ACTFUN_PRESET:-release}
cmake --preset "$preset" >/dev/null
cmake --build --preset "$preset"
ctest --preset "$preset" "$@"
