// Animated PNG (PNG 3rd edition, 4.9 and 11.3.2): each frame is compressed as a PNG's pixels are, with the palette and depth of the file's
// header, and covers a part of the picture. So each becomes a PNG of its own for libvips, and is then laid over what earlier ones left.
//
//   IHDR acTL [PLTE tRNS iCCP] fcTL IDAT… fcTL fdAT… … IEND      the pixels of IDAT are the first frame if an fcTL stands before them
//   fcTL   0 u32 sequence · 4 u32 width, height · 12 u32 left, top · 20 u16 delay, its denominator · 24 u8 disposal · 25 u8 blending
//   fdAT   0 u32 sequence · 4 as in IDAT
#include <algorithm>
#include <cstring>
#include <optional>

#include "image/bytes.h"
#include "image/decoders.h"
#include "image/png_crc.h"

namespace magpie::image {
namespace {

using namespace std::string_view_literals;

enum Disposal : std::uint8_t { kLeave = 0, kClear = 1, kRestore = 2 };

struct FrameControl {
  Size size;
  std::uint32_t left = 0;
  std::uint32_t top = 0;
  std::uint8_t disposal = kLeave;
  bool is_blended = false;  // laid over by its alpha; else it replaces what was there
};

std::string be_bytes(std::uint32_t value) {
  return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8), static_cast<char>(value)};
}

std::string chunk(std::string_view type, std::string_view data) {
  const std::string summed = std::string(type) + std::string(data);
  return be_bytes(static_cast<std::uint32_t>(data.size())) + summed + be_bytes(png_crc(summed));
}

Result<FrameControl> parse_control(std::string_view data, Size picture) {
  const FrameControl control{.size = {be32(data, 4), be32(data, 8)},
                             .left = be32(data, 12),
                             .top = be32(data, 16),
                             .disposal = u8(data, 24),
                             .is_blended = u8(data, 25) == 1};
  const auto fits = [](std::uint64_t start, std::uint64_t length, std::uint64_t side) { return length > 0 && start + length <= side; };
  if (!fits(control.left, control.size.width, picture.width) || !fits(control.top, control.size.height, picture.height)) {
    return fail(Code::kBadInput, "a frame of {} x {} px at {},{} is not within the picture", control.size.width, control.size.height,
                control.left, control.top);
  }
  return control;
}

// `from` over `to`, neither premultiplied.
void lay_over(const std::uint8_t* from, std::uint8_t* to) {
  const std::uint32_t above = from[3] * 255u, below = to[3] * (255u - from[3]), sum = above + below;
  if (sum == 0) return;
  for (int c = 0; c < 3; ++c) to[c] = static_cast<std::uint8_t>((from[c] * above + to[c] * below + sum / 2) / sum);
  to[3] = static_cast<std::uint8_t>((sum + 127) / 255);
}

// What is seen: RGBA, transparent where nothing was drawn.
class Canvas {
 public:
  explicit Canvas(Size size) : pixels_(size, 4) { std::memset(pixels_.data(), 0, pixels_.bytes()); }

  Pixels copy() const { return pixels_.copy(); }

  void draw(const FrameControl& control, const Pixels& frame) {
    if (control.disposal == kRestore) before_ = pixels_.copy();
    for (std::uint32_t y = 0; y < control.size.height; ++y) {
      const std::uint8_t* from = frame.row(y);
      std::uint8_t* to = at(control, y);
      for (std::uint32_t x = 0; x < control.size.width; ++x, from += frame.channels(), to += 4) {
        const std::uint8_t pixel[4] = {from[0], from[1], from[2], frame.channels() == 4 ? from[3] : std::uint8_t{255}};
        control.is_blended ? lay_over(pixel, to) : static_cast<void>(std::memcpy(to, pixel, 4));
      }
    }
  }

  /// Makes way for the next frame.
  void dispose(const FrameControl& control) {
    if (control.disposal == kRestore) pixels_ = std::move(before_);
    if (control.disposal != kClear) return;
    for (std::uint32_t y = 0; y < control.size.height; ++y) std::memset(at(control, y), 0, std::size_t{4} * control.size.width);
  }

 private:
  std::uint8_t* at(const FrameControl& control, std::uint32_t y) { return pixels_.row(control.top + y) + std::size_t{4} * control.left; }

  Pixels pixels_;
  Pixels before_;
};

class ApngReader {
 public:
  ApngReader(std::string_view bytes, const Header& header, const DecodeLimits& limits, const DecodeOptions& options)
      : bytes_(bytes), size_(header.size), limits_(limits), options_(options), canvas_(header.size) {}

  Result<void> read(std::uint32_t frames, const TakeFrame& take) {
    for (std::uint64_t at = 8; has(bytes_, at, 12) && number_ < frames && wanted_ >= number_;) {
      const std::uint32_t length = be32(bytes_, at);
      const std::string_view type = part(bytes_, at + 4, 4);
      if (!has(bytes_, at, 12 + std::uint64_t{length})) return fail(Code::kBadInput, "the PNG is cut off");
      const std::string_view data = part(bytes_, at + 8, length);
      if (type == "fcTL" || type == "IEND") MAGPIE_TRY_DO(finish_frame(take));
      if (type == "IEND") return {};
      MAGPIE_TRY_DO(note(type, data, part(bytes_, at, 12 + std::uint64_t{length})));
      at += 12 + std::uint64_t{length};
    }
    return {};
  }

 private:
  Result<void> note(std::string_view type, std::string_view data, std::string_view whole) {
    if (type == "IHDR") depth_ = part(data, 8, 5);
    if (type == "PLTE" || type == "tRNS" || type == "iCCP") colours_ += whole;
    if (type == "IDAT" && control_) compressed_ += data;
    if (type == "fdAT" && control_) compressed_ += part(data, 4);
    if (type == "fcTL") { MAGPIE_TRY(control_, parse_control(data, size_)); }
    return {};
  }

  // Draws the frame whose chunks ended, and hands the picture over if it is wanted.
  Result<void> finish_frame(const TakeFrame& take) {
    if (!control_ || compressed_.empty()) return {};
    Header header{.format = Format::kPng, .size = control_->size};
    const std::string png = std::string("\x89PNG\r\n\x1a\n"sv) +
                            chunk("IHDR", be_bytes(header.size.width) + be_bytes(header.size.height) + std::string(depth_)) + colours_ +
                            chunk("IDAT", compressed_) + chunk("IEND", "");
    MAGPIE_TRY(const Pixels frame, decode_with_vips(png, header, limits_, {.apply_profile = options_.apply_profile}));
    if (frame.size() != control_->size) return fail(Code::kInternal, "a frame has another size than its header says");
    canvas_.draw(*control_, frame);
    if (number_ == wanted_) wanted_ = take(number_, canvas_.copy());
    canvas_.dispose(*control_);
    ++number_;
    control_.reset();
    compressed_.clear();
    return {};
  }

  std::string_view bytes_;
  Size size_;
  DecodeLimits limits_;
  DecodeOptions options_;
  Canvas canvas_;
  std::string_view depth_;  // of IHDR: bits, colour type, compression, filter, interlacing
  std::string colours_;     // chunks that every frame needs
  std::optional<FrameControl> control_;
  std::string compressed_;
  std::uint32_t number_ = 0;  // of the frame that is being read
  std::uint32_t wanted_ = 0;
};

}  // namespace

Result<void> read_apng_frames(std::string_view bytes, const Header& header, const DecodeLimits& limits, const DecodeOptions& options,
                              std::uint32_t frames, const TakeFrame& take) {
  return ApngReader(bytes, header, limits, options).read(frames, take);
}

}  // namespace magpie::image
