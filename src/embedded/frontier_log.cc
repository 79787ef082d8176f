#include "embedded/frontier_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"
#include "base/wire.h"
#include "core/frontier.h"
#include "embedded/frontier_bytes.h"
#include "embedded/frontier_upgrade.h"

namespace magpie {
namespace {

constexpr std::string_view kMagic = "MFL1";
// A record takes no more once it has this many bytes, so that with the longest URL it still keeps below kRecordBytesMax.
constexpr std::size_t kRecordFullBytes = std::size_t{1} << 16;
static_assert(kRecordFullBytes + Frontier::kUrlBytesMax + 64 < FrontierLog::kRecordBytesMax);

// The payload at the start of `bytes`; empty when it is cut short or its sum is wrong.
std::string_view payload_of(std::string_view bytes) {
  if (bytes.size() < FrontierLog::kRecordHeadBytes) return {};
  const auto size = read_fixed<std::uint32_t>(bytes);
  if (size == 0 || size > FrontierLog::kRecordBytesMax || size > bytes.size() - FrontierLog::kRecordHeadBytes) return {};
  const std::string_view payload = bytes.substr(FrontierLog::kRecordHeadBytes, size);
  return crc32c(payload) == read_fixed<std::uint32_t>(bytes, 4) ? payload : std::string_view();
}

// Whether the bytes look like one record that was still being written: nothing can stand behind it.
bool is_cut_short(std::string_view bytes) {
  if (bytes.size() > FrontierLog::kRecordHeadBytes + FrontierLog::kRecordBytesMax) return false;
  return bytes.size() < FrontierLog::kRecordHeadBytes || read_fixed<std::uint32_t>(bytes) >= bytes.size() - FrontierLog::kRecordHeadBytes;
}

}  // namespace

std::uint64_t frontier_signature(std::uint64_t seed, JobId job, std::string_view url) {
  // The golden ratio's bits spread job numbers over the seed. Others use 0 for "no lease".
  const std::uint64_t signature = signature64(url, seed + job * 0x9E3779B97F4A7C15u);
  return signature == 0 ? 1 : signature;
}

std::optional<FrontierEntry> read_entry(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  const auto first = static_cast<std::uint8_t>(bytes[0]);
  FrontierEntry entry{.kind = static_cast<UrlKind>(first & 0x0F), .priority = static_cast<std::uint8_t>(first >> 4)};
  WireReader in(bytes.substr(1));
  entry.depth = static_cast<std::uint16_t>(in.u64());
  entry.job = in.u64();
  entry.url = in.bytes();
  if (!in.ok() || entry.priority > kUrlPriorityLast || entry.url.size() > Frontier::kUrlBytesMax) return std::nullopt;
  entry.bytes = bytes.size() - in.rest().size();
  return entry;
}

Result<void> FrontierRecord::each_entry(const std::function<void(std::uint64_t offset, const FrontierEntry&)>& each) const {
  for (std::size_t at = 0; at < entries.size();) {
    const auto entry = read_entry(entries.substr(at));
    if (!entry) return fail(Code::kCorrupt, "a frontier record has a broken entry at offset {}", offset + at);
    each(offset + at, *entry);
    at += entry->bytes;
  }
  return {};
}

Result<void> FrontierRecord::each_mark(const std::function<void(const FrontierMark&)>& each) const {
  for (std::string_view rest = entries; !rest.empty();) {
    FrontierMark mark;
    if (rest.size() < sizeof mark.signature) return fail(Code::kCorrupt, "the frontier record at offset {} is cut short", offset);
    mark.signature = read_fixed<std::uint64_t>(rest);
    WireReader in(rest.substr(sizeof mark.signature));
    mark.offset = in.u64();
    if (type == FrontierRecordType::kEnd) mark.cause = static_cast<Cause>(in.u64());
    if (type == FrontierRecordType::kPutBack) {
      mark.not_before_ms = in.i64();
      mark.tries = static_cast<std::uint32_t>(in.u64());
    }
    if (!in.ok()) return fail(Code::kCorrupt, "the frontier record at offset {} is cut short", offset);
    each(mark);
    rest = in.rest();
  }
  return {};
}

void FrontierBatch::begin(FrontierRecordType type) {
  end_record();
  begin_ = bytes_.size();
  bytes_.append(FrontierLog::kRecordHeadBytes, '\0');
  bytes_ += static_cast<char>(type);
}

void FrontierBatch::end_record() {
  if (!begin_) return;
  const std::string_view payload = std::string_view(bytes_).substr(*begin_ + FrontierLog::kRecordHeadBytes);
  const auto size = static_cast<std::uint32_t>(payload.size());
  const std::uint32_t sum = crc32c(payload);
  std::memcpy(&bytes_[*begin_], &size, sizeof size);
  std::memcpy(&bytes_[*begin_ + sizeof size], &sum, sizeof sum);
  begin_.reset();
}

std::size_t FrontierBatch::entry(const UrlRecord& url) {
  const std::size_t at = bytes_.size();
  const unsigned priority = std::min(url.priority, kUrlPriorityLast);
  bytes_ += static_cast<char>(static_cast<unsigned>(url.kind) | priority << 4);
  append_wire_u64(bytes_, url.depth);
  append_wire_u64(bytes_, url.job);
  append_wire_u64(bytes_, url.url.size());
  bytes_ += url.url;
  return at;
}

void FrontierBatch::mark(const FrontierMark& mark) {
  const auto type = static_cast<FrontierRecordType>(bytes_[*begin_ + FrontierLog::kRecordHeadBytes]);
  append_fixed(bytes_, mark.signature);
  append_wire_u64(bytes_, mark.offset);
  if (type == FrontierRecordType::kEnd) append_wire_u64(bytes_, static_cast<std::uint8_t>(mark.cause));
  if (type != FrontierRecordType::kPutBack) return;
  WireWriter rest;
  rest.i64(mark.not_before_ms);
  rest.u64(mark.tries);
  bytes_ += rest.text();
}

bool FrontierBatch::has_room() const { return bytes_.size() - *begin_ < kRecordFullBytes; }

const std::string& FrontierBatch::finish() {
  end_record();
  return bytes_;
}

FrontierMapping::FrontierMapping(int fd, std::size_t size) : size_(size) {
  if (size == 0) return;
  bytes_ = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (bytes_ != MAP_FAILED) madvise(bytes_, size, MADV_SEQUENTIAL);
}
FrontierMapping::FrontierMapping(FrontierMapping&& other) noexcept
    : bytes_(std::exchange(other.bytes_, nullptr)), size_(std::exchange(other.size_, 0)) {}
FrontierMapping::~FrontierMapping() {
  if (size_ != 0 && ok()) munmap(bytes_, size_);
}
bool FrontierMapping::ok() const { return bytes_ != MAP_FAILED; }

std::string frontier_log_header(std::uint32_t version, std::uint64_t seed) {
  std::string header(kMagic);
  append_fixed(header, version);
  append_fixed(header, seed);
  append_fixed(header, crc32c(header));
  return header;
}

Result<FrontierLog> FrontierLog::open(const fs::path& folder) {
  MAGPIE_TRY_DO(make_folder(folder));
  const fs::path path = folder / "log.mfl";
  MAGPIE_TRY(FrontierLog log, open_and_lock(path));
  MAGPIE_TRY(const std::uint32_t version, log.read_header());
  if (version == kVersion) return log;
  MAGPIE_TRY_DO(upgrade_frontier_log(log.fd(), log.seed(), path));
  MAGPIE_TRY(FrontierLog upgraded, open_and_lock(path));
  MAGPIE_TRY_DO(upgraded.read_header());
  return upgraded;
}

Result<FrontierLog> FrontierLog::open_and_lock(const fs::path& path) {
  FrontierLog log;
  log.path_ = path;
  log.fd_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log.fd_) return fail_errno(path.string());
  if (flock(log.fd_.get(), LOCK_EX | LOCK_NB) != 0) return fail(Code::kBusy, "another process has the frontier {} open", path.string());
  return log;
}

Result<void> FrontierLog::make_header() {
  if (ftruncate(fd_.get(), 0) != 0) return fail_errno("frontier log");
  seed_ = random_u64();
  MAGPIE_TRY_DO(write_all(fd_.get(), frontier_log_header(kVersion, seed_)));
  end_ = kHeaderBytes;
  return sync();
}

// The file's version; sets where it ends. A file that is new, or whose maker was killed, gets its header.
Result<std::uint32_t> FrontierLog::read_header() {
  struct stat info {};
  if (fstat(fd_.get(), &info) != 0) return fail_errno(path_.string());
  end_ = static_cast<std::uint64_t>(info.st_size);
  MAGPIE_TRY(const std::string bytes, read_at(fd_.get(), 0, std::min<std::size_t>(end_, kHeaderBytes)));
  if (bytes.size() < kHeaderBytes && kMagic.starts_with(std::string_view(bytes).substr(0, kMagic.size()))) {
    MAGPIE_TRY_DO(make_header());
    return kVersion;
  }
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic) ||
      crc32c(std::string_view(bytes).substr(0, 16)) != read_fixed<std::uint32_t>(bytes, 16)) {
    return fail(Code::kCorrupt, "{} is no frontier log; move it away to start anew", path_.string());
  }
  const auto version = read_fixed<std::uint32_t>(bytes, 4);
  if (version == 0 || version > kVersion) {
    return fail(Code::kCorrupt, "{} has version {}, this program reads up to {}; use the newer program that wrote it", path_.string(),
                version, kVersion);
  }
  seed_ = read_fixed<std::uint64_t>(bytes, 8);
  return version;
}

std::uint64_t FrontierLog::scan(std::string_view log, std::uint64_t from, const std::function<Result<void>(const FrontierRecord&)>& each) {
  std::uint64_t at = from;
  while (at < log.size()) {
    const std::string_view payload = payload_of(log.substr(at));
    if (payload.empty()) break;
    const FrontierRecord record{static_cast<FrontierRecordType>(payload[0]), at + kRecordHeadBytes + 1, payload.substr(1)};
    if (record.type < FrontierRecordType::kAdd || record.type > FrontierRecordType::kRevisit || !each(record)) break;
    at += kRecordHeadBytes + payload.size();
  }
  return at;
}

Result<void> FrontierLog::cut(std::string_view log, std::uint64_t good) {
  end_ = good;
  const std::string_view bad = log.substr(good);
  if (bad.empty()) return {};
  if (!is_cut_short(bad)) {
    const fs::path aside = path_.string() + ".damaged";
    MAGPIE_TRY_DO(write_file_atomic(aside, bad));
    log::error("frontier.damaged", {{"file", path_.string()}, {"offset", good}, {"lost_bytes", bad.size()}, {"kept_in", aside.string()}});
  } else {
    log::warn("frontier.torn_tail", {{"file", path_.string()}, {"offset", good}, {"cut_bytes", bad.size()}});
  }
  if (ftruncate(fd_.get(), static_cast<off_t>(good)) != 0) return fail_errno("cutting the torn tail of " + path_.string());
  return {};
}

Result<std::uint64_t> FrontierLog::append(FrontierBatch& batch) {
  const std::string& bytes = batch.finish();
  const auto written = write_all(fd_.get(), bytes);
  if (!written) {
    // Whatever part got there goes, so that later records do not stand behind a broken one.
    if (ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0) log::error("frontier.cannot_truncate", {{"offset", end_}});
    return fail(written.error(), "writing the frontier log");
  }
  const std::uint64_t begin = end_;
  end_ += bytes.size();
  return begin;
}

Result<FrontierEntry> FrontierLog::read(std::uint64_t offset, std::string& storage) const {
  constexpr std::size_t kFirstBytes = 512;  // one read is enough for nearly every URL
  for (std::size_t bytes = kFirstBytes;; bytes = Frontier::kUrlBytesMax + 64) {
    storage.resize(bytes);
    const ssize_t got = pread(fd_.get(), storage.data(), bytes, static_cast<off_t>(offset));
    if (got < 0) return fail_errno("reading the frontier log");
    const auto entry = read_entry(std::string_view(storage).substr(0, static_cast<std::size_t>(got)));
    if (entry) return *entry;
    if (bytes > kFirstBytes) return fail(Code::kCorrupt, "{} is damaged at offset {}", path_.string(), offset);
  }
}

Result<FrontierMapping> FrontierLog::map() const {
  FrontierMapping mapping(fd_.get(), end_);
  if (!mapping.ok()) return fail_errno("mapping " + path_.string());
  return mapping;
}

Result<void> FrontierLog::sync() const {
  if (fdatasync(fd_.get()) != 0) return fail_errno("syncing the frontier log");
  return {};
}

}  // namespace magpie
