#include <libdeflate.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <ctime>
#include <memory>

#include "base/ascii.h"
#include "base/hash.h"
#include "store/warc.h"
#include "store/warc_text.h"

namespace magpie {
namespace {

std::string_view default_content_type(WarcType type) {
  switch (type) {
    case WarcType::kRequest: return "application/http;msgtype=request";
    case WarcType::kResponse:
    case WarcType::kConversion: return "application/http;msgtype=response";
    case WarcType::kWarcinfo:
    case WarcType::kMetadata: return "application/warc-fields";
  }
  return "application/octet-stream";
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

Result<void> append_field(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return {};
  if (has_control(value)) return fail(Code::kBadInput, "{} must not have control characters", name);
  out.append(name).append(": ").append(value).append("\r\n");
  return {};
}

void append_u32(std::string& out, std::uint32_t value) {
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(value >> shift & 0xFF);
}

/// One compressor for each thread and level: making one costs as much as a small page.
libdeflate_compressor* compressor(int level) {
  struct Free {
    void operator()(libdeflate_compressor* one) const { libdeflate_free_compressor(one); }
  };
  constexpr int kLevelMax = 9;
  thread_local std::array<std::unique_ptr<libdeflate_compressor, Free>, kLevelMax + 1> compressors;
  auto& one = compressors[static_cast<std::size_t>(std::clamp(level, 0, kLevelMax))];
  if (!one) one.reset(libdeflate_alloc_compressor(std::clamp(level, 0, kLevelMax)));
  return one.get();
}

/// Raw deflate, without any wrapper.
Result<void> append_deflated(std::string& out, std::string_view bytes, int level) {
  libdeflate_compressor* with = compressor(level);
  if (with == nullptr) return fail(Code::kInternal, "deflate cannot start");
  const std::size_t begin = out.size();
  out.resize(begin + libdeflate_deflate_compress_bound(with, bytes.size()));
  const std::size_t size = libdeflate_deflate_compress(with, bytes.data(), bytes.size(), out.data() + begin, out.size() - begin);
  out.resize(begin + size);
  if (size == 0) return fail(Code::kInternal, "deflate had no room for {} bytes", bytes.size());
  return {};
}

bool is_coding_header(std::string_view name) {
  return ascii_same(name, "content-encoding") || ascii_same(name, "transfer-encoding") || ascii_same(name, "content-length");
}

}  // namespace

std::string_view to_string(WarcType type) {
  switch (type) {
    case WarcType::kWarcinfo: return "warcinfo";
    case WarcType::kRequest: return "request";
    case WarcType::kResponse: return "response";
    case WarcType::kMetadata: return "metadata";
    case WarcType::kConversion: return "conversion";
  }
  return "metadata";
}

std::string new_warc_record_id() {
  const std::uint64_t high = (random_u64() & ~0xF000ull) | 0x4000ull;       // version 4
  const std::uint64_t low = (random_u64() & ~(3ull << 62)) | (2ull << 62);  // variant 1
  const std::string hex = to_hex(high) + to_hex(low);
  const std::string_view h = hex;
  return fmt::format("<urn:uuid:{}-{}-{}-{}-{}>", h.substr(0, 8), h.substr(8, 4), h.substr(12, 4), h.substr(16, 4), h.substr(20));
}

std::string warc_date(std::chrono::sys_time<std::chrono::milliseconds> time) {
  const auto days = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(days);
  const std::chrono::hh_mm_ss clock(time - days);
  const auto millis = clock.subseconds().count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}Z", int(date.year()), unsigned(date.month()), unsigned(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     millis == 0 ? std::string() : fmt::format(".{:03}", millis));
}

Result<std::chrono::sys_time<std::chrono::milliseconds>> parse_warc_date(std::string_view text) {
  const auto number = [&](std::size_t at, std::size_t digits) -> int {
    int value = -1;
    if (at + digits > text.size()) return -1;
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + at + digits, value);
    return error == std::errc() && end == text.data() + at + digits ? value : -1;
  };
  const auto bad = [&] { return fail(Code::kBadInput, "'{}' is not a date like 2026-11-21T23:18:35Z", text.substr(0, 64)); };
  if (text.size() < 20 || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' || text[16] != ':')
    return bad();
  const int year = number(0, 4), month = number(5, 2), day = number(8, 2), hour = number(11, 2), minute = number(14, 2),
            second = number(17, 2);
  const std::chrono::year_month_day date(std::chrono::year{year}, std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day)));
  if (year < 0 || month < 1 || day < 1 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return bad();
  int millis = 0;
  if (text[19] != 'Z') {
    const std::size_t digits = text.size() - 21;
    if (text[19] != '.' || digits < 1 || digits > 9 || number(20, digits) < 0) return bad();
    for (std::size_t i = 0; i < 3; ++i) millis = millis * 10 + (i < digits ? text[20 + i] - '0' : 0);
  }
  return std::chrono::sys_days(date) + std::chrono::hours(hour) + std::chrono::minutes(minute) + std::chrono::seconds(second) +
         std::chrono::milliseconds(millis);
}

Result<std::string> encode_warc_record(const WarcFields& fields) {
  if (fields.date.empty()) return fail(Code::kBadInput, "a WARC record needs a date");
  if (fields.block.size() > kWarcBlockBytesMax)
    return fail(Code::kTooLarge, "a block of {} bytes is over {}", fields.block.size(), kWarcBlockBytesMax);
  std::string out;
  out.reserve(fields.block.size() + 1024);
  out += "WARC/1.1\r\n";
  MAGPIE_TRY_DO(append_field(out, "WARC-Type", to_string(fields.type)));
  MAGPIE_TRY_DO(append_field(out, "WARC-Record-ID", fields.record_id.empty() ? new_warc_record_id() : std::string(fields.record_id)));
  MAGPIE_TRY_DO(append_field(out, "WARC-Date", fields.date));
  MAGPIE_TRY_DO(append_field(out, "WARC-Target-URI", fields.target_uri));
  MAGPIE_TRY_DO(append_field(out, "WARC-IP-Address", fields.ip));
  MAGPIE_TRY_DO(append_field(out, "WARC-Concurrent-To", fields.concurrent_to));
  MAGPIE_TRY_DO(append_field(out, "WARC-Warcinfo-ID", fields.warcinfo_id));
  MAGPIE_TRY_DO(append_field(out, "Content-Type", fields.content_type.empty() ? default_content_type(fields.type) : fields.content_type));
  if (fields.type == WarcType::kResponse || fields.type == WarcType::kConversion) {
    const std::string_view body = fields.block.substr(http_header_end(fields.block));
    MAGPIE_TRY_DO(append_field(out, "WARC-Payload-Digest", "sha1:" + sha1_base32(body)));
  } else {
    MAGPIE_TRY_DO(append_field(out, "WARC-Block-Digest", "sha1:" + sha1_base32(fields.block)));
  }
  MAGPIE_TRY_DO(append_field(out, "Content-Length", fmt::to_string(fields.block.size())));
  out.append("\r\n").append(fields.block).append("\r\n\r\n");
  return out;
}

Result<std::string> gzip_member(std::string_view bytes, int level) {
  if (bytes.size() >= std::uint64_t{1} << 31) return fail(Code::kTooLarge, "a gzip member of {} bytes is over 2 GiB", bytes.size());
  std::string out;
  // RFC 1952: magic, deflate, FEXTRA, no time, no hint, unknown system; 8 bytes of extra field.
  out.append("\x1f\x8b\x08\x04\0\0\0\0\0\xff", 10).append("\x08\0MG\x04\0", 6);
  const std::size_t length_at = out.size();
  append_u32(out, 0);
  MAGPIE_TRY_DO(append_deflated(out, bytes, level));
  append_u32(out, libdeflate_crc32(0, bytes.data(), bytes.size()));
  append_u32(out, static_cast<std::uint32_t>(bytes.size()));
  std::string length;
  append_u32(length, static_cast<std::uint32_t>(out.size()));
  out.replace(length_at, length.size(), length);
  return out;
}

std::string decoded_header_block(std::string_view header_block, std::uint64_t body_bytes) {
  std::vector<std::string_view> lines;
  while (!header_block.empty()) {
    const std::size_t end = header_block.find('\n');
    std::string_view line = header_block.substr(0, end);
    header_block.remove_prefix(end == std::string_view::npos ? header_block.size() : end + 1);
    while (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!line.empty()) lines.push_back(line);
  }
  const std::string true_length = fmt::to_string(body_bytes);
  const auto name_of = [](std::string_view line) { return trimmed(line.substr(0, line.find(':'))); };
  const auto is_true = [&](std::string_view line) {
    return ascii_same(name_of(line), "content-length") ? trimmed(line.substr(line.find(':') + 1)) == true_length : false;
  };
  const bool honest =
      std::all_of(lines.begin(), lines.end(), [&](std::string_view line) { return !is_coding_header(name_of(line)) || is_true(line); });
  std::string out;
  for (const std::string_view line : lines) {
    if (!honest && is_coding_header(name_of(line))) out += "X-Crawler-";
    out.append(line).append("\r\n");
  }
  if (!honest) out.append("Content-Length: ").append(true_length).append("\r\n");
  return out.append("\r\n");
}

}  // namespace magpie
