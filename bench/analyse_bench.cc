// What a picture costs: the network alone, the whole analysis in this process, and through a sandboxed worker process.
// Input: a 1.5 MP JPEG of fixed-seed noise in octaves, about as hard to decode as a photograph (`jpeg_bytes` says how large).
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "analyse/analyse_picture.h"
#include "base/bounded_queue.h"
#include "base/check.h"
#include "base/files.h"
#include "image/encode.h"
#include "model/detection_network.h"
#include "model/network.h"

namespace magpie {
namespace {

constexpr image::Size kSize{1'440, 1'080};

fs::path model_folder(bool int8 = true) {
  return fs::path(MAGPIE_SOURCE_DIR) / "build/models" / (int8 ? "efficientnet-lite0-int8" : "efficientnet-lite0");
}

fs::path detector_folder() { return fs::path(MAGPIE_SOURCE_DIR) / "build/models/ssd-open-images"; }

// Square cells of random colour, each octave half the size and half the strength of the one before.
image::Pixels octaves(image::Size size) {
  std::mt19937 random(7);
  std::vector<float> sums(std::size_t{3} * size.width * size.height, 128.0F);
  float strength = 64;
  for (std::uint32_t cell = 256; cell >= 2; cell /= 2, strength /= 1.25F) {
    std::uniform_real_distribution<float> noise(-strength, strength);
    const std::uint32_t columns = size.width / cell + 1, rows = size.height / cell + 1;
    std::vector<float> values(std::size_t{3} * columns * rows);
    for (float& value : values) value = noise(random);
    for (std::uint32_t y = 0; y < size.height; ++y) {
      for (std::uint32_t x = 0; x < size.width; ++x) {
        const std::size_t from = std::size_t{3} * ((y / cell) * columns + x / cell);
        for (std::size_t c = 0; c < 3; ++c) sums[(std::size_t{y} * size.width + x) * 3 + c] += values[from + c];
      }
    }
  }
  image::Pixels pixels(size, 3);
  for (std::size_t i = 0; i < sums.size(); ++i) pixels.data()[i] = static_cast<std::uint8_t>(std::clamp(sums[i], 0.0F, 255.0F));
  return pixels;
}

const std::string& jpeg() {
  static const std::string bytes = *image::encode_jpeg(octaves(kSize).view(), 85);
  return bytes;
}

// The JPEGs that tools/bench_analyse.py gives to all programs alike, or the one above.
std::vector<std::string> pictures() {
  std::vector<std::string> files;
  const char* folder = std::getenv("MAGPIE_BENCH_PICTURES");
  std::error_code error;
  for (fs::directory_iterator at(folder != nullptr ? folder : "", error), end; !error && at != end; at.increment(error)) {
    if (auto bytes = read_file(at->path())) files.push_back(std::move(*bytes));
  }
  if (files.empty()) files.push_back(jpeg());
  return files;
}

enum Arithmetic { kF32, kBf16, kInt8 };

void BM_Embed(benchmark::State& state) {
  const int kind = static_cast<int>(state.range(0));
  auto network = model::Network::load(model_folder(kind == kInt8), {.fast = kind == kBf16});
  if (!network) return state.SkipWithError(network.error().message.c_str());
  const image::Pixels pixels = octaves({640, 480});
  for (auto _ : state) benchmark::DoNotOptimize(network->embed({pixels.data(), 640, 480, std::size_t{640} * 3}));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Embed)->ArgName("f32_bf16_int8")->Arg(kF32)->Arg(kBf16)->Arg(kInt8)->Unit(benchmark::kMillisecond);

void BM_Detect(benchmark::State& state) {
  auto network = model::DetectionNetwork::load(detector_folder(), {});
  if (!network) return state.SkipWithError(network.error().message.c_str());
  const image::Pixels pixels = octaves({640, 480});
  for (auto _ : state) benchmark::DoNotOptimize(network->detect({pixels.data(), 640, 480, std::size_t{640} * 3}));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Detect)->Unit(benchmark::kMillisecond);

void BM_LoadNetwork(benchmark::State& state) {
  for (auto _ : state) {
    auto network = model::Network::load(model_folder(), {});
    if (!network) return state.SkipWithError(network.error().message.c_str());
  }
}
BENCHMARK(BM_LoadNetwork)->Unit(benchmark::kMillisecond);

void BM_AnalyseHere(benchmark::State& state) {
  WorkerHandlers handlers;
  analyse::PictureSettings settings{.model_folder = model_folder(state.range(0) != 0)};
  if (state.range(1) != 0) settings.detector_folder = detector_folder();
  if (auto added = analyse::add_picture_handlers(handlers, settings); !added) { return state.SkipWithError(added.error().message.c_str()); }
  std::vector<WorkRequest> requests;
  double bytes = 0;
  for (const std::string& picture : pictures()) {
    requests.push_back(analyse::analyse_request(picture));
    bytes += static_cast<double>(picture.size());
  }
  const WorkerHandler& handler = handlers.by_kind.at(requests[0].kind);
  std::size_t i = 0;
  for (auto _ : state) {
    const WorkRequest& request = requests[i++ % requests.size()];
    MAGPIE_CHECK(handler({request.kind, request.payload, {}, Deadline::never()}), "the picture is good");
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["jpeg_bytes"] = bytes / static_cast<double>(requests.size());
  state.counters["pictures"] = static_cast<double>(requests.size());
}
BENCHMARK(BM_AnalyseHere)->ArgNames({"int8", "detects"})->Args({0, 0})->Args({1, 0})->Args({1, 1})->Unit(benchmark::kMillisecond);

// Wall time: the work is done by other processes. Two requests per worker are on their way at any time.
void BM_AnalyseInWorkers(benchmark::State& state) {
  WorkerPoolOptions options;
  options.command = {(fs::read_symlink("/proc/self/exe").parent_path() / "../src/analyse/magpie_picture_worker").string()};
  options.workers = static_cast<std::size_t>(state.range(0));
  options.config = model_folder().string();
  WorkerPool pool(options);
  if (auto ready = pool.wait_ready(Deadline::after(60s)); !ready) return state.SkipWithError(ready.error().message.c_str());
  const std::string& picture = jpeg();
  BoundedQueue<bool> answers(2 * options.workers);
  const auto ask = [&] {
    pool.submit(analyse::analyse_request(picture), [&](const Result<std::string>& answer) { answers.push(static_cast<bool>(answer)); });
  };
  for (std::size_t i = 0; i < 2 * options.workers; ++i) ask();
  for (auto _ : state) {
    MAGPIE_CHECK(answers.pop().value_or(false), "the picture is good");
    ask();
  }
  state.SetItemsProcessed(state.iterations());
  for (std::size_t i = 0; i < 2 * options.workers; ++i) (void)answers.pop();
}
BENCHMARK(BM_AnalyseInWorkers)->ArgName("workers")->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace magpie
