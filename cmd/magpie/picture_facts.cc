#include "picture_facts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "base/wire.h"
#include "image/decode.h"
#include "process/worker_loop.h"

namespace magpie::cmd {
namespace {

constexpr std::uint32_t kDescribe = 1;
constexpr std::chrono::milliseconds kTimeMax{15'000};  // an answer is promised within 20 s
constexpr std::chrono::milliseconds kMargin{500};      // the decoder gives up this much before it would be killed
constexpr std::uint64_t kMemoryBytes = 2ull << 30;     // 100 MP decoded, turned, and as grey and float planes for the hashes
constexpr std::uint64_t kFileBytesMax = 256ull << 20;

std::uint64_t to_number(image::Rgb rgb) { return std::uint64_t{rgb.red} << 16 | std::uint64_t{rgb.green} << 8 | rgb.blue; }
image::Rgb to_rgb(std::uint64_t number) {
  return {static_cast<std::uint8_t>(number >> 16), static_cast<std::uint8_t>(number >> 8), static_cast<std::uint8_t>(number)};
}

std::string encode_facts(const PictureFacts& facts) {
  WireWriter out;
  out.u64(static_cast<std::uint64_t>(facts.header.format));
  for (const std::uint32_t number : {facts.header.size.width, facts.header.size.height, facts.header.frames,
                                     std::uint32_t{facts.header.orientation}, facts.upright.width, facts.upright.height}) {
    out.u64(number);
  }
  out.bytes(std::string_view(reinterpret_cast<const char*>(facts.sha256.data()), facts.sha256.size()));
  out.u64(facts.hashes.phash);
  out.u64(facts.hashes.dhash);
  for (const std::uint64_t word : facts.hashes.pdq.words) out.u64(word);
  out.u64(facts.hashes.pdq_quality);
  out.u64(facts.colours.size());
  for (const image::DominantColour& colour : facts.colours) {
    out.u64(to_number(colour.rgb));
    out.f64(colour.share);
    out.u64(static_cast<std::uint64_t>(colour.name));
  }
  for (const image::Rgb cell : facts.colour_grid) out.u64(to_number(cell));
  return out.take();
}

// The child may have been taken over by its picture, so enum values and counts are checked.
Result<PictureFacts> decode_facts(std::string_view bytes) {
  WireReader in(bytes);
  PictureFacts facts;
  facts.header.format = static_cast<image::Format>(std::min<std::uint64_t>(in.u64(), static_cast<std::uint64_t>(image::Format::kSvg)));
  facts.header.size.width = static_cast<std::uint32_t>(in.u64());
  facts.header.size.height = static_cast<std::uint32_t>(in.u64());
  facts.header.frames = static_cast<std::uint32_t>(in.u64());
  facts.header.orientation = static_cast<std::uint8_t>(in.u64());
  facts.upright.width = static_cast<std::uint32_t>(in.u64());
  facts.upright.height = static_cast<std::uint32_t>(in.u64());
  const std::string_view sha256 = in.bytes();
  if (sha256.size() != facts.sha256.size()) return fail(Code::kCorrupt, "the decoder's answer is garbled");
  std::copy(sha256.begin(), sha256.end(), facts.sha256.begin());
  facts.hashes.phash = in.u64();
  facts.hashes.dhash = in.u64();
  for (std::uint64_t& word : facts.hashes.pdq.words) word = in.u64();
  facts.hashes.pdq_quality = static_cast<std::uint8_t>(in.u64());
  for (std::uint64_t left = std::min<std::uint64_t>(in.u64(), 16); left > 0; --left) {
    image::DominantColour colour;
    colour.rgb = to_rgb(in.u64());
    colour.share = static_cast<float>(in.f64());
    colour.name = static_cast<image::ColourName>(in.u64() % image::kColourNames);
    facts.colours.push_back(colour);
  }
  for (image::Rgb& cell : facts.colour_grid) cell = to_rgb(in.u64());
  MAGPIE_TRY_DO(in.finish());
  return facts;
}

Result<std::string> describe(const WorkerRequest& request) {
  MAGPIE_TRY(const std::string bytes, read_at(request.file.fd, request.file.offset, request.file.size));
  image::DecodeLimits limits{.bytes_max = kFileBytesMax, .deadline = Deadline::after(request.deadline.left() - kMargin)};
  // Profiles are left alone, as the programs do whose hashes these must equal.
  MAGPIE_TRY(const image::Decoded decoded, image::decode(bytes, limits, {.apply_profile = false}));
  PictureFacts facts{.header = decoded.header, .upright = decoded.pixels.size(), .sha256 = sha256(bytes)};
  facts.hashes = image::perceptual_hashes(decoded.pixels.view());
  facts.colours = image::colours_of(decoded.pixels.view()).dominant;
  facts.colour_grid = image::colour_grid(decoded.pixels.view());
  return encode_facts(facts);
}

// A first drawing opens whatever libraries open late: modules, fonts.
Result<void> warm_up() {
  MAGPIE_TRY_DO(image::start_decoders());
  constexpr std::string_view kDrawing =
      "<svg xmlns='http://www.w3.org/2000/svg' width='8' height='8'><text x='1' y='7' font-family='sans-serif'>a</text></svg>";
  MAGPIE_TRY_DO(image::decode(kDrawing).map([](const image::Decoded&) {}));
  return {};
}

WorkerPoolOptions pool_options(std::size_t workers) {
  WorkerPoolOptions options;
  options.command = {"/proc/self/exe", "inspect", "image", "--worker"};
  options.workers = workers;
  options.sandbox.memory_bytes = kMemoryBytes;
  options.sandbox.enabled = probe_sandbox().seccomp;  // rlimits hold in any case
  return options;
}

Result<WorkRequest> request_for(const fs::path& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_errno(path.string());
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno(path.string());
  if (!S_ISREG(status.st_mode)) return fail(Code::kBadInput, "{} is not a file", path.string());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > kFileBytesMax) return fail(Code::kTooLarge, "{} has {} bytes, over the limit of {}", path.string(), size, kFileBytesMax);
  return WorkRequest{.kind = kDescribe,
                     .payload = {},
                     .file = std::make_shared<const UniqueFd>(std::move(file)),
                     .file_offset = 0,
                     .file_size = size,
                     .time_max = kTimeMax};
}

Result<PictureFacts> facts_from(Result<std::string> answer) {
  if (!answer) return Failure(std::move(answer.error()));
  return decode_facts(*answer);
}

}  // namespace

PictureReader::PictureReader(std::size_t workers) : pool_(pool_options(workers)) {}

Result<PictureFacts> PictureReader::read(const fs::path& path) {
  MAGPIE_TRY(WorkRequest request, request_for(path));
  return facts_from(pool_.call(std::move(request)));
}

std::vector<Result<PictureFacts>> PictureReader::read_all(const std::vector<fs::path>& paths) {
  std::vector<Result<PictureFacts>> facts(paths.size(), Result<PictureFacts>(fail(Code::kInternal, "no answer")));
  std::mutex mutex;
  std::condition_variable all_done;
  std::size_t waiting = paths.size();
  const auto put = [&](std::size_t i, Result<PictureFacts> answer) {
    const std::lock_guard lock(mutex);
    facts[i] = std::move(answer);
    if (--waiting == 0) all_done.notify_one();
  };
  for (std::size_t i = 0; i < paths.size(); ++i) {
    auto request = request_for(paths[i]);
    if (!request) {
      put(i, Failure(std::move(request.error())));
      continue;
    }
    pool_.submit(std::move(*request), [&put, i](Result<std::string> answer) { put(i, facts_from(std::move(answer))); });
  }
  std::unique_lock lock(mutex);
  all_done.wait(lock, [&] { return waiting == 0; });
  return facts;
}

int run_picture_worker(int fd) {
  return run_worker(fd, [](std::string_view) -> Result<WorkerHandlers> {
    WorkerHandlers handlers;
    handlers.by_kind[kDescribe] = describe;
    handlers.warm_up = warm_up;
    return handlers;
  });
}

}  // namespace magpie::cmd
