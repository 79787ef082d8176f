// Frames of AVIF image sequences, by libavif 0.11: libvips reads AVIF through libheif, which knows single pictures only. libavif brings
// encoders of AV1 along, so it is opened by start_decoders() in the process that decodes and linked to none.
#include <avif/avif.h>
#include <dlfcn.h>

#include <algorithm>
#include <memory>
#include <string>

#include "image/decoders.h"

namespace magpie::image {
namespace {

constexpr const char* kLibrary = "libavif.so.15";  // the number of avif.h's structures

struct AvifLibrary {
  decltype(&avifDecoderCreate) create = nullptr;
  decltype(&avifDecoderDestroy) destroy = nullptr;
  decltype(&avifDecoderSetSource) set_source = nullptr;
  decltype(&avifDecoderSetIOMemory) set_memory = nullptr;
  decltype(&avifDecoderParse) parse = nullptr;
  decltype(&avifDecoderNextImage) next_image = nullptr;
  decltype(&avifRGBImageSetDefaults) rgb_defaults = nullptr;
  decltype(&avifImageYUVToRGB) to_rgb = nullptr;
  decltype(&avifResultToString) words = nullptr;
};

template <class Function>
bool find(void* library, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(library, name));
  return function != nullptr;
}

Result<AvifLibrary> open_library() {
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);  // stays open while the process lives
  if (library == nullptr) return fail(Code::kUnavailable, "{} cannot be opened; apt-get install libavif15", kLibrary);
  AvifLibrary avif;
  const bool complete = find(library, "avifDecoderCreate", avif.create) && find(library, "avifDecoderDestroy", avif.destroy) &&
                        find(library, "avifDecoderSetSource", avif.set_source) &&
                        find(library, "avifDecoderSetIOMemory", avif.set_memory) && find(library, "avifDecoderParse", avif.parse) &&
                        find(library, "avifDecoderNextImage", avif.next_image) &&
                        find(library, "avifRGBImageSetDefaults", avif.rgb_defaults) && find(library, "avifImageYUVToRGB", avif.to_rgb) &&
                        find(library, "avifResultToString", avif.words);
  if (!complete) return fail(Code::kUnavailable, "{} lacks a function of libavif 0.11", kLibrary);
  return avif;
}

const Result<AvifLibrary>& avif_library() {
  static const Result<AvifLibrary> library = open_library();  // once a process; the language makes the first caller's the only one
  return library;
}

class AvifFrames {
 public:
  AvifFrames(const AvifLibrary& avif, const DecodeLimits& limits, bool apply_profile)
      : avif_(avif), limits_(limits), apply_profile_(apply_profile), decoder_(avif.create(), avif.destroy) {}

  Result<void> open(std::string_view bytes) {
    if (decoder_ == nullptr) return fail(Code::kInternal, "libavif has no memory for a decoder");
    decoder_->maxThreads = 1;
    decoder_->ignoreExif = decoder_->ignoreXMP = AVIF_TRUE;
    decoder_->strictFlags = AVIF_STRICT_DISABLED;  // as browsers: a lacking pixel format box is no reason to show nothing
    decoder_->imageSizeLimit = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(limits_.pixels_max, 1, AVIF_DEFAULT_IMAGE_SIZE_LIMIT));
    decoder_->imageCountLimit = limits_.frames_max;
    MAGPIE_TRY_DO(check(avif_.set_source(decoder_.get(), AVIF_DECODER_SOURCE_TRACKS)));
    MAGPIE_TRY_DO(check(avif_.set_memory(decoder_.get(), reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size())));
    return check(avif_.parse(decoder_.get()));
  }

  std::uint32_t count() const { return static_cast<std::uint32_t>(std::max(0, decoder_->imageCount)); }

  /// Most frames are told as differences from others, so none is passed over.
  Result<void> next() {
    if (limits_.deadline.passed()) return fail(Code::kTimeout, "decoding took too long");
    return check(avif_.next_image(decoder_.get()));
  }

  /// The frame that next() came to.
  Result<Pixels> pixels() const {
    const avifImage* image = decoder_->image;
    const Size size{image->width, image->height};
    MAGPIE_TRY_DO(check_size(size, limits_));
    avifRGBImage rgb;
    avif_.rgb_defaults(&rgb, image);
    rgb.depth = 8;
    rgb.format = image->alphaPlane == nullptr ? AVIF_RGB_FORMAT_RGB : AVIF_RGB_FORMAT_RGBA;
    Pixels pixels(size, image->alphaPlane == nullptr ? 3 : 4);
    rgb.pixels = pixels.data();
    rgb.rowBytes = static_cast<std::uint32_t>(pixels.view().row_bytes());
    MAGPIE_TRY_DO(check(avif_.to_rgb(image, &rgb)));
    if (!apply_profile_ || image->icc.size == 0) return pixels;
    return profile_to_srgb(std::move(pixels), std::string(reinterpret_cast<const char*>(image->icc.data), image->icc.size));
  }

 private:
  Result<void> check(avifResult result) const {
    if (result == AVIF_RESULT_OK) return {};
    const std::string_view words = avif_.words(result), why(decoder_->diag.error);
    return fail(Code::kBadInput, "{}{}{}", words, why.empty() ? "" : ": ", why);
  }

  const AvifLibrary& avif_;
  DecodeLimits limits_;
  bool apply_profile_;
  std::unique_ptr<avifDecoder, decltype(&avifDecoderDestroy)> decoder_;
};

}  // namespace

Result<void> open_libavif() {
  if (!avif_library()) return fail(Error(avif_library().error()), "AVIF sequences");
  return {};
}

Result<void> read_avif_frames(std::string_view bytes, const Header&, const DecodeLimits& limits, const DecodeOptions& options,
                              std::uint32_t frames, const TakeFrame& take) {
  MAGPIE_TRY_DO(open_libavif());
  AvifFrames sequence(*avif_library(), limits, options.apply_profile);
  MAGPIE_TRY_DO(sequence.open(bytes));
  std::uint32_t wanted = 0;
  for (std::uint32_t number = 0; number < std::min(frames, sequence.count()); ++number) {
    MAGPIE_TRY_DO(sequence.next());
    if (number != wanted) continue;
    MAGPIE_TRY(Pixels pixels, sequence.pixels());
    wanted = take(number, std::move(pixels));
    if (wanted <= number) return {};
  }
  return {};
}

}  // namespace magpie::image
