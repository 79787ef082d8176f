#include "analyse/analyse_picture.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "analyse/analysed_image.h"
#include "analyse/colour_shares.h"
#include "analyse/compare_copies.h"
#include "analyse/find_regions.h"
#include "analyse/network_detector.h"
#include "analyse/network_embedder.h"
#include "base/hash.h"
#include "base/wire.h"
#include "image/animation.h"
#include "image/picture.h"
#include "image/resize.h"
#include "store/warc.h"
#include "vec/quantise.h"

namespace magpie::analyse {
namespace {

constexpr std::chrono::milliseconds kAnalyseTimeMax{20'000};
constexpr std::chrono::milliseconds kQueryTimeMax{10'000};  // somebody waits for it
constexpr std::uint32_t kSideMax = 8'192;
constexpr std::uint32_t kWarmUpSide = 64;

// Payload of all kinds (base/wire.h): u64 side (0 unless kMakeVariant) · bytes picture (empty when it is in the file) · u64 count, then
// known regions (f64 left, top, right, bottom, score, bytes label; of kLookAgain those that are kept, of kEmbedPart the part)
std::string encode_payload(std::uint32_t side, std::string_view picture, const std::vector<EmbeddedRegion>& known) {
  WireWriter out;
  out.u64(side);
  out.bytes(picture);
  out.u64(known.size());
  for (const auto& [region, embedding] : known) {
    for (const float number : {region.left, region.top, region.right, region.bottom, region.score}) out.f64(number);
    out.bytes(region.label);
  }
  return out.take();
}

WorkRequest make_request(std::uint32_t kind, std::uint32_t side, std::string_view picture, const std::vector<EmbeddedRegion>& known = {}) {
  WorkRequest request;
  request.kind = kind;
  request.payload = encode_payload(side, picture, known);
  const bool is_query = kind == kEmbedPicture || kind == kMakeVariant || kind == kEmbedPart;
  request.time_max = is_query ? kQueryTimeMax : kAnalyseTimeMax;
  return request;
}

Result<WorkRequest> make_request(std::uint32_t kind, std::uint32_t side, const Archive& archive, const ArchivePlace& place,
                                 const std::vector<EmbeddedRegion>& known = {}) {
  WorkRequest request = make_request(kind, side, {}, known);
  MAGPIE_TRY(request.file, archive.open_file(place.file));
  request.file_offset = place.offset;
  request.file_size = place.length;
  return request;
}

// What a request is about: the bytes are in the payload, or in `record`.
struct Task {
  std::uint32_t side = 0;
  WarcRecord record;
  std::string_view picture;
  std::vector<Region> known;
};

Result<void> read_task(const WorkerRequest& request, Task& task) {
  WireReader in(request.payload);
  task.side = static_cast<std::uint32_t>(std::min<std::uint64_t>(in.u64(), kSideMax));
  task.picture = in.bytes();
  task.known.resize(std::min<std::uint64_t>(in.u64(), kRegionsMax));
  for (Region& region : task.known) {
    for (float* number : {&region.left, &region.top, &region.right, &region.bottom, &region.score}) *number = static_cast<float>(in.f64());
    region.label = in.string();
  }
  MAGPIE_TRY_DO(in.finish());
  if (request.file.fd < 0) return {};
  MAGPIE_TRY(task.record, read_warc_record(request.file.fd, request.file.offset, request.file.size));
  task.picture = task.record.http_body();
  return {};
}

// Highest bit first, as PdqHash prints.
std::array<std::uint8_t, 32> pdq_bytes(const image::PdqHash& hash) {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(hash.words[3 - i / 8] >> (56 - 8 * (i % 8)));
  return bytes;
}

std::array<std::uint8_t, 48> grid_bytes(const image::ColourGrid& grid) {
  std::array<std::uint8_t, 48> bytes{};
  for (std::size_t i = 0; i < grid.size(); ++i) {
    bytes[3 * i] = grid[i].red;
    bytes[3 * i + 1] = grid[i].green;
    bytes[3 * i + 2] = grid[i].blue;
  }
  return bytes;
}

Image describe(std::string_view bytes, const image::AnalysedPicture& picture) {
  Image image;
  image.sha256 = sha256(bytes);
  image.format = image::to_string(picture.header.format);
  image.width = picture.header.size.width;
  image.height = picture.header.size.height;
  image.frames = picture.header.frames;
  image.duration = picture.header.duration;
  image.plays = picture.header.plays;
  image.orientation = picture.header.orientation;
  image.bytes = bytes.size();
  image.phash = picture.hashes.phash;
  image.dhash = picture.hashes.dhash;
  image.pdq = pdq_bytes(picture.hashes.pdq);
  image.pdq_quality = picture.hashes.pdq_quality;
  image.colour_grid = grid_bytes(picture.colour_grid);
  image.brightness = picture.colours.brightness;
  image.colours = colour_shares(picture.colours);
  return image;
}

constexpr std::uint32_t kPartSideWanted = 640;  // px of the part's longer side, as of whole pictures

// What of the picture is in its part, no smaller than kPartSideWanted where the picture has as much.
Result<image::AnalysedPicture> decode_part(std::string_view bytes, const Region& part, const image::DecodeLimits& limits) {
  const float width = part.right - part.left, height = part.bottom - part.top;
  const bool is_within = part.left >= 0 && part.top >= 0 && part.right <= 1 && part.bottom <= 1 && width > 0 && height > 0;
  if (!is_within) return fail(Code::kBadInput, "the part is not within the picture");
  const auto side_wanted = static_cast<std::uint32_t>(std::min(float{kSideMax}, float{kPartSideWanted} / std::max(width, height)));
  MAGPIE_TRY(image::Shown shown, image::decode_shown(bytes, limits, {.side_wanted = side_wanted}));
  const image::Pixels pixels = image::flatten_on_white(std::move(shown.still.pixels));
  const Cut cut = cut_of(part, pixels.size());
  if (std::min(cut.size.width, cut.size.height) < kPartSideMin)
    return fail(Code::kBadInput, "the part has {} x {} pixels; it must have {} on either side", cut.size.width, cut.size.height,
                kPartSideMin);
  const Cut wide = widened(cut, pixels.size());
  image::AnalysedPicture decoded{.header = shown.still.header};
  decoded.pixels = image::shrink_to_fit(image::crop(pixels.view(), wide.left, wide.top, wide.size).view(), kPartSideWanted);
  return decoded;
}

// The worker's side: its networks, used for one picture at a time.
class PictureAnalyst {
 public:
  PictureAnalyst(std::unique_ptr<Embedder> embedder, std::unique_ptr<Detector> detector, image::DecodeLimits limits)
      : embedder_(std::move(embedder)), detector_(std::move(detector)), limits_(limits) {}

  Result<std::string> analyse(const WorkerRequest& request) {
    Task task;
    MAGPIE_TRY_DO(read_task(request, task));
    MAGPIE_TRY(image::AnalysedPicture picture, image::analyse_picture(task.picture, limits_for(request), options_for(request)));
    AnalysedImage analysed;
    analysed.image = describe(task.picture, picture);
    for (std::size_t i = 0; i < analysed.turned_pdq.size(); ++i) analysed.turned_pdq[i] = pdq_bytes(picture.turns.hashes[i + 1]);
    const bool is_kept = request.kind == kAnalysePicture || request.kind == kLookAgain;
    if (request.kind == kEmbedPicture || (is_kept && !is_dot(analysed.image))) {
      analysed.space = embedder_->space();
      MAGPIE_TRY(analysed.embedding, embed_all(picture));
      if (is_kept) MAGPIE_TRY_DO(detect(picture.pixels, std::move(task.known), analysed));
    }
    analysed.thumbnail = std::move(picture.thumbnail.jpeg);
    analysed.preview = std::move(picture.preview.jpeg);
    return encode_analysed_image(analysed);
  }

  Result<std::string> embed_part(const WorkerRequest& request) {
    Task task;
    MAGPIE_TRY_DO(read_task(request, task));
    if (task.known.size() != 1) return fail(Code::kBadInput, "one part is wanted, not {}", task.known.size());
    MAGPIE_TRY(const image::AnalysedPicture picture, decode_part(task.picture, task.known.front(), limits_for(request)));
    AnalysedImage analysed;
    analysed.image = describe(task.picture, picture);
    analysed.space = embedder_->space();
    MAGPIE_TRY(analysed.embedding, embed(picture.pixels));
    return encode_analysed_image(analysed);
  }

  Result<std::string> make_variant(const WorkerRequest& request) {
    Task task;
    MAGPIE_TRY_DO(read_task(request, task));
    if (task.side == 0) return fail(Code::kBadInput, "a variant of 0 pixels");
    MAGPIE_TRY(image::Variant variant, image::make_variant(task.picture, task.side, limits_for(request)));
    return std::move(variant.jpeg);
  }

  // Opens what libvips and the network open late, and starts their threads.
  Result<void> warm_up() {
    MAGPIE_TRY_DO(image::start_decoders());
    if (!embedder_) return {};
    image::Pixels grey({kWarmUpSide, kWarmUpSide}, 3);
    std::fill_n(grey.data(), grey.bytes(), std::uint8_t{127});
    MAGPIE_TRY_DO(embed(grey));
    if (detector_) MAGPIE_TRY_DO(detector_->detect(rgb(grey)));
    return {};
  }

 private:
  Result<Embedding> embed(const image::Pixels& pixels) { return embedder_->embed(rgb(pixels)); }
  // Of an animation the mean of its frames' vectors, so that a search by any of them comes near.
  Result<Embedding> embed_all(const image::AnalysedPicture& picture) {
    MAGPIE_TRY(Embedding still, embed(picture.pixels));
    if (picture.other_frames.empty()) return still;
    Embedding sum = still;
    for (const image::Pixels& frame : picture.other_frames) {
      MAGPIE_TRY(const Embedding vector, embed(frame));
      std::transform(sum.begin(), sum.end(), vector.begin(), sum.begin(), std::plus<>());
    }
    return vec::normalise(sum) ? sum : still;
  }
  Result<void> detect(const image::Pixels& pixels, std::vector<Region> known, AnalysedImage& analysed) {
    if (!detector_) {
      MAGPIE_TRY(analysed.regions, embed_regions(pixels, std::move(known), *embedder_, analysed.embedding));
      return {};
    }
    MAGPIE_TRY(analysed.regions, find_regions(pixels, *detector_, *embedder_, analysed.embedding));
    analysed.detector = detector_->name();
    return {};
  }
  static RgbPixels rgb(const image::Pixels& pixels) { return {{pixels.data(), pixels.bytes()}, pixels.width(), pixels.height()}; }
  static image::PictureOptions options_for(const WorkerRequest& request) {
    return {.wants_pixels = request.kind != kDescribePicture, .pixels_only = request.kind == kEmbedPicture || request.kind == kLookAgain};
  }
  image::DecodeLimits limits_for(const WorkerRequest& request) const {
    image::DecodeLimits limits = limits_;
    limits.deadline = request.deadline;
    return limits;
  }

  std::unique_ptr<Embedder> embedder_;
  std::unique_ptr<Detector> detector_;  // null: nobody looks for things
  image::DecodeLimits limits_;
};

}  // namespace

Result<void> add_picture_handlers(WorkerHandlers& handlers, const PictureSettings& settings) {
  std::unique_ptr<Embedder> embedder;
  std::unique_ptr<Detector> detector;
  const bool embeds = !settings.model_folder.empty();
  if (embeds) { MAGPIE_TRY(embedder, NetworkEmbedder::load(settings.model_folder)); }
  if (embeds && !settings.detector_folder.empty()) { MAGPIE_TRY(detector, NetworkDetector::load(settings.detector_folder)); }
  const auto analyst = std::make_shared<PictureAnalyst>(std::move(embedder), std::move(detector), settings.limits);
  const auto analyse = [analyst](const WorkerRequest& request) { return analyst->analyse(request); };
  if (embeds) {
    for (const std::uint32_t kind : {kAnalysePicture, kEmbedPicture, kLookAgain}) handlers.by_kind[kind] = analyse;
    handlers.by_kind[kEmbedPart] = [analyst](const WorkerRequest& request) { return analyst->embed_part(request); };
  }
  handlers.by_kind[kDescribePicture] = analyse;
  handlers.by_kind[kCompareCopies] = compare_copies;
  handlers.by_kind[kMakeVariant] = [analyst](const WorkerRequest& request) { return analyst->make_variant(request); };
  handlers.warm_up = [analyst, earlier = std::move(handlers.warm_up)]() -> Result<void> {
    if (earlier) MAGPIE_TRY_DO(earlier());
    return analyst->warm_up();
  };
  return {};
}

Result<WorkRequest> analyse_request(const Archive& archive, const ArchivePlace& place) {
  return make_request(kAnalysePicture, 0, archive, place);
}
WorkRequest analyse_request(std::string_view picture) { return make_request(kAnalysePicture, 0, picture); }
Result<WorkRequest> describe_request(const Archive& archive, const ArchivePlace& place) {
  return make_request(kDescribePicture, 0, archive, place);
}
Result<WorkRequest> look_again_request(const Archive& archive, const ArchivePlace& place, const std::vector<EmbeddedRegion>& known) {
  return make_request(kLookAgain, 0, archive, place, known);
}
WorkRequest embed_request(std::string_view picture) { return make_request(kEmbedPicture, 0, picture); }
WorkRequest embed_part_request(std::string_view picture, const PicturePart& part) {
  const auto share = [](unsigned edge) { return static_cast<float>(edge) / PicturePart::kWhole; };
  const Region box{share(part.left), share(part.top), share(unsigned{part.left} + part.width), share(unsigned{part.top} + part.height)};
  return make_request(kEmbedPart, 0, picture, {{box, {}}});
}
Result<WorkRequest> variant_request(const Archive& archive, const ArchivePlace& place, std::uint32_t side) {
  return make_request(kMakeVariant, side, archive, place);
}
WorkRequest variant_request(std::string_view picture, std::uint32_t side) { return make_request(kMakeVariant, side, picture); }

}  // namespace magpie::analyse
