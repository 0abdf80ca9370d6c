#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Whether results have the same bits elsewhere: `scripts/cross.sh PLATFORM [OPTION...] [FUNCTION...]` builds
# actfun_hashes for a platform, runs it there, and compares the hashes of its outputs with the certificates.
#   aarch64   64-bit Arm by a cross compiler, run by qemu: NEON and SCALAR
#   wasm      WebAssembly by emscripten, run by Node: SCALAR
#   TARGET    an instruction set of this machine: scalar, sse4, avx2, ...
# All inputs of f16, bf16, f8e4m3fn and f8e5m2, and 2^24 of f32; all elementwise functions unless given. Options go to
# scripts/compare_hashes.py: --format FORMAT (several times for several), --certificates DIRECTORY, --jobs N, and
# --record, which enters the run in docs/portability.md. Exits with 1 when results differ, with 2 when certificates lack.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n 's/^# \{0,1\}//; 3,10p' "$0" >&2; exit 2; }
[ $# -ge 1 ] || usage
platform=$1
shift
case $platform in
  aarch64)
    scripts/setup.sh "$platform"
    targets=(NEON SCALAR)
    command=(qemu-aarch64-static build/aarch64/actfun_hashes)
    compiler=$(aarch64-linux-gnu-g++ --version | head -1)
    machine=$(qemu-aarch64-static --version | sed -n 's/^\(qemu-aarch64 version [^ ]*\).*/\1/p')
    ;;
  wasm)
    scripts/setup.sh "$platform"
    targets=(SCALAR)
    export NODE_PATH=/usr/share/nodejs  # of the optimiser, where Node is not Debian's
    # The compiler's own cache of libraries is for root to write: links to it.
    export EM_CACHE=$PWD/build/emscripten
    mkdir -p build
    if [ ! -e "$EM_CACHE" ]; then
      cp -rs /usr/share/emscripten/cache "$EM_CACHE"
      rm -f "$EM_CACHE/cache.lock"
    fi
    # Without its fetch, where Node has one: emscripten takes a machine that has it for a browser.
    command=(node --no-experimental-fetch build/wasm/actfun_hashes.js)
    compiler=$(em++ --version 2>/dev/null | sed -n 's/^emcc.* \([0-9][0-9.]*\) .*/emscripten \1/p'), $(clang++ --version | sed -n 's/.*\(clang version [0-9.]*\).*/\1/p')
    compiler="$compiler, SIMD128"
    machine="Node $(node --version)"
    ;;
  -*) usage ;;
  *)
    scripts/setup.sh
    targets=("${platform^^}")
    platform=release
    command=(build/release/actfun_hashes)
    compiler=$(c++ --version | head -1)
    machine=$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)
    ;;
esac

cmake --preset "$platform" > /dev/null
cmake --build --preset "$platform" --target actfun_hashes
status=0
for target in "${targets[@]}"; do
  scripts/compare_hashes.py --machine "$machine" --compiler "$compiler" --target "$target" --command "${command[*]}" "$@" ||
    { result=$?; [ $status -eq 1 ] || status=$result; }
done
exit $status
