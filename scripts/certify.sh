#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes the certificate of every function that lacks one: scripts/certify.sh [BUILD DIRECTORY [actfun_certify options]].
# A run that was interrupted goes on with the next function; --force begins again.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$root/build}
[ $# -eq 0 ] || shift
cmake --build "$build" --target actfun_certify
exec "$build/core/exact/actfun_certify" --out "$root/certificates" --all "$@"
