#pragma once
// Pixels in memory: 8 bits a channel, interleaved, rows from top to bottom without gaps, sRGB unless said otherwise.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace magpie::image {

struct Size {
  std::uint32_t width = 0;
  std::uint32_t height = 0;
  std::uint64_t pixels() const { return std::uint64_t{width} * height; }
  bool operator==(const Size&) const = default;
};

/// Borrowed pixels; the owner must outlive the view.
struct PixelsView {
  const std::uint8_t* data = nullptr;
  Size size;
  std::uint32_t channels = 0;  // 1 grey, 3 RGB, 4 RGBA (alpha not premultiplied)

  std::size_t row_bytes() const { return std::size_t{size.width} * channels; }
  std::size_t bytes() const { return row_bytes() * size.height; }
  const std::uint8_t* row(std::uint32_t y) const { return data + y * row_bytes(); }
};

/// Owned pixels. Moves are cheap; there is no implicit copy of what may be hundreds of megabytes.
class Pixels {
 public:
  Pixels() = default;
  /// Uninitialised memory for `size`, channels 1, 3 or 4. The caller has checked `size` against its limits.
  Pixels(Size size, std::uint32_t channels);

  Size size() const { return size_; }
  std::uint32_t width() const { return size_.width; }
  std::uint32_t height() const { return size_.height; }
  std::uint32_t channels() const { return channels_; }
  bool empty() const { return size_.pixels() == 0; }
  std::size_t bytes() const { return std::size_t{size_.width} * size_.height * channels_; }

  std::uint8_t* data() { return data_.get(); }
  const std::uint8_t* data() const { return data_.get(); }
  std::uint8_t* row(std::uint32_t y) { return data_.get() + std::size_t{y} * size_.width * channels_; }
  const std::uint8_t* row(std::uint32_t y) const { return data_.get() + std::size_t{y} * size_.width * channels_; }
  PixelsView view() const { return {data_.get(), size_, channels_}; }
  Pixels copy() const;

 private:
  std::unique_ptr<std::uint8_t[]> data_;
  Size size_;
  std::uint32_t channels_ = 0;
};

/// RGB of the same size: grey is repeated, alpha is laid on white. RGB comes back as a copy. Cost: one pass.
Pixels flatten_on_white(PixelsView pixels);
/// As above, but RGB is handed through without a copy.
Pixels flatten_on_white(Pixels pixels);

/// Grey as Pillow's convert("L") makes it: (19595 R + 38470 G + 7471 B + 32768) >> 16 (ITU-R 601-2). Alpha is laid on white first.
Pixels to_grey(PixelsView pixels);

/// Turned and mirrored so that a picture stored with the given EXIF orientation (1..8) stands upright. 1, or anything
/// outside 1..8, hands the pixels through. Orientations 5..8 swap width and height. Cost: one pass.
Pixels upright(Pixels pixels, std::uint8_t orientation);

}  // namespace magpie::image
