#include "embedded/archive.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <map>

#include "base/guarded.h"
#include "base/log.h"
#include "store/warc.h"

namespace magpie {
namespace {

constexpr std::uint64_t kBodyBytesMax = std::uint64_t{1} << 30;
constexpr int kQuickLevel = 1;  // HTML at level 1 takes a third of level 6's time for a tenth more bytes
constexpr std::string_view kPrefix = "magpie-", kSuffix = ".warc.gz";

fs::path file_path(const fs::path& folder, std::uint32_t file) { return folder / fmt::format("{}{:06}{}", kPrefix, file, kSuffix); }

std::optional<std::uint32_t> file_number(const std::string& name) {
  if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) return std::nullopt;
  const std::string_view digits = std::string_view(name).substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size() || number == 0) return std::nullopt;
  return number;
}

struct Files {
  std::uint32_t last = 0;
  std::uint64_t bytes = 0;
};

Result<Files> list_files(const fs::path& folder) {
  Files files;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::optional<std::uint32_t> number = file_number(entry->path().filename().string());
    if (!number) continue;
    std::error_code gone;
    const std::uintmax_t size = fs::file_size(entry->path(), gone);
    files.last = std::max(files.last, *number);
    if (!gone) files.bytes += size;
  }
  if (error) return fail(Code::kUnavailable, "{}: {}", folder.string(), error.message());
  return files;
}

/// Pictures, archives and films are compressed already: deflating them again costs time and gains nothing.
bool is_compressed(std::string_view body) {
  using namespace std::string_view_literals;
  for (const std::string_view magic : {"\xff\xd8\xff"sv, "\x89PNG"sv, "GIF8"sv, "PK\x03\x04"sv, "\x1f\x8b"sv}) {
    if (body.starts_with(magic)) return true;
  }
  if (body.size() < 12) return false;
  return (body.starts_with("RIFF") && body.substr(8, 4) == "WEBP") || body.substr(4, 4) == "ftyp";
}

bool is_answer(const WarcRecord& record) { return record.type == "response" || record.type == "conversion"; }

ArchivedResponse response_of(WarcRecord record) {
  ArchivedResponse response;
  response.url = std::move(record.target_uri);
  response.status = record.http_status.value_or(0);
  response.header_block = record.http_header();
  response.body = record.http_body();
  if (const auto date = parse_warc_date(record.date)) response.fetched_at = *date;
  return response;
}

class WarcArchive final : public Archive {
 public:
  WarcArchive(fs::path folder, const ArchiveOptions& options) : folder_(std::move(folder)), options_(options) {}

  Result<void> start() {
    if (!options_.read_only) MAGPIE_TRY_DO(make_folder(folder_));
    MAGPIE_TRY(const Files files, list_files(folder_));
    if (options_.read_only || files.last == 0) {
      bytes_ = files.bytes;
      file_ = files.last;
      return {};
    }
    return repair(files);
  }

  Result<ArchivePlace> append(const Exchange& exchange) override {
    if (options_.read_only) return fail(Code::kForbidden, "archive {} is open for reading only", folder_.string());
    if (exchange.status < 100 || exchange.status > 999)
      return fail(Code::kBadInput, "{} is no HTTP status ({})", exchange.status, exchange.url);
    if (exchange.body.size() > kBodyBytesMax)
      return fail(Code::kTooLarge, "{} has a body of {} bytes, over {}", exchange.url, exchange.body.size(), kBodyBytesMax);
    if (!out_ || size_ >= options_.file_bytes_max) MAGPIE_TRY_DO(begin_file(exchange.fetched_at));
    const std::string made = exchange.header_block.empty() ? fmt::format("HTTP/1.1 {}\r\n\r\n", exchange.status) : std::string();
    std::string block = decoded_header_block(made.empty() ? exchange.header_block : made, exchange.body.size());
    block += exchange.body;
    const std::string date = warc_date(exchange.fetched_at);
    return write_record({.type = exchange.rendered ? WarcType::kConversion : WarcType::kResponse,
                         .target_uri = exchange.url,
                         .date = date,
                         .warcinfo_id = warcinfo_id_,
                         .ip = exchange.ip,
                         .block = block},
                        is_compressed(exchange.body) ? 0 : kQuickLevel);
  }

  Result<void> sync() override {
    if (out_ && ::fdatasync(out_.get()) != 0) return fail_errno(file_path(folder_, file_).string());
    return {};
  }

  Result<ArchivedResponse> read(const ArchivePlace& place) const override {
    MAGPIE_TRY(const std::shared_ptr<const UniqueFd> fd, open_file(place.file));
    auto record = read_warc_record(fd->get(), place.offset, place.length);
    if (!record) return fail(record.error(), file_path(folder_, place.file).string());
    if (!is_answer(*record))
      return fail(Code::kCorrupt, "a {} record lies at {} of archive file {}", record->type, place.offset, place.file);
    return response_of(std::move(*record));
  }

  Result<std::shared_ptr<const UniqueFd>> open_file(std::uint32_t file) const override {
    if (file == 0) return fail(Code::kNotFound, "the place is nowhere");
    return open_.with([&](auto& open) -> Result<std::shared_ptr<const UniqueFd>> {
      if (const auto known = open.find(file); known != open.end()) return known->second;
      const fs::path path = file_path(folder_, file);
      UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
      if (!fd) return fail_errno(path.string());
      if (open.size() >= kOpenFilesMax) open.erase(open.begin());
      return open.emplace(file, std::make_shared<const UniqueFd>(std::move(fd))).first->second;
    });
  }

  Result<void> each(const std::function<Result<void>(const ArchivePlace&, ArchivedResponse)>& visit) const override {
    MAGPIE_TRY(const Files files, list_files(folder_));
    for (std::uint32_t file = 1; file <= files.last; ++file) {
      auto reader = WarcReader::open(file_path(folder_, file));
      if (!reader && reader.error().code == Code::kNotFound) continue;
      if (!reader) return Failure(reader.error());
      MAGPIE_TRY_DO(each_of(file, *reader, visit));
    }
    return {};
  }

  Result<RewriteCounts> rewrite(const RecordJudge& judge, FileMoves* moves) override {
    if (moves && options_.read_only) return fail(Code::kForbidden, "archive {} is open for reading only", folder_.string());
    if (moves) MAGPIE_TRY_DO(sync());
    MAGPIE_TRY(const Files files, list_files(folder_));
    RewriteCounts counts;
    for (std::uint32_t file = 1; file <= files.last; ++file) {
      auto reader = WarcReader::open(file_path(folder_, file));
      if (!reader && reader.error().code == Code::kNotFound) continue;
      if (!reader) return Failure(reader.error());
      MAGPIE_TRY(const std::vector<JudgedRecord> records, judge_file(*reader, judge, counts));
      const bool same = std::all_of(records.begin(), records.end(), [](const auto& one) { return one.fate == RecordFate::kKeep; });
      if (same) continue;
      ++counts.files;
      if (moves) MAGPIE_TRY_DO(rewrite_file(file, records, judge, *moves));
    }
    return counts;
  }

  Result<void> remove_file(std::uint32_t file) override {
    open_.with([&](auto& open) { open.erase(file); });
    if (file == file_) out_.reset();  // what comes next begins a file
    const fs::path path = file_path(folder_, file);
    std::error_code error;
    const std::uintmax_t size = fs::file_size(path, error);
    if (error) return {};
    if (::unlink(path.c_str()) != 0) return fail_errno(path.string());
    bytes_ -= size;
    sync_folder();
    return {};
  }

  std::uint64_t bytes() const override { return bytes_; }

 private:
  static constexpr std::size_t kOpenFilesMax = 256;

  struct JudgedRecord {
    std::uint64_t offset = 0, length = 0;
    RecordFate fate = RecordFate::kKeep;
  };

  static Result<std::vector<JudgedRecord>> judge_file(WarcReader& reader, const RecordJudge& judge, RewriteCounts& counts) {
    std::vector<JudgedRecord> records;
    bool any = false;
    while (true) {
      MAGPIE_TRY(std::optional<WarcItem> item, reader.next());
      if (!item) break;
      WarcRecord& record = item->record;
      JudgedRecord judged{.offset = record.offset, .length = record.length};
      ++counts.looked_at;
      if (!item->damage.empty()) {
        judged.length = 0;  // not known; decided below
      } else if (is_answer(record)) {
        std::string header(record.http_header()), body(record.http_body());
        judged.fate = judge(record.target_uri, header, body);
        counts.removed += judged.fate == RecordFate::kDrop ? 1 : 0;
        counts.bytes_removed += judged.fate == RecordFate::kDrop ? record.length : 0;
        counts.changed += judged.fate == RecordFate::kChange ? 1 : 0;
      }
      any = any || judged.fate != RecordFate::kKeep;
      records.push_back(std::move(judged));
    }
    std::erase_if(records, [&](const JudgedRecord& one) { return one.length == 0 && any; });
    return records;
  }

  /// The record as `judge` changes it, else as it was.
  static Result<std::string> changed_member(const WarcRecord& record, const RecordJudge& judge) {
    std::string header(record.http_header()), body(record.http_body());
    judge(record.target_uri, header, body);
    const std::string block = header + body;
    MAGPIE_TRY(const std::string bytes,
               encode_warc_record({.type = record.type == "conversion" ? WarcType::kConversion : WarcType::kResponse,
                                   .target_uri = record.target_uri,
                                   .date = record.date,
                                   .record_id = record.record_id,
                                   .warcinfo_id = record.field("WARC-Warcinfo-ID").value_or(""),
                                   .ip = record.field("WARC-IP-Address").value_or(""),
                                   .block = block}));
    return gzip_member(bytes, is_compressed(body) ? 0 : kQuickLevel);
  }

  // Written aside and renamed, so that a file with a number is always whole; the old one goes when nobody refers to it any more.
  Result<void> rewrite_file(std::uint32_t file, const std::vector<JudgedRecord>& records, const RecordJudge& judge, FileMoves& moves) {
    MAGPIE_TRY(const Files files, list_files(folder_));
    const std::uint32_t fresh = std::max(files.last, file_) + 1;
    MAGPIE_TRY_DO(moves.begins(file, fresh));
    const fs::path path = file_path(folder_, fresh), aside = path.string() + ".new";
    MAGPIE_TRY(const std::vector<MovedPlace> places, copy_records(file, fresh, records, judge, aside));
    if (::rename(aside.c_str(), path.c_str()) != 0) return fail_errno(path.string());
    sync_folder();
    std::error_code ignored;
    bytes_ += fs::file_size(path, ignored);
    out_.reset();
    file_ = fresh;  // also if this fails: until somebody says which of the two goes, nothing is added to the new one
    MAGPIE_TRY_DO(moves.moved(file, fresh, places));
    return remove_file(file);
  }

  Result<std::vector<MovedPlace>> copy_records(std::uint32_t from, std::uint32_t to, const std::vector<JudgedRecord>& records,
                                               const RecordJudge& judge, const fs::path& path) const {
    const UniqueFd in(::open(file_path(folder_, from).c_str(), O_RDONLY | O_CLOEXEC));
    if (!in) return fail_errno(file_path(folder_, from).string());
    const UniqueFd out(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!out) return fail_errno(path.string());
    std::vector<MovedPlace> places;
    std::uint64_t at = 0;
    for (const JudgedRecord& record : records) {
      if (record.fate == RecordFate::kDrop) continue;
      std::string bytes;
      if (record.fate == RecordFate::kKeep) {
        MAGPIE_TRY(bytes, read_at(in.get(), record.offset, record.length));
      } else {
        MAGPIE_TRY(const WarcRecord read, read_warc_record(in.get(), record.offset, record.length));
        MAGPIE_TRY(bytes, changed_member(read, judge));
      }
      MAGPIE_TRY_DO(write_all(out.get(), bytes));
      places.push_back({{from, record.offset, record.length}, {to, at, bytes.size()}});
      at += bytes.size();
    }
    if (::fdatasync(out.get()) != 0) return fail_errno(path.string());
    return places;
  }

  void sync_folder() const {
    const UniqueFd parent(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (parent) ::fsync(parent.get());
  }

  static Result<void> each_of(std::uint32_t file, WarcReader& reader,
                              const std::function<Result<void>(const ArchivePlace&, ArchivedResponse)>& visit) {
    while (true) {
      MAGPIE_TRY(std::optional<WarcItem> item, reader.next());
      if (!item) return {};
      const ArchivePlace place{file, item->record.offset, item->record.length};
      if (!item->damage.empty()) log::warn("archive.damaged", {{"file", file}, {"offset", place.offset}, {"reason", item->damage}});
      else if (is_answer(item->record)) MAGPIE_TRY_DO(visit(place, response_of(std::move(item->record))));
    }
  }

  /// Cuts off what a crash left half written, and goes on in the same file.
  Result<void> repair(const Files& files) {
    const fs::path path = file_path(folder_, files.last);
    UniqueFd fd(::open(path.c_str(), O_RDWR | O_CLOEXEC));
    if (!fd) return fail_errno(path.string());
    MAGPIE_TRY(const WarcTail tail, find_warc_tail(fd.get()));
    if (tail.damaged) log::warn("archive.damaged", {{"path", path.string()}, {"next", "magpie inspect warc names the places"}});
    if (tail.valid_end < tail.file_bytes) {
      if (::ftruncate(fd.get(), static_cast<off_t>(tail.valid_end)) != 0) return fail_errno(path.string());
      log::warn("archive.repaired", {{"path", path.string()}, {"cut_bytes", tail.file_bytes - tail.valid_end}});
    }
    if (::lseek(fd.get(), static_cast<off_t>(tail.valid_end), SEEK_SET) < 0) return fail_errno(path.string());
    bytes_ = files.bytes - (tail.file_bytes - tail.valid_end);
    file_ = files.last;
    size_ = tail.valid_end;
    if (size_ == 0) {  // not even its warcinfo was whole: begin it again
      --file_;
      return {};
    }
    MAGPIE_TRY(warcinfo_id_, read_warcinfo_id(path));
    out_ = std::move(fd);
    return {};
  }

  static Result<std::string> read_warcinfo_id(const fs::path& path) {
    MAGPIE_TRY(WarcReader reader, WarcReader::open(path));
    MAGPIE_TRY(const std::optional<WarcItem> item, reader.next());
    return item && item->record.type == "warcinfo" ? item->record.record_id : std::string();
  }

  Result<void> begin_file(Timestamp now) {
    MAGPIE_TRY_DO(sync());
    const fs::path path = file_path(folder_, file_ + 1);
    UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!fd) return fail_errno(path.string());
    sync_folder();  // its entry must be as durable as what sync() will promise about the file
    out_ = std::move(fd);
    ++file_;
    size_ = 0;
    warcinfo_id_ = new_warc_record_id();
    const std::string block = fmt::format(
        "software: {}\r\nformat: WARC File Format 1.1\r\nconformsTo: "
        "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n",
        options_.software);
    const std::string date = warc_date(now);
    MAGPIE_TRY_DO(write_record({.type = WarcType::kWarcinfo, .date = date, .record_id = warcinfo_id_, .block = block}, kQuickLevel));
    return {};
  }

  Result<ArchivePlace> write_record(const WarcFields& fields, int level) {
    MAGPIE_TRY(const std::string record, encode_warc_record(fields));
    MAGPIE_TRY(const std::string member, gzip_member(record, level));
    if (auto done = write_all(out_.get(), member); !done) {
      // Half a record must not stay in the middle of the file.
      if (::ftruncate(out_.get(), static_cast<off_t>(size_)) == 0) ::lseek(out_.get(), static_cast<off_t>(size_), SEEK_SET);
      return fail(done.error(), file_path(folder_, file_).string());
    }
    const ArchivePlace place{file_, size_, member.size()};
    size_ += member.size();
    bytes_ += member.size();
    return place;
  }

  const fs::path folder_;
  const ArchiveOptions options_;
  // Of the writing thread.
  UniqueFd out_;
  std::uint32_t file_ = 0;  // the file under way, or the last one
  std::uint64_t size_ = 0;  // of that file
  std::string warcinfo_id_;
  // Shared.
  std::atomic<std::uint64_t> bytes_{0};
  mutable Guarded<std::map<std::uint32_t, std::shared_ptr<const UniqueFd>>> open_;
};

}  // namespace

Result<std::unique_ptr<Archive>> open_archive(const fs::path& folder, const ArchiveOptions& options) {
  auto archive = std::make_unique<WarcArchive>(folder, options);
  MAGPIE_TRY_DO(archive->start());
  return std::unique_ptr<Archive>(std::move(archive));
}

}  // namespace magpie
