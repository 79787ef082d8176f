#!/usr/bin/env bash
# Runs the benchmarks and keeps each one's result: bench/results/<workload>.json and .md. ./dev bench builds first, then calls this.
#   tools/bench.sh              all workloads
#   tools/bench.sh crawl        one of them
#   tools/bench.sh million      a million pictures: recall, time and memory; by name only, as making them takes a quarter of an hour
#   tools/bench.sh relevance    where relevance ends, on labelled photographs; by name only, as those must be at hand
#   tools/bench.sh model_change  searches while the model of a running server is changed; by name only
#   tools/bench.sh kill         kill -9 at 100 moments of a crawl of 200,000 pages; by name only, as it takes a quarter of an hour
# MAGPIE_BENCH_ROUNDS=3       times each is run
# MAGPIE_BENCH_SMOKE=1        tiny, to see that it works; kept in build/bench/results, not beside the true ones
# MAGPIE_BUILD=build/release  the build that is measured
set -euo pipefail
cd "$(dirname "$0")/.."
build=${MAGPIE_BUILD:-build/release}
rounds=${MAGPIE_BENCH_ROUNDS:-3}
python=/usr/bin/python3   # Debian's, as the tests use
results=bench/results
[ -z "${MAGPIE_BENCH_SMOKE:-}" ] || results=build/bench/results
mkdir -p build/bench "$results"
workloads="crawl frontier analyse copies extract http search text vec"

# program NAME SECONDS: one Google Benchmark program in rounds, SECONDS each at least; its JSON goes to build/bench.
program() {
  local path=$build/bench/magpie_$1_bench
  [ -x "$path" ] || { echo "bench: $path is not built; run ./dev bench, which builds it" >&2; return 3; }
  [ -z "${MAGPIE_BENCH_SMOKE:-}" ] || set -- "$1" 0.01
  local words=("$path" --benchmark_format=json --benchmark_min_time="$2" --benchmark_repetitions="$rounds")
  echo "bench: ${words[*]}" >&2
  "${words[@]}" > "build/bench/$1.json"
}

# Processor time so far, in ticks: of the whole machine with what its host took from it, and of this script's own ended children.
machine_ticks() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 + $9 }' /proc/stat; }
own_ticks() { awk '{ print $14 + $15 + $16 + $17 }' "/proc/$$/stat"; }

# report WORKLOAD UNIT INPUT RAW…: joins raw results with the machine, keeps and prints them.
report() {
  local others
  others=$(echo "$(machine_ticks) $(own_ticks) $machine_began $own_began $(date +%s%N) $began $(getconf CLK_TCK)" |
    awk '{ printf "%.2f", (($1 - $3) - ($2 - $4)) / $7 / (($5 - $6) / 1e9) }')
  "$python" tools/bench_report.py --workload "$1" --unit "$2" --input "$3" --load "$load" --others "$others" --commit "$commit" --results "$results" "${@:4}"
}

run() {
  machine_began=$(machine_ticks) own_began=$(own_ticks) began=$(date +%s%N)
  case "$1" in
    crawl)
      "$python" tools/bench_crawl.py --magpie "$build/magpie" --rounds "$rounds" > build/bench/crawl.json
      report crawl "" "synthetic webs (tests/site) on loopback, fixed seed; their server runs beside the crawler on the same cores" build/bench/crawl.json ;;
    frontier)
      program frontier 1
      report frontier "URLs" "pages of 100 links, four fifths of them known already, on 10,000 or a million hosts; one thread" build/bench/frontier.json ;;
    analyse)
      program image 0.5 && program analyse 0.5
      "$python" tools/bench_analyse.py --programs "$build/bench" --rounds "$rounds" > build/bench/pictures.json
      "$python" tools/bench_query.py --magpie "$build/magpie" > build/bench/query.json
      report analyse "pictures" "JPEGs of 1.2 to 2 MP, quality 85: made of waves and noise, or photographs enlarged where the shared data is at hand" \
        build/bench/pictures.json build/bench/query.json build/bench/image.json build/bench/analyse.json ;;
    copies)
      "$python" tools/bench_copies.py --magpie "$build/magpie" > build/bench/copies.json
      report copies "" "real pictures, each as it is and under 10 of 32 changes (tools/copies_set.py); peers with the cut-off that suits this very set best" \
        build/bench/copies.json ;;
    extract)
      program extract 0.5
      "$python" tools/bench_extract.py --magpie "$build/magpie" > build/bench/extract_quality.json
      report extract "pages" "pages as the example shop has them, fixed seed, and real shop pages where the shared ones are at hand" \
        build/bench/extract_quality.json build/bench/extract.json ;;
    search)
      program search 2
      report search "searches" "100,000 made-up pictures (2,000 in smoke mode) with words, facets and vectors of 1,280 components, one thread" build/bench/search.json ;;
    vec)
      local sizes=(--queries 1000 --rounds "$rounds") set
      for set in fashion-mnist made; do
        [ $set = made ] && sizes+=(--vectors 100000)
        [ -z "${MAGPIE_BENCH_SMOKE:-}" ] || sizes=(--vectors 3000 --queries 50 --rounds 1)
        build/peers/python/bin/python tools/bench_vec.py --program "$build/bench/magpie_vec_bench" --set $set "${sizes[@]}" > "build/bench/vec_$set.json"
      done
      report vec "queries" "Fashion-MNIST, 784 components, 60,000 vectors, and 100,000 made ones of 512 (tools/bench_vec.py), 1,000 queries each, unit length, cosine; one thread" build/bench/vec_fashion-mnist.json build/bench/vec_made.json ;;
    text)
      local records=200000
      [ -z "${MAGPIE_BENCH_SMOKE:-}" ] || records=2000
      build/peers/python/bin/python tools/bench_text.py --program "$build/bench/magpie_text_bench" --records "$records" --rounds "$rounds" > build/bench/text.json
      report text "queries" "products named and filed as Debian's packages are, with paragraphs of its manuals; one thread" build/bench/text.json ;;
    http)
      local seconds=3
      [ -z "${MAGPIE_BENCH_SMOKE:-}" ] || seconds=1
      "$python" tools/bench_http.py --program "$build/bench/magpie_http_answers" --rounds "$rounds" --seconds "$seconds" > build/bench/http.json
      report http "" "50 search results as JSON, written for each request; server and wrk on a core each" build/bench/http.json ;;
    relevance)
      "$python" tools/bench_relevance.py --programs "$build/bench" --model "$build/models/efficientnet-lite0-int8" \
        --clothing "${MAGPIE_BENCH_PHOTOGRAPHS:?names a folder with train and validation, each of folders of JPEGs}" > build/bench/relevance.json
      report relevance "" "labelled pictures; relevant is what is of the query's class" build/bench/relevance.json ;;
    million)
      local pictures=1000000
      [ -z "${MAGPIE_BENCH_SMOKE:-}" ] || pictures=3000
      "$python" tools/bench_million.py --program "$build/bench/magpie_million" --magpie "$build/magpie" --pictures "$pictures" --graph \
        --photographs "${MAGPIE_BENCH_PHOTOGRAPHS:?names a folder of folders of JPEGs}" --model "$build/models/efficientnet-lite0-int8" > build/bench/million.json
      report million "searches" "a collection made of photographs' embeddings and differences between photographs of a class; one thread" build/bench/million.json ;;
    model_change)
      "$python" tools/bench_model_change.py --magpie "$build/magpie" > build/bench/model_change.json
      report model_change "" "the shared clothing photographs; the server, its workers and the caller share the machine" build/bench/model_change.json ;;
    kill)
      local pages=200000 kills=100
      [ -z "${MAGPIE_BENCH_SMOKE:-}" ] || pages=2000 kills=4
      MAGPIE=$build/magpie MAGPIE_KILL_PAGES=$pages MAGPIE_KILLS=$kills MAGPIE_KILL_RESULT=$PWD/build/bench/kill.json \
        "$python" tests/system/test_kill_synthetic.py
      report kill "" "a synthetic web (tests/site) of $pages pages, 1,000 or 100 a host" build/bench/kill.json ;;
    *) echo "bench: no workload '$1'; there are: $workloads relevance million model_change kill" >&2; return 2 ;;
  esac
}

load=$(cut -d ' ' -f 1-3 /proc/loadavg)   # before the first run: afterwards it is our own
# What is measured: taken before the runs, as the work tree may move on meanwhile. What was built may be older, when ./dev bench did not build it.
commit=$(git rev-parse --short=12 HEAD)
[ -z "$(git status --porcelain --untracked-files=no -- src cmd bench/*.cc cmake CMakeLists.txt)" ] || commit+=" with changes"
[ -z "$(find src cmd \( -name '*.cc' -o -name '*.h' \) ! -name '*test*' -newer "$build/magpie" -print -quit)" ] || commit+=", programs built from an earlier state"

for name in ${*:-$workloads}; do run "$name"; done
