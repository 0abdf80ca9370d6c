#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The main job on real input: builds, draws the gallery, applies functions to handwritten digits, checks the results.
# Runs from anywhere, as often as you like; everything it makes lies in build/release and demo.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[[ -t 1 ]] || title() { printf '\n%s\n' "$*"; }

title "Build"
scripts/setup.sh
cmake --preset release > /dev/null
cmake --build build/release --parallel "$(nproc)"
actfun=build/release/tool/actfun
compare=build/release/tool/actfun_compare
mkdir -p demo

title "1. The gallery"
"$actfun" gallery -o demo/gallery

title "2. Activations of 1797 handwritten digits, 64 standardised pixels each"
digits=data/digits_standard.npy
echo "The tensor is small (115,008 floats, 0.46 MB in and out): from file to file the time is mostly that of opening and"
echo "writing files, so the computation is also timed by itself, in memory and repeated, next to a copy."
# function, order, the name of the result
while read -r function order result; do
  echo
  "$actfun" apply "$function" "$digits" -o "demo/$result.npy" --order "$order" --speed
  "$compare" "$function" "$digits" "demo/$result.npy" --order "$order" --count 1000 --seed "$RANDOM"
done <<'LIST'
gelu    0 digits_gelu
gelu    1 digits_gelu_slope
gelu    2 digits_gelu_curvature
silu    0 digits_silu
tanh    0 digits_tanh
sigmoid 1 digits_sigmoid_slope
LIST
echo
"$actfun" apply softmax "$digits" -o demo/digits_softmax.npy --speed
"$actfun" apply maxout:k=4 "$digits" -o demo/digits_maxout.npy --index demo/digits_maxout_winners.npy --speed

title "3. Done"
cat <<END
The gallery      $PWD/demo/gallery/index.html   (open it in a browser; it needs no network)
The activations  $PWD/demo/*.npy   (numpy.load reads them)

What to try next:
  $actfun show gelu
  $actfun plot gelu silu --order 0,1
  $actfun eval gelu -5.5 --order 1
  $actfun verify gelu        all 2^32 inputs, against the certificate
  $actfun bench gelu
END
