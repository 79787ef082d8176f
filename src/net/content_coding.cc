#include "net/content_coding.h"

#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include "base/ascii.h"

namespace magpie {
namespace {

constexpr std::size_t kStepBytes = 64 * 1024;
constexpr std::size_t kCodingsMax = 4;
constexpr int kWindowLogMax = 23;  // RFC 8878 section 3.1.1.1.2: what every decoder should manage, 8 MiB

/// A body without one coding; nothing when it does not begin as that coding does.
using Decoded = Result<std::optional<std::string>>;

Failure too_large(std::size_t bytes_max) { return fail(Code::kTooLarge, "the decoded body is over {} bytes", bytes_max); }
Failure broken(std::string_view coding) { return fail(Code::kBadInput, "the {} body breaks or ends early", coding); }

// ---- chunked ----

/// The size a chunk line names (RFC 9112 section 7.1), and takes that line off; nothing when it is none.
std::optional<std::uint64_t> take_chunk_size(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view line = rest.substr(0, end);
  std::uint64_t size = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), size, 16);
  if (error != std::errc()) return std::nullopt;
  const std::string_view behind = line.substr(static_cast<std::size_t>(stop - line.data()));
  if (!behind.empty() && std::string_view("\r; \t").find(behind.front()) == std::string_view::npos) return std::nullopt;
  rest.remove_prefix(end + 1);
  return size;
}

bool take_line_end(std::string_view& rest) {
  if (rest.starts_with("\r\n")) rest.remove_prefix(2);
  else if (rest.starts_with('\n')) rest.remove_prefix(1);
  else return false;
  return true;
}

// Text may begin with a number as a chunk does, so a first chunk counts only when it is whole.
Decoded unchunk(std::string_view body, std::size_t bytes_max) {
  std::string out;
  for (bool first = true;; first = false) {
    const std::optional<std::uint64_t> size = take_chunk_size(body);
    if (size && *size == 0) return std::optional(std::move(out));  // trailers say nothing about the body
    std::string_view rest = body;
    const bool whole = size && *size <= rest.size() && (rest.remove_prefix(*size), take_line_end(rest));
    if (!whole && first) return std::optional<std::string>();
    if (!whole) return broken("chunked");
    if (*size > bytes_max - out.size()) return too_large(bytes_max);
    out.append(body.substr(0, *size));
    body = rest;
  }
}

// ---- compressed ----

/// One call of a decompressor: what it took and gave.
struct Step {
  std::size_t took = 0, wrote = 0;
  bool ended = false, failed = false;
};

/// Runs `step(input, room, room_bytes)` until it has ended or can go on no more.
template <class Decompress>
Result<std::string> decompress(std::string_view body, std::string_view coding, std::size_t bytes_max, Decompress&& step) {
  std::string out;
  while (true) {
    const std::size_t had = out.size();
    if (had > bytes_max) return too_large(bytes_max);
    out.resize(std::min(had + kStepBytes, bytes_max + 1));
    const Step done = step(body, out.data() + had, out.size() - had);
    out.resize(had + done.wrote);
    body.remove_prefix(done.took);
    if (done.failed || (!done.ended && done.took == 0 && done.wrote == 0)) return broken(coding);
    if (done.ended && out.size() <= bytes_max) return out;
  }
}

struct EndInflate {
  void operator()(z_stream* stream) const { inflateEnd(stream); }
};

/// `window_bits` as inflateInit2 takes them. gzip may come in several members.
Result<std::string> inflate_all(std::string_view body, int window_bits, std::string_view coding, std::size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return fail(Code::kInternal, "zlib cannot be set up");
  const std::unique_ptr<z_stream, EndInflate> guard(&stream);
  return decompress(body, coding, bytes_max, [&](std::string_view input, char* room, std::size_t room_bytes) {
    const std::size_t offered = std::min<std::size_t>(input.size(), std::numeric_limits<uInt>::max());
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream.avail_in = static_cast<uInt>(offered);
    stream.next_out = reinterpret_cast<Bytef*>(room);
    stream.avail_out = static_cast<uInt>(room_bytes);
    const int code = inflate(&stream, Z_NO_FLUSH);
    Step done{.took = offered - stream.avail_in, .wrote = room_bytes - stream.avail_out};
    done.failed = code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR;
    done.ended = code == Z_STREAM_END;
    if (done.ended && input.substr(done.took).starts_with("\x1f\x8b\x08")) done.ended = inflateReset(&stream) != Z_OK;
    return done;
  });
}

Decoded gunzip(std::string_view body, std::size_t bytes_max) {
  if (!body.starts_with("\x1f\x8b")) return std::optional<std::string>();
  MAGPIE_TRY(std::string out, inflate_all(body, 16 + MAX_WBITS, "gzip", bytes_max));
  return std::optional(std::move(out));
}

// Servers mean both by "deflate": with the zlib frame, as the standard says, and without.
Decoded undeflate(std::string_view body, std::size_t bytes_max) {
  auto framed = inflate_all(body, MAX_WBITS, "deflate", bytes_max);
  if (framed) return std::optional(std::move(*framed));
  if (framed.error().code == Code::kTooLarge) return Failure(framed.error());
  auto bare = inflate_all(body, -MAX_WBITS, "deflate", bytes_max);
  if (bare) return std::optional(std::move(*bare));
  if (bare.error().code == Code::kTooLarge) return Failure(bare.error());
  return std::optional<std::string>();
}

struct EndBrotli {
  void operator()(BrotliDecoderState* state) const { BrotliDecoderDestroyInstance(state); }
};

// Nothing marks where brotli begins, so what fails as brotli is taken as decoded already.
Decoded unbrotli(std::string_view body, std::size_t bytes_max) {
  const std::unique_ptr<BrotliDecoderState, EndBrotli> state(BrotliDecoderCreateInstance(nullptr, nullptr, nullptr));
  if (!state) return fail(Code::kInternal, "brotli cannot be set up");
  auto out = decompress(body, "br", bytes_max, [&](std::string_view input, char* room, std::size_t room_bytes) {
    std::size_t input_left = input.size(), room_left = room_bytes;
    const auto* next_in = reinterpret_cast<const std::uint8_t*>(input.data());
    auto* next_out = reinterpret_cast<std::uint8_t*>(room);
    const BrotliDecoderResult code = BrotliDecoderDecompressStream(state.get(), &input_left, &next_in, &room_left, &next_out, nullptr);
    return Step{input.size() - input_left, room_bytes - room_left, code == BROTLI_DECODER_RESULT_SUCCESS,
                code == BROTLI_DECODER_RESULT_ERROR};
  });
  if (out) return std::optional(std::move(*out));
  if (out.error().code == Code::kTooLarge) return Failure(out.error());
  return std::optional<std::string>();
}

struct EndZstd {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Decoded unzstd(std::string_view body, std::size_t bytes_max) {
  if (!body.starts_with("\x28\xb5\x2f\xfd")) return std::optional<std::string>();
  const std::unique_ptr<ZSTD_DCtx, EndZstd> context(ZSTD_createDCtx());
  if (!context || ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kWindowLogMax)))
    return fail(Code::kInternal, "zstd cannot be set up");
  MAGPIE_TRY(std::string out, decompress(body, "zstd", bytes_max, [&](std::string_view input, char* room, std::size_t room_bytes) {
               ZSTD_inBuffer in{input.data(), input.size(), 0};
               ZSTD_outBuffer to{room, room_bytes, 0};
               const std::size_t code = ZSTD_decompressStream(context.get(), &to, &in);
               const bool frame_ended = code == 0;
               return Step{in.pos, to.pos, frame_ended && in.pos == in.size, ZSTD_isError(code) != 0};
             }));
  return std::optional(std::move(out));
}

// ---- which ----

/// Words of a comma-separated header, lower case.
std::vector<std::string> words_of(std::string_view list) {
  std::vector<std::string> words(1);
  for (const char c : list) {
    if (c == ',' || c == '\n') words.emplace_back();
    else if (c != ' ' && c != '\t' && c != '\r') words.back() += ascii_lower(c);
  }
  std::erase(words, "");
  return words;
}

Decoded without(std::string_view coding, std::string_view body, std::size_t bytes_max) {
  if (coding == "chunked") return unchunk(body, bytes_max);
  if (coding == "gzip" || coding == "x-gzip") return gunzip(body, bytes_max);
  if (coding == "deflate") return undeflate(body, bytes_max);
  if (coding == "br") return unbrotli(body, bytes_max);
  if (coding == "zstd") return unzstd(body, bytes_max);
  return std::optional<std::string>();
}

}  // namespace

Result<std::string> decode_stored_body(const HttpHeaders& headers, std::string_view body, std::size_t bytes_max) {
  // In the order they were put on: the content's first, the transfer's around it.
  std::vector<std::string> codings = words_of(header_lines(headers, "Content-Encoding"));
  for (std::string& word : words_of(header_lines(headers, "Transfer-Encoding"))) codings.push_back(std::move(word));
  std::erase(codings, "identity");
  if (codings.size() > kCodingsMax) return fail(Code::kBadInput, "{} codings around one body", codings.size());
  std::optional<std::string> decoded;
  for (auto coding = codings.rbegin(); coding != codings.rend(); ++coding) {
    MAGPIE_TRY(std::optional<std::string> inner, without(*coding, decoded ? *decoded : body, bytes_max));
    if (inner) decoded = std::move(inner);
  }
  if (!decoded && body.size() > bytes_max) return too_large(bytes_max);
  return decoded ? std::move(*decoded) : std::string(body);
}

}  // namespace magpie
