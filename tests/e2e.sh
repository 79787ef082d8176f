#!/usr/bin/env bash
# Browser tests: the example shop, a crawl of it, a real `magpie serve`, then web/e2e in headless Chromium against that.
set -euo pipefail
cd "$(dirname "$0")/.."
magpie=${MAGPIE:-$PWD/build/release/magpie}
folder=$PWD/build/e2e
shop_port=${MAGPIE_E2E_SHOP_PORT:-18090}
web_port=${MAGPIE_E2E_PORT:-18080}
rm -rf "$folder"; mkdir -p "$folder"

pids=()
stop() { kill "${pids[@]}" 2> /dev/null || true; wait 2> /dev/null || true; }
trap stop EXIT
wait_for_port() {
  local i
  for i in $(seq 600); do (exec 3<> "/dev/tcp/127.0.0.1/$1") 2> /dev/null && return 0; sleep 0.1; done
  echo "nothing answers on port $1" >&2; return 1
}

/usr/bin/python3 tests/site/serve.py --port "$shop_port" 2> "$folder/shop.log" & pids+=($!)
wait_for_port "$shop_port"
"$magpie" init "$folder/collection"
key=$("$magpie" keys add e2e --collection "$folder/collection")
"$magpie" serve --collection "$folder/collection" --port "$web_port" --set crawl.agent=magpie-e2e --set crawl.allow_loopback=true 2> "$folder/server.log" & pids+=($!)
wait_for_port "$web_port"
"$magpie" crawl --collection "$folder/collection" --agent magpie-e2e --delay 0 --per-host 8 --allow-loopback \
  "http://127.0.0.1:$shop_port/" "http://127.0.0.2:$shop_port/" "http://127.0.0.3:$shop_port/" "http://127.0.0.4:$shop_port/"
MAGPIE_E2E_KEY=$key MAGPIE_URL=http://127.0.0.1:$web_port MAGPIE_SHOP_URL=http://127.0.0.1:$shop_port npm --prefix web run e2e
