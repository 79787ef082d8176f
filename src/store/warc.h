#pragma once
// WARC 1.1 (ISO 28500:2017, https://iipc.github.io/warc-specifications/): the web archive's format. Writing gives one gzip member per
// record; reading takes gzip, several records in one member, and plain files, of versions 0.17 to 1.1, and goes on behind damage.
//
//   MAGPIE_TRY(std::string bytes, encode_warc_record({.type = WarcType::kResponse, .target_uri = url, .date = warc_date(now), .block =
//   block})); MAGPIE_TRY(WarcReader reader, WarcReader::open("a.warc.gz")); while (true) {
//     MAGPIE_TRY(std::optional<WarcItem> item, reader.next());
//     if (!item) break;
//     if (item->damage.empty()) use(item->record);
//   }
//
// A member that we write carries its own length in the gzip header (RFC 1952, extra field "MG", 4 bytes little-endian, the whole
// member), so that a file is walked without inflating it. Other readers pass over that field. docs/formats/archive.md has an example.
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/files.h"
#include "base/result.h"

namespace magpie {

inline constexpr std::uint64_t kWarcBlockBytesMax = (std::uint64_t{1} << 30) + (std::uint64_t{1} << 20);  // 1 GiB of body and its headers
inline constexpr std::size_t kWarcHeaderBytesMax = 256 * 1024;

/// Of a conversion the block is as a response's: the page that a browser made of an answer, behind that answer's header lines.
enum class WarcType { kWarcinfo, kRequest, kResponse, kMetadata, kConversion };
std::string_view to_string(WarcType type);

/// A record to write. Views are borrowed for the call.
struct WarcFields {
  WarcType type = WarcType::kResponse;
  std::string_view target_uri;     // empty for warcinfo
  std::string_view date;           // as warc_date() writes it
  std::string_view record_id;      // "<urn:uuid:…>"; empty: a new one is made
  std::string_view warcinfo_id;    // the id of the file's warcinfo record, may be empty
  std::string_view concurrent_to;  // the id of the other half of the exchange, may be empty
  std::string_view ip;             // may be empty
  std::string_view content_type;   // empty: the usual one of the type
  std::string_view block;          // for request and response: HTTP header block, empty line, body
};

/// The whole record, uncompressed. Digest: SHA-1 of what follows the HTTP header block of a response, of the whole block of another record.
/// kBadInput for a field with control characters or no date, kTooLarge for a block over kWarcBlockBytesMax. Thread-safe.
Result<std::string> encode_warc_record(const WarcFields& fields);
/// One gzip member. `level` 0 (kept as it is, for what is compressed already) to 9. Thread-safe.
Result<std::string> gzip_member(std::string_view bytes, int level);

/// "<urn:uuid:…>" with a random (version 4) UUID.
std::string new_warc_record_id();
/// "2026-11-21T23:18:35.120Z"; whole seconds are written without a fraction.
std::string warc_date(std::chrono::sys_time<std::chrono::milliseconds> time);
/// The same backwards, and any fraction of up to nine digits. kBadInput for anything else.
Result<std::chrono::sys_time<std::chrono::milliseconds>> parse_warc_date(std::string_view text);

/// Header lines (with their status line) for a body whose content and transfer codings were taken off: where Content-Encoding,
/// Transfer-Encoding or Content-Length speak of other bytes than `body_bytes`, they are renamed X-Crawler-…, and a true Content-Length is
/// added. Ends with an empty line. All else stays byte for byte, but for line ends, which become CRLF. One pass.
std::string decoded_header_block(std::string_view header_block, std::uint64_t body_bytes);

struct WarcRecord {
  std::string type;  // "response", …, as it stands in the record
  std::string record_id, target_uri, date, content_type;
  std::vector<std::pair<std::string, std::string>> headers;  // all named fields, in order
  std::string block;
  std::uint64_t offset = 0;        // of its gzip member, or of its first byte in a plain file
  std::uint64_t length = 0;        // of its gzip member, or up to and with its closing two line ends
  std::optional<int> http_status;  // of a response or conversion

  /// The first field of this name without regard to case, or nothing.
  std::optional<std::string_view> field(std::string_view name) const;
  /// Of request, response and conversion: up to and with the empty line; empty for others. Views into `block`.
  std::string_view http_header() const;
  std::string_view http_body() const;
};

/// A record, or damage at record.offset (record is then otherwise empty).
struct WarcItem {
  WarcRecord record;
  std::string damage;      // what is wrong, one sentence without a full stop; empty for a good record
  bool too_large = false;  // the only thing wrong is that it is over block_bytes_max
};

struct WarcReaderOptions {
  std::uint64_t block_bytes_max = kWarcBlockBytesMax;  // larger records are reported as damage and passed over
  std::uint64_t start = 0;                             // offset to begin at
};

struct WarcTail {
  std::uint64_t valid_end = 0;  // bytes from here on belong to a record cut short
  std::uint64_t file_bytes = 0;
  bool damaged = false;  // something before valid_end does not read; left as it is, since good records follow
};
/// Where the last whole record of a .warc.gz ends. Walks by the members' own length where they have it, and reads the last one.
Result<WarcTail> find_warc_tail(int fd);

/// Reads a file record by record; memory is one record. Not thread-safe.
class WarcReader {
 public:
  static Result<WarcReader> open(const fs::path& path, const WarcReaderOptions& options = {});
  /// `bytes` must outlive the reader.
  static WarcReader over(std::string_view bytes, const WarcReaderOptions& options = {});
  WarcReader(WarcReader&&) noexcept;
  WarcReader& operator=(WarcReader&&) noexcept;
  ~WarcReader();

  /// The next record or damage; nothing at the end. Behind damage it goes on at the next gzip member or version line that reads as a
  /// record's. A wrong digest is damage. Errors: kUnavailable from the disk only.
  Result<std::optional<WarcItem>> next();

 private:
  class Impl;
  friend Result<WarcTail> find_warc_tail(int fd);
  explicit WarcReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The record at bytes [offset, offset + length) of an open file. kCorrupt for damage, kTooLarge over kWarcBlockBytesMax.
/// Thread-safe: it does not move the file's position. Cost: one read, inflate, and a SHA-1 of the block.
Result<WarcRecord> read_warc_record(int fd, std::uint64_t offset, std::uint64_t length);

}  // namespace magpie
