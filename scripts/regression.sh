#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
usage="usage: scripts/regression.sh [REVISION | libactfun.so] [arguments of actfun_regression]

Whether this tree's library is slower than a revision's, or another build: both in one process, by turns, ratios of medians.
Without REVISION, the last commit if the tree differs from it, otherwise the one before.
Exit status: 0 nothing is slower by more than 10 %, 1 something is, 2 it could not be found out.

    scripts/regression.sh                              # every function, both tiers
    scripts/regression.sh v0.1.0 gelu tanh --threshold 5
    build/release/bench/actfun_regression --help"

cd "$(dirname "$0")/.."
case ${1:-} in
  -h | --help) echo "$usage"; exit 0 ;;
  "" | -*) [ -z "$(git status --porcelain)" ] && revision=HEAD~ || revision=HEAD ;;
  *) revision=$1; shift ;;
esac

build() {  # build DIRECTORY INTO: the library of the tree in DIRECTORY, as users build it
  cmake -S "$1" -B "$2" -G Ninja -DCMAKE_BUILD_TYPE=Release -DACTFUN_TOOL=OFF -DACTFUN_TESTS=OFF -DACTFUN_BENCH=OFF \
    -DACTFUN_INSTALL=OFF >/dev/null && cmake --build "$2" --target actfun
}

if [ -f "$revision" ]; then
  before=$revision
else
  if ! commit=$(git rev-parse --quiet --verify "$revision^{commit}"); then
    echo "regression: $revision is neither a revision nor a file" >&2
    exit 2
  fi
  before=build/regression/$commit.so
  if [ ! -f "$before" ]; then
    tree=build/regression/$commit
    mkdir -p "$tree"
    git archive "$commit" | tar -x -C "$tree"
    # Where this tree has its build, so that ccache, which sees relative paths, knows what has not changed.
    build "$tree" "$tree/build/release" || { echo "regression: $revision does not build" >&2; exit 2; }
    cp "$tree/build/release/libactfun.so" "$before"
    rm -rf "$tree"
  fi
fi
{ cmake --preset release >/dev/null && cmake --build --preset release --target actfun actfun_regression; } || exit 2
exec build/release/bench/actfun_regression "$before" build/release/libactfun.so "$@"
