#include "net/content_coding.h"

#include <brotli/encode.h>
#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

namespace magpie {
namespace {

constexpr std::size_t kBytesMax = 1 << 20;

std::string deflated(std::string_view text, int window_bits) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}
std::string gzipped(std::string_view text) { return deflated(text, 16 + MAX_WBITS); }

std::string brotlied(std::string_view text) {
  std::size_t size = BrotliEncoderMaxCompressedSize(text.size());
  std::string out(size, '\0');
  EXPECT_EQ(BrotliEncoderCompress(5, 22, BROTLI_MODE_TEXT, text.size(), reinterpret_cast<const std::uint8_t*>(text.data()), &size,
                                  reinterpret_cast<std::uint8_t*>(out.data())),
            BROTLI_TRUE);
  out.resize(size);
  return out;
}

std::string zstded(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

std::string chunked(std::string_view text, std::size_t step) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += step) {
    const std::string_view piece = text.substr(at, step);
    out += fmt::format("{:x};note=\"1\"\r\n{}\r\n", piece.size(), piece);
  }
  return out + "0\r\nTrailer: x\r\n\r\n";
}

std::string page_text() {
  std::string text = "<!doctype html><title>Boots</title>";
  for (int i = 0; i < 20'000; ++i) text += fmt::format("<p>{}</p>", i * 7919 % 1'000);
  return text;
}

HttpHeaders headers(std::string content, std::string transfer = "") {
  HttpHeaders out;
  if (!content.empty()) out.push_back({"content-encoding", std::move(content)});
  if (!transfer.empty()) out.push_back({"Transfer-Encoding", std::move(transfer)});
  return out;
}

TEST(ContentCoding, TakesOffWhatTheHeadersName) {
  const std::string page = page_text();
  EXPECT_EQ(decode_stored_body({}, page, kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("GZIP"), gzipped(page), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("x-gzip"), gzipped(page), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("gzip"), gzipped("<html>") + gzipped(page), kBytesMax).value(), "<html>" + page) << "two members";
  EXPECT_EQ(decode_stored_body(headers("deflate"), deflated(page, MAX_WBITS), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("deflate"), deflated(page, -MAX_WBITS), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("br"), brotlied(page), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("zstd"), zstded(page), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("identity"), page, kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("", "chunked"), chunked(page, 1'000), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("gzip", "chunked"), chunked(gzipped(page), 333), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("gzip, br"), brotlied(gzipped(page)), kBytesMax).value(), page);
  EXPECT_EQ(decode_stored_body(headers("gzip"), gzipped(""), kBytesMax).value(), "");
}

TEST(ContentCoding, LeavesWhatWasDecodedBeforeItWasStored) {
  const std::string page = page_text();
  for (const char* coding : {"gzip", "deflate", "br", "zstd", "sdch"}) {
    EXPECT_EQ(decode_stored_body(headers(coding), page, kBytesMax).value(), page) << coding;
    EXPECT_EQ(decode_stored_body(headers(coding, "chunked"), page, kBytesMax).value(), page) << coding;
    EXPECT_EQ(decode_stored_body(headers(coding), "", kBytesMax).value_or("failed"), "") << coding;
  }
  for (const char* text : {"7\nseven", "a1\r\n", "12", "\n", "fffffffffffffffffffff\r\n", "3\r\nabcd\r\n"}) {
    EXPECT_EQ(decode_stored_body(headers("", "chunked"), text, kBytesMax).value(), text);
  }
}

TEST(ContentCoding, SaysWhatBreaksAndWhatIsTooLarge) {
  const std::string page = page_text();
  const auto code = [&](const HttpHeaders& named, const std::string& body, std::size_t bytes_max = kBytesMax) {
    const auto done = decode_stored_body(named, body, bytes_max);
    return done ? std::optional<Code>() : done.error().code;
  };
  for (const auto& [coding, body] : {std::pair{"gzip", gzipped(page)}, {"zstd", zstded(page)}})
    EXPECT_EQ(code(headers(coding), body.substr(0, body.size() / 2)), Code::kBadInput) << coding;
  EXPECT_EQ(code(headers("", "chunked"), chunked(page, 1'000).substr(0, 5'000)), Code::kBadInput);
  EXPECT_EQ(code(headers("gzip, gzip, gzip, gzip, gzip"), page), Code::kBadInput);
  const std::string bomb(8 << 20, 'x');
  for (const auto& [coding, body] : {std::pair{"gzip", gzipped(bomb)},
                                     {"deflate", deflated(bomb, MAX_WBITS)},
                                     {"deflate", deflated(bomb, -MAX_WBITS)},
                                     {"br", brotlied(bomb)},
                                     {"zstd", zstded(bomb)},
                                     {"identity", bomb}})
    EXPECT_EQ(code(headers(coding), body), Code::kTooLarge) << coding;
  EXPECT_EQ(code(headers("", "chunked"), chunked(bomb, 100'000)), Code::kTooLarge);
  EXPECT_EQ(decode_stored_body(headers("gzip"), gzipped(page), page.size()).value(), page) << "the limit itself is allowed";
  EXPECT_EQ(code(headers("gzip"), gzipped(page), page.size() - 1), Code::kTooLarge);
}

}  // namespace
}  // namespace magpie
