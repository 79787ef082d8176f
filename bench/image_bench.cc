// What a worker does with a crawled photograph: decode, preview, thumbnail, hashes, colours. Input: one made of waves and noise, 1.2 and 2
// MP, JPEG quality 85, so that it runs anywhere; with MAGPIE_SHARED the clothing photographs enlarged to 1.2 MP. Counters: pictures a
// second of one core, and how many bits the hashes of the preview are away from those at full size.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "analyse/copies.h"
#include "base/files.h"
#include "image/encode.h"
#include "image/picture.h"
#include "image/resize.h"

namespace {

using namespace magpie;
using namespace magpie::image;

std::size_t pictures_wanted() { return std::getenv("MAGPIE_BENCH_SMOKE") != nullptr ? 2 : 60; }

Pixels made_up(Size size) {
  Pixels pixels(size, 3);
  std::uint32_t noise = 12'345;
  for (std::size_t i = 0; i < pixels.bytes(); ++i) {
    noise = noise * 1'664'525 + 1'013'904'223;
    pixels.data()[i] = static_cast<std::uint8_t>((i / 7 % 200) + (noise >> 27));
  }
  return pixels;
}

std::vector<fs::path> photographs() {
  const char* shared = std::getenv("MAGPIE_SHARED");
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator
           at((shared != nullptr ? fs::path(shared) : fs::path(MAGPIE_SOURCE_DIR "/../shared")) / "data/clothing/train", error),
       end;
       !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".jpg") paths.push_back(at->path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// The JPEGs that tools/bench_analyse.py gives to all programs alike.
std::vector<std::string> given_inputs() {
  std::vector<std::string> files;
  const char* folder = std::getenv("MAGPIE_BENCH_PICTURES");
  std::error_code error;
  for (fs::directory_iterator at(folder != nullptr ? folder : "", error), end; !error && at != end; at.increment(error)) {
    if (auto bytes = read_file(at->path())) files.push_back(std::move(*bytes));
  }
  return files;
}

// JPEGs of about `pixels` px each; 0: those given.
std::vector<std::string> inputs(double pixels) {
  std::vector<std::string> files;
  if (pixels == 0) return given_inputs();
  const std::vector<fs::path> paths = photographs();
  const std::size_t step = std::max<std::size_t>(1, paths.size() / pictures_wanted());
  for (std::size_t i = 0; i < paths.size() && files.size() < pictures_wanted(); i += step) {
    const auto bytes = read_file(paths[i]);
    const auto decoded = bytes ? decode(*bytes) : Result<Decoded>(fail(Code::kNotFound, "gone"));
    if (!decoded) continue;
    const double scale = std::sqrt(pixels / static_cast<double>(decoded->pixels.size().pixels()));
    const Size size{static_cast<std::uint32_t>(decoded->pixels.width() * scale),
                    static_cast<std::uint32_t>(decoded->pixels.height() * scale)};
    files.push_back(*encode_jpeg(resize_area(decoded->pixels.view(), size).view(), 85));
  }
  const auto side = static_cast<std::uint32_t>(std::sqrt(pixels));
  if (files.empty()) files.push_back(*encode_jpeg(made_up({side, side}).view(), 85));
  return files;
}

// Tenths of a megapixel; or the pictures given.
void sizes(benchmark::internal::Benchmark* bench) {
  if (std::getenv("MAGPIE_BENCH_PICTURES") != nullptr) bench->Arg(0);
  else bench->Arg(3)->Arg(12)->Arg(20)->Arg(40);
}

void BM_AnalysePicture(benchmark::State& state) {
  const std::vector<std::string> files = inputs(static_cast<double>(state.range(0)) * 1e5);
  if (files.empty()) return state.SkipWithError("needs the pictures of tools/bench_analyse.py");
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(analyse_picture(files[i++ % files.size()]));
  int phash_bits = 0, dhash_bits = 0, pdq_bits = 0;
  for (const std::string& file : files) {
    const PerceptualHashes scaled = analyse_picture(file)->hashes;
    const PerceptualHashes exact = perceptual_hashes(decode(file)->pixels.view());
    phash_bits = std::max(phash_bits, hamming(scaled.phash, exact.phash));
    dhash_bits = std::max(dhash_bits, hamming(scaled.dhash, exact.dhash));
    pdq_bits = std::max(pdq_bits, hamming(scaled.pdq, exact.pdq));
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["phash_bits_max"] = phash_bits;
  state.counters["dhash_bits_max"] = dhash_bits;
  state.counters["pdq_bits_max"] = pdq_bits;
  state.counters["pictures"] = static_cast<double>(files.size());
}
BENCHMARK(BM_AnalysePicture)->Apply(sizes)->Unit(benchmark::kMillisecond);

// What is asked of every picture before it is known: 256 px and a pHash.
void BM_ShrinkAndPhash(benchmark::State& state) {
  const std::vector<std::string> files = inputs(static_cast<double>(state.range(0)) * 1e5);
  if (files.empty()) return state.SkipWithError("needs the pictures of tools/bench_analyse.py");
  std::size_t i = 0;
  for (auto _ : state) {
    const auto decoded = decode(files[i++ % files.size()], {}, {.side_wanted = 256});
    const Pixels small = shrink_to_fit(decoded->pixels.view(), 256);
    benchmark::DoNotOptimize(phash(to_grey(small.view()).view()));
  }
  state.SetItemsProcessed(state.iterations());
  state.counters["pictures"] = static_cast<double>(files.size());
}
BENCHMARK(BM_ShrinkAndPhash)->Apply(sizes)->Unit(benchmark::kMillisecond);

void BM_ExactHashes(benchmark::State& state) {
  const Pixels pixels = made_up({1'000, 1'200});
  for (auto _ : state) benchmark::DoNotOptimize(perceptual_hashes(pixels.view()));
}
BENCHMARK(BM_ExactHashes)->Unit(benchmark::kMillisecond);

// One new picture against 10 million, as it is, mirrored and turned. Half of the known ones have hashes of the photographs, where these are
// at hand, with up to a third of the bits turned over: real hashes crowd together, which is what costs.
struct Hashes {
  PerceptualHashes upright;
  std::vector<PdqHash> turned;
};

std::vector<Hashes> real_hashes() {
  std::vector<Hashes> hashes;
  for (const fs::path& path : photographs()) {
    const auto bytes = read_file(path);
    if (!bytes) continue;
    const auto decoded = decode(*bytes, {}, {.side_wanted = 256});
    if (!decoded) continue;
    const PdqTurns turns = pdq_turns(decoded->pixels.view());
    hashes.push_back({perceptual_hashes(decoded->pixels.view()), {turns.hashes.begin() + 1, turns.hashes.end()}});
  }
  return hashes;
}

class KnownPictures {
 public:
  explicit KnownPictures(std::size_t count) {
    const std::vector<Hashes> real = real_hashes();
    for (std::uint64_t i = 0; i < count; ++i) {
      finder_.add(
          i, i % 2 == 0 && !real.empty() ? blurred(known_of(real[(i / 2) % real.size()], i), static_cast<int>(i / 2 % 85)) : made_up());
    }
    for (std::size_t i = 0; i < 1'000; ++i)
      queries_.push_back(real.empty() || i % 2 == 1 ? made_up_query() : query_of(real[i % real.size()]));
  }
  const analyse::CopyFinder& finder() const { return finder_; }
  const analyse::CopyEvidence& query(std::size_t i) const { return queries_[i % queries_.size()]; }

 private:
  std::uint64_t next() { return seed_ = seed_ * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u; }
  analyse::CopyEvidence made_up() {
    return {.hashes = {.phash = next(), .dhash = next(), .pdq = {{next(), next(), next(), next()}}, .pdq_quality = 100}, .size = {4, 4}};
  }
  analyse::CopyEvidence blurred(PerceptualHashes hashes, int bits) {
    for (int i = 0; i < bits; ++i) hashes.pdq.words[next() >> 62] ^= std::uint64_t{1} << (next() >> 58);
    for (int i = 0; i < bits / 4; ++i) hashes.phash ^= std::uint64_t{1} << (next() >> 58);
    return {.hashes = hashes, .size = {4, 4}};
  }

  // One in eight is of a turned photograph, as a new picture's turn has it.
  static PerceptualHashes known_of(const Hashes& real, std::uint64_t i) {
    PerceptualHashes hashes = real.upright;
    if (i % 16 == 0) hashes.pdq = real.turned[i / 16 % real.turned.size()];
    return hashes;
  }
  analyse::CopyEvidence query_of(const Hashes& real) {
    analyse::CopyEvidence query = blurred(real.upright, 10);
    query.turned_pdq = real.turned;
    return query;
  }
  analyse::CopyEvidence made_up_query() {
    analyse::CopyEvidence query = made_up();
    for (int i = 0; i < 7; ++i) query.turned_pdq.push_back({{next(), next(), next(), next()}});
    return query;
  }

  std::uint64_t seed_ = 7;
  analyse::CopyFinder finder_;
  std::vector<analyse::CopyEvidence> queries_;
};

void BM_CopiesOf(benchmark::State& state) {
  const KnownPictures known(static_cast<std::size_t>(std::getenv("MAGPIE_BENCH_SMOKE") != nullptr ? 30'000 : state.range(0)));
  std::size_t i = 0, copies = 0;
  for (auto _ : state) copies += known.finder().copies_of(known.query(i++)).size();
  state.counters["pictures"] = static_cast<double>(known.finder().size());
  state.counters["copies a picture"] = static_cast<double>(copies) / static_cast<double>(i);
}
// A fixed number of searches, as making 10 million pictures takes half a minute.
BENCHMARK(BM_CopiesOf)->Arg(1'000'000)->Arg(10'000'000)->Iterations(1'000)->Unit(benchmark::kMillisecond);

}  // namespace
