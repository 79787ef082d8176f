// The formats that libvips loads. Pixels are pulled in strips through a region in the calling thread: nothing but the strip and what the
// loader itself keeps is in memory beside the result, and the deadline is looked at between strips.
#include <vips/vips.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include "image/decoders.h"
#include "image/png_crc.h"

namespace magpie::image {
namespace {

constexpr int kStripRows = 64;

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};
using ImagePtr = std::unique_ptr<VipsImage, Unref>;
using RegionPtr = std::unique_ptr<VipsRegion, Unref>;

// libvips collects its errors, a line each, in one buffer for the program; the last line names the cause best.
std::string take_vips_error() {
  std::string all = vips_error_buffer();
  vips_error_clear();
  while (!all.empty() && (all.back() == '\n' || all.back() == ' ')) all.pop_back();
  if (all.empty()) return "its decoder refuses it";
  const std::size_t line = all.rfind('\n');
  return line == std::string::npos ? all : all.substr(line + 1);
}

Failure vips_failure() { return fail(Code::kBadInput, "{}", take_vips_error()); }

void drop_log(const gchar*, GLogLevelFlags, const gchar*, gpointer) {}

std::string start_vips() {
  if (vips_init("magpie") != 0) return take_vips_error();
  vips_concurrency_set(1);
  vips_cache_set_max(0);
  vips_cache_set_max_mem(0);
  // Foreign bytes reach only the loaders that are opened again here by name.
  vips_operation_block_set("VipsForeign", TRUE);
  for (const char* loader : {"VipsForeignLoadPng", "VipsForeignLoadNsgif", "VipsForeignLoadWebp", "VipsForeignLoadTiff",
                             "VipsForeignLoadHeif", "VipsForeignLoadSvg"}) {
    vips_operation_block_set(loader, FALSE);
  }
  // Loaders warn about each oddity of a file on stderr; what matters comes back as an error.
  g_log_set_handler("VIPS", static_cast<GLogLevelFlags>(G_LOG_LEVEL_WARNING | G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG), drop_log, nullptr);
  return {};
}

// `image` comes by reference, since it is written by the call whose outcome stands before it.
Result<ImagePtr> wrap(int failed, VipsImage*& image) {
  if (failed != 0) {
    if (image != nullptr) g_object_unref(image);
    return vips_failure();
  }
  return ImagePtr(image);
}

// The scale at which a picture of `size` still has `side_wanted` on its longer side; 1 keeps it.
double wanted_scale(Size size, std::uint32_t side_wanted) {
  const std::uint32_t side = std::max(size.width, size.height);
  return side_wanted == 0 || side == 0 ? 1.0 : static_cast<double>(side_wanted) / side;
}

Result<ImagePtr> load_svg(void* data, std::size_t size, Header& header, const DecodeLimits& limits, std::uint32_t side_wanted) {
  VipsImage* image = nullptr;
  MAGPIE_TRY(ImagePtr natural, wrap(vips_svgload_buffer(data, size, &image, nullptr), image));
  header.size = {static_cast<std::uint32_t>(natural->Xsize), static_cast<std::uint32_t>(natural->Ysize)};
  if (side_wanted == 0) {
    MAGPIE_TRY_DO(check_size(header.size, limits));
    return natural;
  }
  VipsImage* scaled = nullptr;
  return wrap(vips_svgload_buffer(data, size, &scaled, "scale", wanted_scale(header.size, side_wanted), nullptr), scaled);
}

Result<ImagePtr> load_webp(void* data, std::size_t size, const Header& header, std::uint32_t side_wanted) {
  VipsImage* image = nullptr;
  const double scale = wanted_scale(header.size, side_wanted);
  // libwebp's own scaling saves time only when most pixels go; between, the area filter behind us is better.
  const double used = scale <= 0.5 ? scale : 1.0;
  return wrap(
      vips_webpload_buffer(data, size, &image, "scale", used, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_TRUNCATED, nullptr),
      image);
}

// Only declares what is to come: loaders read headers here and pixels when strips are pulled.
Result<ImagePtr> load(std::string_view bytes, Header& header, const DecodeLimits& limits, const DecodeOptions& options) {
  void* data = const_cast<char*>(bytes.data());  // read only; libvips's type lacks the const
  VipsImage* image = nullptr;
  constexpr auto kSequential = VIPS_ACCESS_SEQUENTIAL;
  constexpr auto kWhole = VIPS_FAIL_ON_TRUNCATED;
  switch (header.format) {
    case Format::kPng:
      return wrap(vips_pngload_buffer(data, bytes.size(), &image, "access", kSequential, "fail_on", kWhole, nullptr), image);
    case Format::kGif: return wrap(vips_gifload_buffer(data, bytes.size(), &image, "access", kSequential, nullptr), image);
    case Format::kTiff:
      return wrap(vips_tiffload_buffer(data, bytes.size(), &image, "access", kSequential, "fail_on", kWhole, nullptr), image);
    case Format::kAvif:
    case Format::kHeic:
      return wrap(vips_heifload_buffer(data, bytes.size(), &image, "access", kSequential, "fail_on", kWhole, nullptr), image);
    case Format::kWebp: return load_webp(data, bytes.size(), header, options.side_wanted);
    case Format::kSvg: return load_svg(data, bytes.size(), header, limits, options.side_wanted);
    default: return fail(Code::kInternal, "no loader for {}", to_string(header.format));
  }
}

bool is_plain(VipsImage* image) {
  const bool known = image->Type == VIPS_INTERPRETATION_sRGB || image->Type == VIPS_INTERPRETATION_B_W;
  return known && image->BandFmt == VIPS_FORMAT_UCHAR && image->Bands >= 1 && image->Bands <= 4;
}

std::string profile_of(VipsImage* image) {
  const void* profile = nullptr;
  std::size_t size = 0;
  if (vips_image_get_typeof(image, VIPS_META_ICC_NAME) == 0) return {};
  if (vips_image_get_blob(image, VIPS_META_ICC_NAME, &profile, &size) != 0) {
    vips_error_clear();
    return {};
  }
  return std::string(static_cast<const char*>(profile), size);
}

// sRGB's own profiles say so in their description, as ASCII or as UTF-16.
bool is_srgb_profile(const std::string& profile) {
  constexpr std::string_view kWide("\0s\0R\0G\0B", 8);
  return profile.find("sRGB") != std::string::npos || profile.find(kWide) != std::string::npos;
}

ImagePtr through_profile(ImagePtr image) {
  VipsImage* converted = nullptr;
  if (vips_icc_transform(image.get(), &converted, "srgb", "embedded", TRUE, "intent", VIPS_INTENT_PERCEPTUAL, "depth", 8, nullptr) != 0) {
    vips_error_clear();  // a profile for other channels, or a damaged one: shown as if there were none
    if (converted != nullptr) g_object_unref(converted);
    return image;
  }
  return ImagePtr(converted);
}

// 8-bit grey, grey + alpha, RGB or RGBA in sRGB, whatever it was: 16 bits, CMYK, Lab, float.
Result<ImagePtr> to_srgb(ImagePtr image, bool apply_profile) {
  const std::string profile = profile_of(image.get());
  if (apply_profile && !profile.empty() && !is_srgb_profile(profile)) image = through_profile(std::move(image));
  if (is_plain(image.get())) return image;
  VipsImage* next = nullptr;
  if (image->Type != VIPS_INTERPRETATION_MULTIBAND) {
    MAGPIE_TRY(image, wrap(vips_colourspace(image.get(), &next, VIPS_INTERPRETATION_sRGB, nullptr), next));
  }
  next = nullptr;
  MAGPIE_TRY(image, wrap(vips_cast(image.get(), &next, VIPS_FORMAT_UCHAR, nullptr), next));
  if (image->Bands <= 4) return image;
  next = nullptr;
  return wrap(vips_extract_band(image.get(), &next, 0, "n", 3, nullptr), next);
}

// One row of 1 to 4 bands as RGB or RGBA.
void put_row(const std::uint8_t* from, int bands, std::uint8_t* to, std::uint32_t width) {
  if (bands >= 3) {
    std::memcpy(to, from, std::size_t{width} * static_cast<std::size_t>(bands));
    return;
  }
  const std::uint32_t channels = bands == 1 ? 3 : 4;
  for (std::uint32_t x = 0; x < width; ++x, from += bands, to += channels) {
    to[0] = to[1] = to[2] = from[0];
    if (bands == 2) to[3] = from[1];
  }
}

// The `rows` rows from `first` on. A region of one image is to be used from top to bottom.
Result<Pixels> pull_rows(VipsRegion* region, int first, int rows, const DecodeLimits& limits) {
  const VipsImage* image = region->im;
  const Size size{static_cast<std::uint32_t>(image->Xsize), static_cast<std::uint32_t>(rows)};
  MAGPIE_TRY_DO(check_size(size, limits));
  Pixels pixels(size, image->Bands == 1 || image->Bands == 3 ? 3 : 4);
  for (int top = first; top < first + rows; top += kStripRows) {
    if (limits.deadline.passed()) return fail(Code::kTimeout, "decoding took too long");
    const VipsRect strip{0, top, image->Xsize, std::min(kStripRows, first + rows - top)};
    if (vips_region_prepare(region, &strip) != 0) return vips_failure();
    for (int y = top; y < top + strip.height; ++y) {
      put_row(VIPS_REGION_ADDR(region, 0, y), image->Bands, pixels.row(static_cast<std::uint32_t>(y - first)), size.width);
    }
  }
  return pixels;
}

Result<Pixels> pull(VipsImage* image, const DecodeLimits& limits) {
  const RegionPtr region(vips_region_new(image));
  return pull_rows(region.get(), 0, image->Ysize, limits);
}

// The first `frames` frames below one another, as libvips gives animations.
Result<ImagePtr> load_column(std::string_view bytes, Format format, int frames) {
  void* data = const_cast<char*>(bytes.data());
  VipsImage* image = nullptr;
  constexpr auto kSequential = VIPS_ACCESS_SEQUENTIAL;
  if (format == Format::kGif)
    return wrap(vips_gifload_buffer(data, bytes.size(), &image, "n", frames, "access", kSequential, nullptr), image);
  return wrap(
      vips_webpload_buffer(data, bytes.size(), &image, "n", frames, "access", kSequential, "fail_on", VIPS_FAIL_ON_TRUNCATED, nullptr),
      image);
}

Result<Pixels> load_and_pull(std::string_view bytes, Header& header, const DecodeLimits& limits, const DecodeOptions& options) {
  MAGPIE_TRY(ImagePtr image, load(bytes, header, limits, options));
  const Size loaded{static_cast<std::uint32_t>(image->Xsize), static_cast<std::uint32_t>(image->Ysize)};
  MAGPIE_TRY_DO(check_size(loaded, limits));
  if (header.size.pixels() == 0) header.size = loaded;
  MAGPIE_TRY(ImagePtr plain, to_srgb(std::move(image), options.apply_profile));
  return pull(plain.get(), limits);
}

}  // namespace

Result<void> start_decoders() {
  static const std::string trouble = start_vips();  // once a process; the language makes the first caller's run the only one
  if (!trouble.empty()) return fail(Code::kUnavailable, "libvips does not start: {}", trouble);
  (void)open_libavif();  // without it a sequence is judged by its primary item
  return {};
}

Result<Pixels> decode_with_vips(std::string_view bytes, Header& header, const DecodeLimits& limits, const DecodeOptions& options) {
  MAGPIE_TRY_DO(start_decoders());
  auto pixels = load_and_pull(bytes, header, limits, options);
  if (pixels || header.format != Format::kPng || pixels.error().code != Code::kBadInput) return pixels;
  const std::string mended = with_png_crcs_mended(bytes);
  if (mended == bytes) return pixels;
  return load_and_pull(mended, header, limits, options);
}

Result<void> read_frames_with_vips(std::string_view bytes, const Header& header, const DecodeLimits& limits, const DecodeOptions& options,
                                   std::uint32_t frames, const TakeFrame& take) {
  MAGPIE_TRY_DO(start_decoders());
  MAGPIE_TRY(const ImagePtr first, load_column(bytes, header.format, 1));
  const int height = first->Ysize;
  // A column is at most VIPS_MAX_COORD high, and the loader may know of fewer frames than the file's blocks promise.
  const int column = std::min({static_cast<int>(frames), vips_image_get_n_pages(first.get()), VIPS_MAX_COORD / height});
  MAGPIE_TRY(ImagePtr loaded, load_column(bytes, header.format, column));
  MAGPIE_TRY(const ImagePtr plain, to_srgb(std::move(loaded), options.apply_profile));
  const RegionPtr region(vips_region_new(plain.get()));
  for (int number = 0; number < column;) {
    MAGPIE_TRY(Pixels pixels, pull_rows(region.get(), number * height, height, limits));
    const std::uint32_t next = take(static_cast<std::uint32_t>(number), std::move(pixels));
    if (next <= static_cast<std::uint32_t>(number) || next >= static_cast<std::uint32_t>(column)) return {};
    number = static_cast<int>(next);
  }
  return {};
}

Pixels profile_to_srgb(Pixels pixels, const std::string& profile) {
  if (profile.empty() || is_srgb_profile(profile) || pixels.empty() || !start_decoders()) return pixels;
  ImagePtr image(vips_image_new_from_memory(pixels.data(), pixels.bytes(), static_cast<int>(pixels.width()),
                                            static_cast<int>(pixels.height()), static_cast<int>(pixels.channels()), VIPS_FORMAT_UCHAR));
  if (image == nullptr) {
    vips_error_clear();
    return pixels;
  }
  image->Type = VIPS_INTERPRETATION_sRGB;
  vips_image_set_blob_copy(image.get(), VIPS_META_ICC_NAME, profile.data(), profile.size());
  const VipsImage* before = image.get();
  image = through_profile(std::move(image));
  if (image.get() == before || !is_plain(image.get())) return pixels;
  auto converted = pull(image.get(), {.pixels_max = UINT64_MAX});
  return converted ? std::move(*converted) : std::move(pixels);
}

}  // namespace magpie::image
