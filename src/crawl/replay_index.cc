#include "crawl/replay_index.h"

#include <fcntl.h>

#include <algorithm>
#include <tuple>

#include "base/hash.h"
#include "base/log.h"
#include "crawl/answer.h"
#include "net/content_coding.h"

namespace magpie::crawl {
namespace {

constexpr std::uint64_t kHeaderRoom = 1 << 20;
constexpr std::size_t kRecordsMax = UINT32_MAX - 1;

bool has_text(std::optional<std::string_view> field, std::string_view part) { return field && field->find(part) != std::string_view::npos; }

/// What a browser made of an answer, as Magpie keeps it: behind that answer's header lines. Others' conversions may be anything.
bool is_conversion(const WarcRecord& record) { return record.type == "conversion" && !record.http_header().empty(); }

/// Header lines for what was stored without any, as FTP clients and some recorders do.
std::string made_header(const WarcRecord& resource) {
  return resource.content_type.empty() ? "HTTP/1.1 200 OK\r\n\r\n"
                                       : fmt::format("HTTP/1.1 200 OK\r\nContent-Type: {}\r\n\r\n", resource.content_type);
}

std::string header_of(const WarcRecord& record) {
  return record.type == "resource" ? made_header(record) : std::string(record.http_header());
}

/// The status line's number; of a revisit without header lines that of what it repeats.
std::optional<int> status_of(const WarcRecord& record) {
  if (record.type == "resource") return 200;
  const std::string_view line = record.http_header();
  const std::size_t space = std::min(line.substr(0, 16).find(' '), line.size());
  int status = 0;
  for (const char c : line.substr(space).substr(0, 4)) {
    if (c >= '0' && c <= '9') status = status * 10 + (c - '0');
  }
  return status >= 100 && status <= 999 ? std::optional(status) : std::nullopt;
}

/// Whether an answer tells what its address holds: whole, and for good.
bool is_telling(const HttpResponse& answer) {
  if (answer.status < 200 || answer.status == 206 || answer.status == 304) return false;
  return !judge_answer(answer, Timestamp{}).passing;
}

/// Whether it is a page, by its type, or by its bytes where that says nothing.
bool is_page(HttpResponse answer, std::string_view stored_body, std::size_t body_bytes_max) {
  if (answer.status < 200 || answer.status >= 300) return false;
  if (const auto kind = kind_of_answer(answer, UrlKind::kPage)) return *kind == UrlKind::kPage;
  auto body = decode_stored_body(answer.headers, stored_body, body_bytes_max);
  if (!body) return false;
  answer.body = std::move(*body);
  return kind_of_answer(answer, UrlKind::kPage) == UrlKind::kPage;
}

}  // namespace

std::string words_of_damage(const ReplayCounts& counts) {
  std::string words;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) words += fmt::format("{}{} {}", words.empty() ? "" : "; ", count, what);
  };
  add(counts.damaged, counts.damaged == 1 ? "place does not read" : "places do not read");
  if (!counts.first_damage.empty()) words += fmt::format(" ({}{})", counts.damaged > 1 ? "the first: " : "", counts.first_damage);
  add(counts.too_large, "records are over the size limit (crawl.image_bytes_max)");
  add(counts.revisits_unmet, "revisit records refer to what is in none of the files");
  return words.empty() ? words : words + "; all else was replayed";
}

namespace {

Failure no_warc(const fs::path& path, const std::optional<std::string>& damage) {
  return fail(Code::kBadInput, "{} is no WARC file: {}", path.string(), damage.value_or("it is empty"));
}

}  // namespace

Result<void> check_is_warc(const fs::path& file) {
  MAGPIE_TRY(WarcReader reader, WarcReader::open(file));
  std::optional<std::string> damage;
  while (true) {
    auto item = reader.next();
    if (!item) return fail(item.error(), file.string());
    if (!*item) return no_warc(file, damage);
    if ((*item)->damage.empty()) return {};
    if (!damage) damage = (*item)->damage;
  }
}

// ---- building ----

/// Reads the files one after the other. Revisits wait for the end, as what they refer to may lie in any file.
class ReplayIndex::Builder {
 public:
  Builder(ReplayIndex& index, const ReplayOptions& options) : index_(index), options_(options) {}

  Result<void> run() {
    for (std::uint32_t file = 0; file < index_.files_.size(); ++file) MAGPIE_TRY_DO(read_file(file));
    std::sort(digests_.begin(), digests_.end());
    for (Revisit& revisit : revisits_) meet_by_digest(revisit);
    keep_best();
    const std::size_t known = index_.entries_.size();
    for (Revisit& revisit : revisits_) meet_by_address(revisit);
    for (Revisit& revisit : revisits_) MAGPIE_TRY_DO(add_revisit(revisit));
    if (index_.entries_.size() > known) keep_best();
    index_.counts_.addresses = index_.entries_.size();
    return {};
  }

 private:
  struct Revisit {
    std::string url;
    Entry entry;
    std::uint64_t digest = 0, refers_to = 0;
    std::optional<int> status;
    bool same_as_before = false;  // the server said 304: the address has what it had
    std::optional<Entry> payload;
  };

  Result<void> read_file(std::uint32_t file) {
    const fs::path& path = index_.files_[file];
    auto reader = WarcReader::open(path, {.block_bytes_max = options_.body_bytes_max + kHeaderRoom});
    if (!reader) return Failure(reader.error());
    std::uint64_t records = 0, behind = 0;
    std::optional<std::string> first_damage;
    while (true) {
      if (options_.stop.stop_requested()) return fail(Code::kCancelled, "stopped while reading {}", path.string());
      auto item = reader->next();
      if (!item) return fail(item.error(), path.string());
      if (!*item) break;
      WarcItem& one = **item;
      if (one.too_large) {
        ++index_.counts_.too_large;
      } else if (!one.damage.empty()) {
        note_damage(path, one);
        if (!first_damage) first_damage = one.damage;
        continue;
      } else {
        if (records > 0 && one.record.offset < behind)
          return fail(Code::kBadInput,
                      "{} has several records in one gzip member, so they cannot be read one by one; unpack it first: zcat {} > {}",
                      path.string(), path.filename().string(), path.stem().string());
        behind = one.record.offset + one.record.length;
        MAGPIE_TRY_DO(add(file, one.record));
      }
      ++records;
    }
    if (records == 0) return no_warc(path, first_damage);
    ++index_.counts_.files;
    index_.counts_.records += records;
    return {};
  }

  void note_damage(const fs::path& path, const WarcItem& item) {
    log::warn("replay.damaged", {{"path", path.string()}, {"offset", item.record.offset}, {"reason", item.damage}});
    ReplayCounts& counts = index_.counts_;
    if (++counts.damaged == 1)
      counts.first_damage = fmt::format("{} at offset {}: {}", path.filename().string(), item.record.offset, item.damage);
  }

  Result<void> add(std::uint32_t file, const WarcRecord& record) {
    const bool revisit = record.type == "revisit";
    if (!revisit && record.type != "response" && record.type != "resource" && !is_conversion(record)) return {};
    if (record.field("WARC-Segment-Number")) return {};  // a part of an answer
    const auto url = Url::parse(record.target_uri);
    if (!url || !url->is_http() || url->pathname() == "/robots.txt") return {};
    if (index_.entries_.size() + revisits_.size() >= kRecordsMax)
      return fail(Code::kTooLarge, "over {} records; replay fewer files at once", kRecordsMax);
    std::string name = index_.form_.of(*url).href();
    Entry entry;
    entry.signature = index_.signature_of(name);
    entry.offset = record.offset;
    entry.length = record.length;
    entry.file = file;
    entry.sequence = sequence_++;
    entry.rendered = is_conversion(record);
    if (const auto date = parse_warc_date(record.date)) entry.recorded_ms = date->time_since_epoch().count();
    return revisit ? remember(*url, std::move(name), entry, record) : add_answer(*url, std::move(name), entry, record);
  }

  Result<void> add_answer(const Url& url, std::string name, Entry entry, const WarcRecord& record) {
    HttpResponse answer{.url = url, .status = status_of(record).value_or(0), .headers = parse_header_block(header_of(record))};
    if (!is_telling(answer)) return {};
    entry.failed = answer.status >= 400;
    entry.page = is_page(std::move(answer), record.http_body(), options_.body_bytes_max);
    if (const auto digest = record.field("WARC-Payload-Digest"))
      digests_.push_back({signature64(*digest, index_.seed_), static_cast<std::uint32_t>(index_.entries_.size())});
    index_.entries_.push_back(entry);
    return entry.page && options_.on_page ? options_.on_page(std::move(name)) : Result<void>();
  }

  Result<void> remember(const Url& url, std::string name, const Entry& entry, const WarcRecord& record) {
    Revisit revisit{.url = std::move(name), .entry = entry};
    revisit.same_as_before = has_text(record.field("WARC-Profile"), "server-not-modified");
    revisit.status = status_of(record);
    const HttpResponse answer{.url = url, .status = revisit.status.value_or(304), .headers = parse_header_block(header_of(record))};
    if (answer.status != 304 && !is_telling(answer)) return {};
    if (const auto digest = record.field("WARC-Payload-Digest")) revisit.digest = signature64(*digest, index_.seed_);
    revisit.refers_to = entry.signature;
    if (const auto uri = record.field("WARC-Refers-To-Target-URI")) {
      if (const auto named = Url::parse(*uri)) revisit.refers_to = index_.signature_of(index_.form_.of(*named).href());
    }
    revisits_.push_back(std::move(revisit));
    return {};
  }

  void meet_by_digest(Revisit& revisit) {
    if (revisit.digest == 0 || revisit.same_as_before) return;
    const auto found = std::lower_bound(digests_.begin(), digests_.end(), Digest{revisit.digest, 0});
    if (found != digests_.end() && found->digest == revisit.digest) revisit.payload = index_.entries_[found->entry];
  }

  void meet_by_address(Revisit& revisit) {
    if (revisit.payload) return;
    if (const Entry* entry = index_.find_signature(revisit.refers_to)) revisit.payload = *entry;
  }

  Result<void> add_revisit(Revisit& revisit) {
    if (!revisit.payload) {
      ++index_.counts_.revisits_unmet;
      return {};
    }
    if (revisit.same_as_before && revisit.payload->signature == revisit.entry.signature) return {};
    Entry entry = revisit.entry;
    entry.page = revisit.payload->page;
    entry.failed = !revisit.same_as_before && revisit.status ? *revisit.status >= 400 : revisit.payload->failed;
    index_.payloads_.push_back({revisit.payload->offset, revisit.payload->length, revisit.payload->file});
    entry.payload = static_cast<std::uint32_t>(index_.payloads_.size());
    index_.entries_.push_back(entry);
    return entry.page && options_.on_page ? options_.on_page(std::move(revisit.url)) : Result<void>();
  }

  /// Sorts, and keeps of each address the answer that counts.
  void keep_best() {
    std::vector<Entry>& entries = index_.entries_;
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
      return std::tuple(a.signature, a.failed, -a.recorded_ms, ~a.sequence) <
             std::tuple(b.signature, b.failed, -b.recorded_ms, ~b.sequence);
    });
    const auto end = std::unique(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.signature == b.signature; });
    entries.erase(end, entries.end());
    entries.shrink_to_fit();
  }

  struct Digest {
    std::uint64_t digest = 0;
    std::uint32_t entry = 0;
    auto operator<=>(const Digest&) const = default;
  };

  ReplayIndex& index_;
  const ReplayOptions& options_;
  std::vector<Digest> digests_;
  std::vector<Revisit> revisits_;
  std::uint32_t sequence_ = 0;
};

Result<std::shared_ptr<const ReplayIndex>> ReplayIndex::build(std::vector<fs::path> files, const AddressForm& form,
                                                              const ReplayOptions& options) {
  std::shared_ptr<ReplayIndex> index(new ReplayIndex(form));
  index->files_ = std::move(files);
  index->seed_ = random_u64();
  MAGPIE_TRY_DO(Builder(*index, options).run());
  return std::shared_ptr<const ReplayIndex>(std::move(index));
}

// ---- reading ----

std::uint64_t ReplayIndex::signature_of(std::string_view url) const { return signature64(url, seed_); }

const ReplayIndex::Entry* ReplayIndex::find_signature(std::uint64_t signature) const {
  const auto found = std::lower_bound(entries_.begin(), entries_.end(), signature,
                                      [](const Entry& entry, std::uint64_t wanted) { return entry.signature < wanted; });
  return found != entries_.end() && found->signature == signature ? &*found : nullptr;
}

std::optional<Timestamp> ReplayIndex::recorded_at(std::string_view url) const {
  const Entry* entry = find(url);
  return entry ? std::optional(Timestamp(std::chrono::milliseconds(entry->recorded_ms))) : std::nullopt;
}

Result<WarcRecord> ReplayIndex::read_record(const Place& place) const {
  const fs::path& path = files_[place.file];
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return fail_errno(path.string());
  auto record = read_warc_record(fd.get(), place.offset, place.length);
  if (!record) return fail(record.error(), path.string());
  return record;
}

bool ReplayIndex::is_rendered(std::string_view url) const {
  const Entry* entry = find(url);
  return entry != nullptr && entry->rendered;
}

Result<ReplayedAnswer> ReplayIndex::read(std::string_view url, std::size_t body_bytes_max) const {
  const Entry* entry = find(url);
  if (!entry) return fail(Code::kNotFound, "{} is not in the archive", url);
  MAGPIE_TRY(const WarcRecord record, read_record({entry->offset, entry->length, entry->file}));
  const auto named = Url::parse(record.target_uri);
  if (!named || form_.of(*named).href() != url) return fail(Code::kNotFound, "{} is not in the archive", url);

  ReplayedAnswer answer;
  answer.fetched_at = Timestamp(std::chrono::milliseconds(entry->recorded_ms));
  answer.ip = record.field("WARC-IP-Address").value_or("");
  if (entry->payload == 0) {
    answer.header_block = header_of(record);
    answer.headers = parse_header_block(answer.header_block);
    MAGPIE_TRY(answer.body, decode_stored_body(answer.headers, record.http_body(), body_bytes_max));
    answer.status = status_of(record).value_or(0);
    return answer;
  }
  // The body is as its own headers say; all else is what the server said this time, if it was kept. A 304 names only what changed.
  MAGPIE_TRY(const WarcRecord payload, read_record(payloads_[entry->payload - 1]));
  const std::string stored_header = header_of(payload);
  MAGPIE_TRY(answer.body, decode_stored_body(parse_header_block(stored_header), payload.http_body(), body_bytes_max));
  const std::optional<int> status = status_of(record);
  const bool own_header = status && *status != 304;
  answer.header_block = own_header ? header_of(record) : stored_header;
  answer.headers = parse_header_block(answer.header_block);
  answer.status = own_header ? *status : status_of(payload).value_or(0);
  return answer;
}

}  // namespace magpie::crawl
