#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "base/ascii.h"
#include "base/check.h"
#include "base/hash.h"
#include "store/warc.h"
#include "store/warc_text.h"

namespace magpie {
namespace {

constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kProbeBytes = 512;  // enough of a member to see how its first record begins
constexpr std::string_view kGzipMagic("\x1f\x8b\x08", 3);
constexpr std::size_t kOwnHeaderBytes = 20;  // gzip header with our length field, see gzip_member()
constexpr std::size_t kMemberBytesMin = 18;
constexpr std::uint64_t kNowhere = std::uint64_t{1} << 62;  // behind the end of any file

/// Bytes at an offset, from a file or from memory.
class Source {
 public:
  explicit Source(UniqueFd fd) : owned_(std::move(fd)), fd_(owned_.get()) {}
  explicit Source(int fd) : fd_(fd) {}
  explicit Source(std::string_view bytes) : bytes_(bytes) {}

  /// Up to `size` bytes; fewer only at the end.
  Result<std::string> read(std::uint64_t offset, std::size_t size) const {
    if (fd_ < 0) return std::string(offset < bytes_.size() ? bytes_.substr(offset, size) : std::string_view());
    std::string out(size, '\0');
    std::size_t have = 0;
    while (have < size) {
      const ssize_t got = ::pread(fd_, out.data() + have, size - have, static_cast<off_t>(offset + have));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return fail_errno("reading WARC");
      if (got == 0) break;
      have += static_cast<std::size_t>(got);
    }
    out.resize(have);
    return out;
  }

 private:
  UniqueFd owned_;
  int fd_ = -1;
  std::string_view bytes_;
};

/// The content from one offset on: of one gzip member, or of a plain file. Takes what it needs, in pieces.
class Content {
 public:
  Content(const Source& source, std::uint64_t start, bool gzip, std::size_t step)
      : source_(source), start_(start), at_(start), gzip_(gzip), step_(step) {
    if (gzip_) MAGPIE_CHECK(inflateInit2(&inflater_, 15 + 16) == Z_OK, "inflate cannot start");
  }
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content() {
    if (gzip_) inflateEnd(&inflater_);
  }

  /// Makes at least `size` bytes available, fewer only at the end of the content.
  Result<void> want(std::size_t size) {
    while (available().size() < size && !ended_) MAGPIE_TRY_DO(fill());
    return {};
  }
  std::string_view available() const { return std::string_view(buffer_).substr(begin_); }
  void drop(std::size_t size) {
    begin_ += size;
    dropped_ += size;
    if (begin_ < kChunkBytes && begin_ < buffer_.size()) return;
    buffer_.erase(0, begin_);
    begin_ = 0;
  }
  Result<void> skip(std::uint64_t size) {
    while (size > 0) {
      MAGPIE_TRY_DO(want(1));
      const std::size_t step = static_cast<std::size_t>(std::min<std::uint64_t>(available().size(), size));
      if (step == 0) return {};
      drop(step);
      size -= step;
    }
    return {};
  }

  bool gzip() const { return gzip_; }
  std::uint64_t start() const { return start_; }
  const std::string& damage() const { return damage_; }  // empty while all is well
  /// Where in the file the content stands that was dropped so far; in a gzip member, how far it was inflated.
  std::uint64_t file_offset() const { return gzip_ ? at_ - pending_.size() : start_ + dropped_; }

 private:
  Result<void> fill() {
    if (gzip_) return inflate_more();
    MAGPIE_TRY(const std::string piece, source_.read(at_, step_));
    if (piece.empty()) ended_ = true;
    at_ += piece.size();
    buffer_ += piece;
    return {};
  }

  Result<void> inflate_more() {
    if (pending_.empty()) {
      MAGPIE_TRY(std::string piece, source_.read(at_, step_));
      at_ += piece.size();
      piece_ = std::move(piece);
      pending_ = piece_;
      if (pending_.empty()) {
        end_with("the gzip member is cut short");
        return {};
      }
    }
    const std::size_t before = buffer_.size();
    buffer_.resize(before + step_);
    inflater_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(pending_.data()));
    inflater_.avail_in = static_cast<uInt>(pending_.size());
    inflater_.next_out = reinterpret_cast<Bytef*>(buffer_.data() + before);
    inflater_.avail_out = static_cast<uInt>(step_);
    const int done = inflate(&inflater_, Z_NO_FLUSH);
    pending_.remove_prefix(pending_.size() - inflater_.avail_in);
    buffer_.resize(before + step_ - inflater_.avail_out);
    if (done == Z_STREAM_END) ended_ = true;
    else if (done != Z_OK && done != Z_BUF_ERROR)
      end_with(fmt::format("the gzip member is damaged ({})", inflater_.msg != nullptr ? inflater_.msg : "no reason given"));
    return {};
  }

  void end_with(std::string damage) {
    damage_ = std::move(damage);
    ended_ = true;
  }

  const Source& source_;
  std::uint64_t start_, at_;
  bool gzip_;
  std::size_t step_;
  z_stream inflater_{};
  std::string piece_;
  std::string_view pending_;  // of piece_, not inflated yet
  std::string buffer_;
  std::size_t begin_ = 0;
  std::uint64_t dropped_ = 0;
  bool ended_ = false;
  std::string damage_;
};

bool begins_record(std::string_view content) { return content.starts_with("WARC/0.") || content.starts_with("WARC/1."); }

/// Fills the named fields from the header block; the reason if it is not one.
std::string parse_header(std::string_view header, WarcRecord& record) {
  bool first = true;
  while (!header.empty()) {
    const std::size_t end = header.find('\n');
    std::string_view line = header.substr(0, end);
    header.remove_prefix(end == std::string_view::npos ? header.size() : end + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (std::exchange(first, false)) {
      if (!begins_record(line)) return "no WARC version line";
      continue;
    }
    if (line.empty()) return "";
    if ((line.front() == ' ' || line.front() == '\t') && !record.headers.empty()) {  // folded, as version 1.0 allowed
      record.headers.back().second.append(" ").append(trimmed(line));
      continue;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return "a header line without a name";
    record.headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
  }
  return "the header has no end";
}

void name_fields(WarcRecord& record) {
  const auto text = [&](std::string_view name) { return std::string(record.field(name).value_or("")); };
  record.type = text("WARC-Type");
  record.record_id = text("WARC-Record-ID");
  record.date = text("WARC-Date");
  record.content_type = text("Content-Type");
  record.target_uri = text("WARC-Target-URI");
  // Version 1.0 of the standard showed the address in angle brackets, and wget wrote it so.
  if (record.target_uri.size() >= 2 && record.target_uri.front() == '<' && record.target_uri.back() == '>') {
    record.target_uri = record.target_uri.substr(1, record.target_uri.size() - 2);
  }
}

std::optional<std::uint64_t> content_length(const WarcRecord& record) {
  const std::optional<std::string_view> text = record.field("Content-Length");
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return value;
}

bool is_http(const WarcRecord& record) { return ascii_same(record.content_type.substr(0, 16), "application/http"); }
bool is_answer(const WarcRecord& record) { return (record.type == "response" || record.type == "conversion") && is_http(record); }

/// SHA-1 in base32, the digest that everybody writes; others are passed over.
bool digest_agrees(std::string_view digest, std::string_view bytes) {
  constexpr std::size_t kBase32Digits = 32;
  if (digest.size() != 5 + kBase32Digits || !ascii_same(digest.substr(0, 5), "sha1:")) return true;
  return ascii_same(digest.substr(5), sha1_base32(bytes));
}

bool has_coding(std::string_view http_header) {
  for (std::size_t end = http_header.find('\n'); end != std::string_view::npos; end = http_header.find('\n')) {
    http_header.remove_prefix(end + 1);
    const std::string_view name = trimmed(http_header.substr(0, http_header.find_first_of(":\n")));
    if (ascii_same(name, "transfer-encoding") || ascii_same(name, "content-encoding")) return true;
  }
  return false;
}

/// What a digest in the header says against the block, in words; empty when nothing. A payload in a coding is passed over: writers
/// differ in whether its digest is of the bytes with it.
std::string digest_damage(const WarcRecord& record) {
  constexpr std::string_view kBlock = "WARC-Block-Digest", kPayload = "WARC-Payload-Digest";
  if (const auto digest = record.field(kBlock)) {
    return digest_agrees(*digest, record.block) ? std::string() : fmt::format("the block does not agree with its {}", kBlock);
  }
  const auto digest = record.field(kPayload);
  if (!digest || !is_answer(record) || record.field("WARC-Truncated")) return {};
  if (has_coding(record.http_header())) return {};
  return digest_agrees(*digest, record.http_body()) ? std::string() : fmt::format("the payload does not agree with its {}", kPayload);
}

}  // namespace

std::optional<std::string_view> WarcRecord::field(std::string_view name) const {
  for (const auto& [known, value] : headers) {
    if (ascii_same(known, name)) return value;
  }
  return std::nullopt;
}

std::string_view WarcRecord::http_header() const {
  return is_http(*this) ? std::string_view(block).substr(0, http_header_end(block)) : std::string_view();
}

std::string_view WarcRecord::http_body() const { return std::string_view(block).substr(http_header().size()); }

class WarcReader::Impl {
 public:
  Impl(Source source, const WarcReaderOptions& options) : source_(std::move(source)), options_(options), at_(options.start) {}

  Result<std::optional<WarcItem>> next() {
    if (!content_) {
      MAGPIE_TRY(const bool more, begin_content());
      if (!more) return std::optional<WarcItem>();
      if (!content_) return damage_here("neither a gzip member nor a WARC record begins here");
    }
    WarcItem item;
    item.record.offset = content_->gzip() ? content_->start() : content_->file_offset();
    MAGPIE_TRY_DO(read_record(item));
    if (item.damage.empty()) return std::optional<WarcItem>(std::move(item));
    WarcItem damaged;
    damaged.record.offset = item.record.offset;
    damaged.damage = std::move(item.damage);
    damaged.too_large = item.too_large;
    if (!passed_over_) { MAGPIE_TRY_DO(go_on_behind(damaged.record.offset)); }
    passed_over_ = false;
    return std::optional<WarcItem>(std::move(damaged));
  }

  /// Plain text that looks like a record is then passed over: a member that was stored without deflating shows its own.
  void expect_gzip() { kind_ = Kind::kGzip; }

  /// The offset of the next record that begins at or behind `from`; nothing when there is none.
  Result<std::optional<std::uint64_t>> find_record(std::uint64_t from) {
    constexpr std::size_t kOverlap = 8;
    while (true) {
      MAGPIE_TRY(const std::string piece, source_.read(from, kChunkBytes));
      for (std::size_t i = 0; i < piece.size(); ++i) {
        const std::string_view rest = std::string_view(piece).substr(i);
        const bool candidate = (kind_ != Kind::kPlain && rest.starts_with(kGzipMagic)) || (kind_ != Kind::kGzip && begins_record(rest));
        if (!candidate) continue;
        MAGPIE_TRY(const bool record, begins_at(from + i, rest.starts_with(kGzipMagic)));
        if (record) return std::optional<std::uint64_t>(from + i);
      }
      if (piece.size() < kChunkBytes) return std::optional<std::uint64_t>();
      from += piece.size() - kOverlap;
    }
  }

 private:
  enum class Kind { kUnknown, kGzip, kPlain };

  /// Opens what begins at at_. False at the end of the file; content_ stays empty when nothing readable begins there.
  Result<bool> begin_content() {
    MAGPIE_TRY(const std::string head, source_.read(at_, kGzipMagic.size() + 5));
    if (head.empty()) return false;
    const bool gzip = head.starts_with(kGzipMagic);
    if (!gzip && (kind_ == Kind::kGzip || !begins_record(head))) return true;
    if (kind_ == Kind::kUnknown) kind_ = gzip ? Kind::kGzip : Kind::kPlain;
    content_ = std::make_unique<Content>(source_, at_, gzip, kChunkBytes);
    return true;
  }

  Result<bool> begins_at(std::uint64_t offset, bool gzip) const {
    Content content(source_, offset, gzip, kProbeBytes);
    MAGPIE_TRY_DO(content.want(8));
    return begins_record(content.available());
  }

  /// Damage where no content could be opened.
  Result<std::optional<WarcItem>> damage_here(std::string reason) {
    WarcItem item;
    item.record.offset = at_;
    item.damage = std::move(reason);
    MAGPIE_TRY_DO(go_on_behind(at_));
    return std::optional<WarcItem>(std::move(item));
  }

  /// After damage in the record at `offset`: the place its own length names, if a member begins there, else the next that reads.
  Result<void> go_on_behind(std::uint64_t offset) {
    content_.reset();
    MAGPIE_TRY(const std::string head, source_.read(offset, kOwnHeaderBytes));
    if (const std::uint64_t length = own_member_length(head); length >= kMemberBytesMin) {
      MAGPIE_TRY(const std::string follower, source_.read(offset + length, kGzipMagic.size()));
      if (follower == kGzipMagic) {
        at_ = offset + length;
        return {};
      }
    }
    MAGPIE_TRY(const std::optional<std::uint64_t> found, find_record(offset + 1));
    at_ = found.value_or(kNowhere);
    return {};
  }

 public:
  /// The whole member's length, if its header has our field; else 0.
  static std::uint64_t own_member_length(std::string_view head) {
    if (head.size() < kOwnHeaderBytes || !head.starts_with(kGzipMagic) || head[3] != 4 ||
        head.substr(10, 6) != std::string_view("\x08\0MG\x04\0", 6))
      return 0;
    std::uint32_t length = 0;
    std::memcpy(&length, head.data() + 16, sizeof length);
    return length;
  }

 private:
  /// Reads one record from content_, or says what is wrong in item.damage.
  Result<void> read_record(WarcItem& item) {
    WarcRecord& record = item.record;
    MAGPIE_TRY(const std::size_t header_bytes, want_header());
    item.damage = parse_header(content_->available().substr(0, header_bytes), record);
    if (!item.damage.empty()) {
      if (!content_->damage().empty()) item.damage = content_->damage();
      return {};
    }
    name_fields(record);
    const std::optional<std::uint64_t> length = content_length(record);
    if (!length) {
      item.damage = "Content-Length is missing or no number";
      return {};
    }
    content_->drop(header_bytes);
    if (*length > options_.block_bytes_max) return pass_over(item, *length);
    MAGPIE_TRY_DO(content_->want(*length));
    if (content_->available().size() < *length) {
      item.damage = content_->damage().empty() ? fmt::format("the block ends {} bytes early", *length - content_->available().size())
                                               : content_->damage();
      return {};
    }
    record.block.assign(content_->available().substr(0, *length));
    content_->drop(*length);
    MAGPIE_TRY_DO(close_record(item));
    if (!item.damage.empty()) return {};
    item.damage = digest_damage(record);
    passed_over_ = !item.damage.empty();  // the record's frame is whole, so the next one begins right behind it
    if (is_answer(record)) record.http_status = http_status_of(record.block);
    return {};
  }

  /// Bytes of the header block at the front of content_, as far as it goes within the limit.
  Result<std::size_t> want_header() {
    std::size_t size = 1024;
    while (true) {
      MAGPIE_TRY_DO(content_->want(size));
      const std::string_view have = content_->available().substr(0, kWarcHeaderBytesMax);
      const std::size_t end = http_header_end(have);
      if (end < have.size() || have.size() < size || size >= kWarcHeaderBytesMax) return end;
      size *= 4;
    }
  }

  /// The two line ends behind a block, and the end of its member.
  Result<void> close_record(WarcItem& item) {
    constexpr std::string_view kClose = "\r\n\r\n";
    MAGPIE_TRY_DO(content_->want(kClose.size()));
    if (!content_->available().starts_with(kClose)) {
      item.damage = content_->damage().empty() ? "no two line ends behind the block: its Content-Length is wrong, or it is cut short"
                                               : content_->damage();
      return {};
    }
    content_->drop(kClose.size());
    MAGPIE_TRY_DO(content_->want(1));
    if (!content_->damage().empty()) {
      item.damage = content_->damage();
      return {};
    }
    item.record.length = content_->file_offset() - item.record.offset;
    if (!content_->available().empty()) return {};
    at_ = content_->file_offset();
    content_.reset();
    return {};
  }

  Result<void> pass_over(WarcItem& item, std::uint64_t length) {
    MAGPIE_TRY_DO(content_->skip(length));
    WarcItem closing;
    closing.record.offset = item.record.offset;
    MAGPIE_TRY_DO(close_record(closing));
    item.too_large = passed_over_ = closing.damage.empty();
    item.damage = closing.damage.empty() ? fmt::format("a block of {} bytes is over the limit of {}", length, options_.block_bytes_max)
                                         : std::move(closing.damage);
    return {};
  }

  Source source_;
  WarcReaderOptions options_;
  std::uint64_t at_;                  // where the next member or record begins, while content_ is empty
  std::unique_ptr<Content> content_;  // under way
  Kind kind_ = Kind::kUnknown;        // of the file, told by its first record: a gzip body inside a plain file is no member
  bool passed_over_ = false;          // the damaged record was read past; no search is needed
};

WarcReader::WarcReader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WarcReader::WarcReader(WarcReader&&) noexcept = default;
WarcReader& WarcReader::operator=(WarcReader&&) noexcept = default;
WarcReader::~WarcReader() = default;

Result<WarcReader> WarcReader::open(const fs::path& path, const WarcReaderOptions& options) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(path.string());
  return WarcReader(std::make_unique<Impl>(Source(std::move(fd)), options));
}

WarcReader WarcReader::over(std::string_view bytes, const WarcReaderOptions& options) {
  return WarcReader(std::make_unique<Impl>(Source(bytes), options));
}

Result<std::optional<WarcItem>> WarcReader::next() { return impl_->next(); }

Result<WarcRecord> read_warc_record(int fd, std::uint64_t offset, std::uint64_t length) {
  if (length > kWarcBlockBytesMax + kWarcHeaderBytesMax) return fail(Code::kTooLarge, "a record of {} bytes is over the limit", length);
  MAGPIE_TRY(const std::string bytes, read_at(fd, offset, length));
  WarcReader reader = WarcReader::over(bytes);
  MAGPIE_TRY(std::optional<WarcItem> item, reader.next());
  if (!item) return fail(Code::kCorrupt, "no record at offset {}", offset);
  if (!item->damage.empty()) return fail(Code::kCorrupt, "the record at offset {}: {}", offset, item->damage);
  if (item->record.length != length)
    return fail(Code::kCorrupt, "the record at offset {} has {} bytes, not {}", offset, item->record.length, length);
  item->record.offset = offset;
  return std::move(item->record);
}

Result<WarcTail> find_warc_tail(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) return fail_errno("reading WARC");
  WarcTail tail;
  tail.file_bytes = static_cast<std::uint64_t>(info.st_size);
  const Source source(fd);
  WarcReader::Impl search{Source(fd), {}};
  search.expect_gzip();
  std::uint64_t at = 0;
  std::optional<std::uint64_t> last;  // the member before `at`, if it was only stepped over
  while (at < tail.file_bytes) {
    MAGPIE_TRY(const std::string head, source.read(at, kOwnHeaderBytes));
    std::uint64_t length = WarcReader::Impl::own_member_length(head);
    const bool stepped = length >= kMemberBytesMin && length <= tail.file_bytes - at;
    if (!stepped) {
      WarcReader::Impl reader(Source(fd), {.start = at});
      MAGPIE_TRY(const std::optional<WarcItem> item, reader.next());
      length = item && item->damage.empty() ? item->record.length : 0;
    }
    if (length == 0) {
      MAGPIE_TRY(const std::optional<std::uint64_t> found, search.find_record(at + 1));
      if (!found) break;
      tail.damaged = true;
      at = *found;
      last.reset();
      continue;
    }
    last = stepped ? std::optional(at) : std::nullopt;
    at += length;
  }
  if (last && !read_warc_record(fd, *last, at - *last)) at = *last;
  tail.valid_end = at;
  return tail;
}

}  // namespace magpie
