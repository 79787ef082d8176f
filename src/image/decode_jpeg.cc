// JPEG by libjpeg-turbo. libjpeg reports errors by longjmp, so everything between setjmp and the call that may fail lives in JpegRun, whose
// members are released by its destructor after the jump, and no object with a destructor is made in the functions that are jumped over.
#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
// (jpeglib.h needs <cstdio> before it.)
#include <jerror.h>

#include <algorithm>
#include <memory>

#include "image/decoders.h"

namespace magpie::image {
namespace {

constexpr int kScansMax = 500;  // a progressive file with more is a time bomb; cameras and encoders write about ten
constexpr std::uint64_t kWarningsMax = 100'000;
constexpr JDIMENSION kRowsBetweenLooks = 64;

enum class Stop { kNone, kError, kTimeout, kScans };

struct JpegRun {
  explicit JpegRun(const DecodeLimits& decode_limits) : limits(decode_limits) {}
  JpegRun(const JpegRun&) = delete;
  JpegRun& operator=(const JpegRun&) = delete;
  ~JpegRun() {
    if (created) jpeg_destroy_decompress(&jpeg);
    std::free(profile);
  }

  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf escape;
  const DecodeLimits& limits;
  bool created = false;
  Stop stop = Stop::kNone;
  bool ended_early = false;   // the file ended …
  bool bits_missing = false;  // … and pixels had to be made up
  char message[JMSG_LENGTH_MAX] = "";
  JOCTET* profile = nullptr;
  unsigned int profile_bytes = 0;
};

[[noreturn]] void leave(JpegRun& run, Stop why) {
  run.stop = why;
  std::longjmp(run.escape, 1);
}

void on_error(j_common_ptr common) {
  auto& run = *static_cast<JpegRun*>(common->client_data);
  (*common->err->format_message)(common, run.message);
  leave(run, Stop::kError);
}

// Warnings are negative levels. Most are harmless (PIL and browsers pass over them); missing data is remembered.
void on_message(j_common_ptr common, int level) {
  if (level >= 0) return;
  auto& run = *static_cast<JpegRun*>(common->client_data);
  if (common->err->msg_code == JWRN_JPEG_EOF) run.ended_early = true;
  if (common->err->msg_code == JWRN_HIT_MARKER) run.bits_missing = true;
  if (++common->err->num_warnings > static_cast<long>(kWarningsMax)) {
    std::snprintf(run.message, sizeof run.message, "too much of it is damaged");
    leave(run, Stop::kError);
  }
}

void on_output(j_common_ptr) {}

// Called between rows of blocks and between scans, also while jpeg_start_decompress reads a whole progressive file.
void on_progress(j_common_ptr common) {
  auto& run = *static_cast<JpegRun*>(common->client_data);
  if (run.limits.deadline.passed()) leave(run, Stop::kTimeout);
  if (run.jpeg.input_scan_number > kScansMax) leave(run, Stop::kScans);
}

bool open_and_read_header(JpegRun& run, std::string_view bytes) {
  if (setjmp(run.escape) != 0) return false;
  run.jpeg.err = jpeg_std_error(&run.errors);
  run.errors.error_exit = on_error;
  run.errors.emit_message = on_message;
  run.errors.output_message = on_output;
  run.jpeg.client_data = &run;
  jpeg_create_decompress(&run.jpeg);
  run.created = true;
  run.jpeg.client_data = &run;
  run.progress.progress_monitor = on_progress;
  run.jpeg.progress = &run.progress;
  run.jpeg.mem->max_memory_to_use = static_cast<long>(std::min<std::uint64_t>(run.limits.pixels_max * 8 + (64 << 20), INT64_MAX));
  jpeg_mem_src(&run.jpeg, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_save_markers(&run.jpeg, JPEG_APP0 + 2, 0xFFFF);
  jpeg_read_header(&run.jpeg, TRUE);
  return true;
}

bool is_cmyk(const jpeg_decompress_struct& jpeg) { return jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK; }

// Halves as long as the longer side stays at least `side_wanted`. Only these scales have SIMD transforms in libjpeg-turbo 2.1.
unsigned int scale_denominator(Size size, std::uint32_t side_wanted) {
  if (side_wanted == 0) return 1;
  unsigned int denominator = 1;
  while (denominator < 8 && std::max(size.width, size.height) / (denominator * 2) >= side_wanted) denominator *= 2;
  return denominator;
}

bool start(JpegRun& run, std::uint32_t side_wanted) {
  if (setjmp(run.escape) != 0) return false;
  if (jpeg_read_icc_profile(&run.jpeg, &run.profile, &run.profile_bytes) == FALSE) run.profile_bytes = 0;
  run.jpeg.out_color_space = is_cmyk(run.jpeg) ? JCS_CMYK : JCS_RGB;
  run.jpeg.scale_num = 1;
  run.jpeg.scale_denom = scale_denominator({run.jpeg.image_width, run.jpeg.image_height}, side_wanted);
  jpeg_calc_output_dimensions(&run.jpeg);
  const std::uint32_t side = std::max(run.jpeg.output_width, run.jpeg.output_height);
  // Where pixels are averaged afterwards, smoothly interpolated colours are time for nothing.
  if (side_wanted != 0 && side > side_wanted + side_wanted / 4) run.jpeg.do_fancy_upsampling = FALSE;
  jpeg_start_decompress(&run.jpeg);
  return true;
}

// Inks as Adobe stores them, which practically all such files follow: inverted, so 255 is no ink. What is seen is the paper that one
// ink leaves, times what black leaves.
void inks_to_rgb(const std::uint8_t* inks, std::uint8_t* rgb, std::uint32_t width) {
  for (std::uint32_t x = 0; x < width; ++x, inks += 4, rgb += 3) {
    for (int c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>((inks[c] * inks[3] + 127) / 255);
  }
}

// `inks` is one row of CMYK, used for such files only.
bool read_rows(JpegRun& run, Pixels& pixels, std::uint8_t* inks) {
  if (setjmp(run.escape) != 0) return false;
  while (run.jpeg.output_scanline < run.jpeg.output_height) {
    const JDIMENSION y = run.jpeg.output_scanline;
    JSAMPROW row = inks != nullptr ? inks : pixels.row(y);
    if (jpeg_read_scanlines(&run.jpeg, &row, 1) != 1) break;
    if (inks != nullptr) inks_to_rgb(inks, pixels.row(y), pixels.width());
    if (y % kRowsBetweenLooks == 0 && run.limits.deadline.passed()) leave(run, Stop::kTimeout);
  }
  return true;
}

Failure why_stopped(const JpegRun& run) {
  switch (run.stop) {
    case Stop::kTimeout: return fail(Code::kTimeout, "decoding took too long");
    case Stop::kScans: return fail(Code::kTooLarge, "over {} scans", kScansMax);
    default: return fail(Code::kBadInput, "{}", run.message);
  }
}

}  // namespace

Result<DecodedJpeg> decode_jpeg(std::string_view bytes, const DecodeLimits& limits, std::uint32_t side_wanted) {
  JpegRun run(limits);
  if (!open_and_read_header(run, bytes)) return why_stopped(run);
  MAGPIE_TRY_DO(check_size({run.jpeg.image_width, run.jpeg.image_height}, limits));
  if (!start(run, side_wanted)) return why_stopped(run);

  DecodedJpeg decoded{Pixels({run.jpeg.output_width, run.jpeg.output_height}, 3), {}};
  std::unique_ptr<std::uint8_t[]> inks;
  if (is_cmyk(run.jpeg)) inks = std::make_unique<std::uint8_t[]>(std::size_t{run.jpeg.output_width} * 4);
  if (!read_rows(run, decoded.pixels, inks.get())) return why_stopped(run);
  if (run.ended_early && run.bits_missing) return fail(Code::kBadInput, "the file is cut off");

  const bool is_colour = run.jpeg.jpeg_color_space == JCS_YCbCr || run.jpeg.jpeg_color_space == JCS_RGB;
  if (is_colour && run.profile_bytes > 0) decoded.profile.assign(reinterpret_cast<const char*>(run.profile), run.profile_bytes);
  return decoded;
}

}  // namespace magpie::image
