#include "crawl/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <memory>

namespace magpie::crawl {
namespace {

constexpr std::size_t kStepBytes = 64 * 1024;
constexpr int kGzipOnly = 16 + MAX_WBITS;

struct EndInflate {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

}  // namespace

bool is_gzip(std::string_view bytes) { return bytes.starts_with("\x1f\x8b\x08"); }

Result<Gunzipped> gunzip(std::string_view bytes, std::size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, kGzipOnly) != Z_OK) return fail(Code::kInternal, "zlib cannot be set up");
  const std::unique_ptr<z_stream, EndInflate> guard(&stream);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(std::min<std::size_t>(bytes.size(), UINT32_MAX));

  Gunzipped out;
  while (true) {
    const std::size_t had = out.bytes.size();
    if (had >= bytes_max) {
      out.cut = true;
      break;
    }
    out.bytes.resize(std::min(bytes_max, had + kStepBytes));
    stream.next_out = reinterpret_cast<Bytef*>(out.bytes.data() + had);
    stream.avail_out = static_cast<uInt>(out.bytes.size() - had);
    const int code = inflate(&stream, Z_NO_FLUSH);
    out.bytes.resize(out.bytes.size() - stream.avail_out);
    if (code == Z_STREAM_END) {
      const std::string_view rest = bytes.substr(bytes.size() - stream.avail_in);
      if (!is_gzip(rest) || inflateReset(&stream) != Z_OK) break;
    } else if (code != Z_OK || (stream.avail_in == 0 && out.bytes.size() == had)) {
      out.cut = true;
      break;
    }
  }
  if (out.bytes.empty() && out.cut) return fail(Code::kBadInput, "the gzip stream is broken");
  return out;
}

}  // namespace magpie::crawl
