#include "image/encode.h"

#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>

#include <algorithm>

namespace magpie::image {
namespace {

constexpr std::uint32_t kSideMax = 65'500;  // JPEG_MAX_DIMENSION

struct Encoding {
  Encoding() = default;
  Encoding(const Encoding&) = delete;
  Encoding& operator=(const Encoding&) = delete;
  ~Encoding() {
    jpeg_destroy_compress(&jpeg);
    std::free(bytes);
  }
  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf escape;
  char message[JMSG_LENGTH_MAX] = "";
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
};

void on_error(j_common_ptr common) {
  auto& encoding = *static_cast<Encoding*>(common->client_data);
  (*common->err->format_message)(common, encoding.message);
  std::longjmp(encoding.escape, 1);
}

// libjpeg leaves by longjmp: nothing with a destructor is made in here.
bool run(Encoding& encoding, const PixelsView& pixels, int quality) {
  if (setjmp(encoding.escape) != 0) return false;
  encoding.jpeg.err = jpeg_std_error(&encoding.errors);
  encoding.errors.error_exit = on_error;
  encoding.jpeg.client_data = &encoding;
  jpeg_create_compress(&encoding.jpeg);
  jpeg_mem_dest(&encoding.jpeg, &encoding.bytes, &encoding.size);
  encoding.jpeg.image_width = pixels.size.width;
  encoding.jpeg.image_height = pixels.size.height;
  encoding.jpeg.input_components = static_cast<int>(pixels.channels);
  encoding.jpeg.in_color_space = pixels.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&encoding.jpeg);
  jpeg_set_quality(&encoding.jpeg, quality, TRUE);
  jpeg_start_compress(&encoding.jpeg, TRUE);
  while (encoding.jpeg.next_scanline < encoding.jpeg.image_height) {
    auto* row = const_cast<JSAMPROW>(pixels.row(encoding.jpeg.next_scanline));  // read only; libjpeg's type lacks the const
    jpeg_write_scanlines(&encoding.jpeg, &row, 1);
  }
  jpeg_finish_compress(&encoding.jpeg);
  return true;
}

}  // namespace

Result<std::string> encode_jpeg(PixelsView pixels, int quality) {
  if (pixels.channels == 4) return encode_jpeg(flatten_on_white(pixels).view(), quality);
  if (pixels.size.pixels() == 0 || std::max(pixels.size.width, pixels.size.height) > kSideMax) {
    return fail(Code::kBadInput, "cannot write a JPEG of {} x {} px", pixels.size.width, pixels.size.height);
  }
  Encoding encoding;
  if (!run(encoding, pixels, std::clamp(quality, 1, 100))) return fail(Code::kInternal, "cannot write a JPEG: {}", encoding.message);
  return std::string(reinterpret_cast<const char*>(encoding.bytes), encoding.size);
}

}  // namespace magpie::image
