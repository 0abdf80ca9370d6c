#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Writes the certificates that are missing: `scripts/certify.sh [FUNCTION...]`, all functions unless given. The oracle
# rounds all 2^32 inputs for value, slope and curvature, about a minute a function on two cores, and two million doubles,
# a quarter of one: about an hour and a quarter for all. A run that was interrupted goes on with the next function;
# `--force --all` writes existing ones anew (hard cases are kept).
# Then `actfun verify --all-targets --record` checks every instruction set of the machine and notes it in them.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh
cmake --preset release >/dev/null
cmake --build --preset release --target actfun_certify
[ $# -gt 0 ] || set -- --all
exec build/release/core/exact/actfun_certify --out certificates "$@"
