#include "picture_facts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "base/wire.h"
#include "image/decode.h"
#include "process/worker_loop.h"

namespace magpie::cmd {
namespace {

constexpr std::uint32_t kDescribe = 1;
constexpr std::uint32_t kSketch = 2;
constexpr std::size_t kUnderWayMax = 32;               // requests: enough for all workers, and little memory
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
  for (const std::uint32_t number : {facts.header.size.width, facts.header.size.height, facts.header.frames, facts.header.plays,
                                     std::uint32_t{facts.header.orientation}, facts.upright.width, facts.upright.height}) {
    out.u64(number);
  }
  out.u64(static_cast<std::uint64_t>(facts.header.duration.count()));
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
  facts.header.plays = static_cast<std::uint32_t>(in.u64());
  facts.header.orientation = static_cast<std::uint8_t>(in.u64());
  facts.upright.width = static_cast<std::uint32_t>(in.u64());
  facts.upright.height = static_cast<std::uint32_t>(in.u64());
  facts.header.duration = std::chrono::milliseconds(static_cast<std::int64_t>(in.u64()));
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

struct DecodedFile {
  Sha256 sha256{};
  image::Decoded decoded;
};

// Profiles are left alone, as the programs do whose hashes these must equal, and as most programs do that write copies.
Result<DecodedFile> decode_file(const WorkerRequest& request, std::uint32_t side_wanted) {
  MAGPIE_TRY(const std::string bytes, read_at(request.file.fd, request.file.offset, request.file.size));
  image::DecodeLimits limits{.bytes_max = kFileBytesMax, .deadline = Deadline::after(request.deadline.left() - kMargin)};
  MAGPIE_TRY(image::Decoded decoded, image::decode(bytes, limits, {.side_wanted = side_wanted, .apply_profile = false}));
  return DecodedFile{sha256(bytes), std::move(decoded)};
}

Result<std::string> describe(const WorkerRequest& request) {
  MAGPIE_TRY(const DecodedFile file, decode_file(request, 0));
  const image::Pixels& pixels = file.decoded.pixels;
  PictureFacts facts{.header = file.decoded.header, .upright = pixels.size(), .sha256 = file.sha256};
  facts.hashes = image::perceptual_hashes(pixels.view());
  facts.colours = image::colours_of(pixels.view()).dominant;
  facts.colour_grid = image::colour_grid(pixels.view());
  return encode_facts(facts);
}

// bytes sha256[32] · bytes sketch
Result<std::string> sketch(const WorkerRequest& request) {
  MAGPIE_TRY(DecodedFile file, decode_file(request, analyse::kSketchSide));
  image::Size size = file.decoded.header.size;
  if (file.decoded.header.orientation >= 5) std::swap(size.width, size.height);
  const image::Pixels rgb = image::flatten_on_white(std::move(file.decoded.pixels));
  if (size.pixels() == 0) size = rgb.size();
  WireWriter out;
  out.bytes({reinterpret_cast<const char*>(file.sha256.data()), file.sha256.size()});
  out.bytes(analyse::encode_sketch(analyse::make_sketch(rgb.view(), size)));
  return out.take();
}

Result<FileSketch> sketch_from(const Result<std::string>& answer) {
  if (!answer) return Failure(answer.error());
  WireReader in(*answer);
  FileSketch file;
  const std::string_view sha256 = in.bytes(), sketched = in.bytes();
  MAGPIE_TRY_DO(in.finish());
  if (sha256.size() != file.sha256.size()) return fail(Code::kCorrupt, "the decoder's answer is garbled");
  std::copy(sha256.begin(), sha256.end(), file.sha256.begin());
  MAGPIE_TRY(file.sketch, analyse::decode_sketch(sketched));
  return file;
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

Result<WorkRequest> request_for(std::uint32_t kind, const fs::path& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail_errno(path.string());
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return fail_errno(path.string());
  if (!S_ISREG(status.st_mode)) return fail(Code::kBadInput, "{} is not a file", path.string());
  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > kFileBytesMax) return fail(Code::kTooLarge, "{} has {} bytes, over the limit of {}", path.string(), size, kFileBytesMax);
  return WorkRequest{.kind = kind,
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

std::future<Result<std::string>> PictureReader::ask(std::uint32_t kind, const fs::path& path) {
  const auto answer = std::make_shared<std::promise<Result<std::string>>>();
  std::future<Result<std::string>> answered = answer->get_future();
  Result<WorkRequest> request = request_for(kind, path);
  if (request) {
    pool_.submit(std::move(*request), [answer](Result<std::string> given) { answer->set_value(std::move(given)); });
  } else {
    answer->set_value(Failure(std::move(request.error())));
  }
  return answered;
}

Result<PictureFacts> PictureReader::read(const fs::path& path) { return facts_from(ask(kDescribe, path).get()); }

void PictureReader::sketch_all(const std::vector<fs::path>& paths, const std::function<void(std::size_t, Result<FileSketch>)>& take) {
  std::deque<std::future<Result<std::string>>> under_way;
  std::size_t asked = 0;
  for (std::size_t i = 0; i < paths.size(); ++i) {
    while (asked < paths.size() && under_way.size() < kUnderWayMax) under_way.push_back(ask(kSketch, paths[asked++]));
    const Result<std::string> answer = under_way.front().get();
    under_way.pop_front();
    take(i, sketch_from(answer));
  }
}

int run_picture_worker(int fd) {
  return run_worker(fd, [](std::string_view) -> Result<WorkerHandlers> {
    WorkerHandlers handlers;
    handlers.by_kind[kDescribe] = describe;
    handlers.by_kind[kSketch] = sketch;
    handlers.warm_up = warm_up;
    return handlers;
  });
}

}  // namespace magpie::cmd
