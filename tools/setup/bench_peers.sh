#!/usr/bin/env bash
# Installs the programs that ./dev bench analyse, crawl, copies and extract run beside Magpie, each at a pinned version, into build/peers; never part of ./dev setup.
#   scrapy, img2dataset   from the Python registry, with /usr/bin/python3
#   extruct, price-parser the same
#   hnswlib, FAISS, usearch, rabitqlib  the same, for bench vec; and dataset-fashion-mnist from Debian
#   tantivy               the same, for bench text; and python3-xapian from Debian
#   FastAPI, uvicorn, uvloop, httptools  the same, for bench http; and wrk from Debian
#   ImageHash, pdqhash, OpenCV, pyvips the same; scikit-image and scikit-learn for their pictures; OpenVINO
#   colly                 from the Go module proxy, with go (apt install golang, or newer)
#   spider                from the Rust registry, with cargo; several minutes of compiling
#   wget2, httrack, libpuzzle  from Debian; and stamps and wallpapers, as pictures that are no garments
# What cannot be installed is named and left out; the benchmark then says so too.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
peers=$root/build/peers
sources=$root/bench/peers
mkdir -p "$peers"

attempt() { echo "peers: $1" >&2; "$@" || echo "peers: $1 is not installed; the benchmark will leave it out" >&2; }

debian_peers() {
  local wanted=(wget2 httrack libpuzzle-dev tuxpaint-stamps-default plasma-workspace-wallpapers gnome-backgrounds dataset-fashion-mnist
    python3-xapian wrk)
  dpkg -s "${wanted[@]}" > /dev/null 2>&1 && return 0
  [ "$(id -u)" = 0 ] || { echo "peers: run 'apt-get install ${wanted[*]}' as root" >&2; return 1; }
  apt-get install -y --no-install-recommends "${wanted[@]}"
}
python_peers() {
  [ -x "$peers/python/bin/pip" ] || /usr/bin/python3 -m venv "$peers/python"
  "$peers/python/bin/pip" install --quiet --disable-pip-version-check scrapy==2.19.0 img2dataset==1.47.0 extruct==0.18.0 price-parser==0.5.0 \
    imagehash==4.3.2 pdqhash==0.2.8 pyvips==3.1.1 opencv-python-headless==4.14.0.94 scikit-image==0.26.0 scikit-learn==1.9.1 \
    hnswlib==0.8.0 faiss-cpu==1.15.1 usearch==2.26.6 rabitqlib==0.7.1 tantivy==0.27.0 openvino==2026.4.1 \
    fastapi==0.165.0 uvicorn==0.54.0 uvloop==0.23.0 httptools==0.9.0
}
colly() {
  command -v go > /dev/null || return 1
  mkdir -p "$peers/colly" && cp "$sources/colly.go" "$peers/colly/main.go" && cd "$peers/colly" || return 1
  [ -e go.mod ] || go mod init colly_bench
  go get github.com/gocolly/colly/v2@v2.3.0 && go build -o "$peers/colly_bench" .
}
spider() {
  command -v cargo > /dev/null || return 1
  mkdir -p "$peers/spider/src" && cp "$sources/spider.rs" "$peers/spider/src/main.rs" && cd "$peers/spider" || return 1
  printf '[package]\nname = "spider_bench"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\nspider = { version = "=2.53.9", default-features = false }\n' > Cargo.toml
  cargo build --release && cp target/release/spider_bench "$peers/"
}

attempt debian_peers
attempt python_peers
(attempt colly)
(attempt spider)
