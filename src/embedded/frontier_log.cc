#include "embedded/frontier_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cstring>

#include "base/hash.h"
#include "base/log.h"
#include "base/wire.h"
#include "core/frontier.h"

namespace magpie {
namespace {

static_assert(std::endian::native == std::endian::little, "the log is little-endian and written as it lies in memory");

constexpr std::string_view kMagic = "MFL1";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 20;
constexpr std::size_t kRecordHeadBytes = 8;
constexpr std::size_t kPayloadBytesMax = Frontier::kUrlBytesMax + 1'024;

template <class Integer>
void append_fixed(std::string& out, Integer value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

template <class Integer>
Integer read_fixed(std::string_view bytes, std::size_t at = 0) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The file's bytes while the object lives. Only this process writes to the file, so it cannot shrink underneath.
class Mapping {
 public:
  Mapping(int fd, std::size_t size) : size_(size) {
    if (size == 0) return;
    bytes_ = mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes_ != MAP_FAILED) madvise(bytes_, size, MADV_SEQUENTIAL);
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (size_ != 0 && bytes_ != MAP_FAILED) munmap(bytes_, size_);
  }
  bool ok() const { return bytes_ != MAP_FAILED; }
  std::string_view bytes() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  void* bytes_ = nullptr;
  std::size_t size_;
};

// The payload at the start of `bytes`; empty when it is cut short or its sum is wrong.
std::string_view payload_of(std::string_view bytes) {
  if (bytes.size() < kRecordHeadBytes) return {};
  const auto size = read_fixed<std::uint32_t>(bytes);
  if (size == 0 || size > kPayloadBytesMax || size > bytes.size() - kRecordHeadBytes) return {};
  const std::string_view payload = bytes.substr(kRecordHeadBytes, size);
  return crc32c(payload) == read_fixed<std::uint32_t>(bytes, 4) ? payload : std::string_view();
}

Result<FrontierRecord> decode(std::string_view payload) {
  FrontierRecord record;
  record.type = static_cast<FrontierRecordType>(payload.front());
  payload.remove_prefix(1);
  if (record.type != FrontierRecordType::kAdd) {
    if (payload.size() < sizeof record.signature) return fail(Code::kCorrupt, "a frontier record is cut short");
    record.signature = read_fixed<std::uint64_t>(payload);
    payload.remove_prefix(sizeof record.signature);
  }
  WireReader in(payload);
  switch (record.type) {
    case FrontierRecordType::kAdd:
      record.kind = static_cast<UrlKind>(in.u64());
      record.depth = static_cast<std::uint16_t>(in.u64());
      record.job = in.u64();
      record.url = in.bytes();
      break;
    case FrontierRecordType::kAcknowledge: record.cause = static_cast<Cause>(in.u64()); break;
    case FrontierRecordType::kPutBack:
      record.not_before_ms = in.i64();
      record.tries = static_cast<std::uint32_t>(in.u64());
      break;
    case FrontierRecordType::kRetry: break;
    default: return fail(Code::kCorrupt, "a frontier record has the unknown type {}", static_cast<int>(record.type));
  }
  MAGPIE_TRY_DO(in.finish());
  return record;
}

// Calls `each` up to the first bad record; returns the offset behind the last good one.
std::uint64_t each_record(std::string_view file, const std::function<void(std::uint64_t, const FrontierRecord&)>& each) {
  std::uint64_t at = kHeaderBytes;
  while (at < file.size()) {
    const std::string_view payload = payload_of(file.substr(at));
    if (payload.empty()) break;
    const auto record = decode(payload);
    if (!record) break;
    each(at, *record);
    at += kRecordHeadBytes + payload.size();
  }
  return at;
}

std::string signed_payload(FrontierRecordType type, std::uint64_t signature, const std::string& rest) {
  std::string payload(1, static_cast<char>(type));
  append_fixed(payload, signature);
  return payload + rest;
}

}  // namespace

void FrontierBatch::append(std::string_view payload) {
  append_fixed(bytes_, static_cast<std::uint32_t>(payload.size()));
  append_fixed(bytes_, crc32c(payload));
  bytes_ += payload;
}

std::size_t FrontierBatch::add(const UrlRecord& url) {
  const std::size_t at = bytes_.size();
  WireWriter out;
  out.u64(static_cast<std::uint8_t>(FrontierRecordType::kAdd));  // under 0x80, so one byte as drawn
  out.u64(static_cast<std::uint8_t>(url.kind));
  out.u64(url.depth);
  out.u64(url.job);
  out.bytes(url.url);
  append(out.text());
  return at;
}

void FrontierBatch::acknowledge(std::uint64_t signature, Cause cause) {
  WireWriter out;
  out.u64(static_cast<std::uint8_t>(cause));
  append(signed_payload(FrontierRecordType::kAcknowledge, signature, out.text()));
}

void FrontierBatch::put_back(std::uint64_t signature, std::int64_t not_before_ms, std::uint32_t tries) {
  WireWriter out;
  out.i64(not_before_ms);
  out.u64(tries);
  append(signed_payload(FrontierRecordType::kPutBack, signature, out.text()));
}

void FrontierBatch::retry(std::uint64_t signature) { append(signed_payload(FrontierRecordType::kRetry, signature, "")); }

Result<FrontierLog> FrontierLog::open(const fs::path& folder,
                                      const std::function<void(std::uint64_t seed, const FrontierRecord&)>& replay) {
  MAGPIE_TRY_DO(make_folder(folder));
  const fs::path path = folder / "log.mfl";
  FrontierLog log;
  log.fd_ = UniqueFd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  if (!log.fd_) return fail_errno(path.string());
  if (flock(log.fd_.get(), LOCK_EX | LOCK_NB) != 0) return fail(Code::kBusy, "another process has the frontier {} open", path.string());

  struct stat info {};
  if (fstat(log.fd_.get(), &info) != 0) return fail_errno(path.string());
  const auto size = static_cast<std::size_t>(info.st_size);
  const Mapping mapping(log.fd_.get(), size);
  if (!mapping.ok()) return fail_errno("mapping " + path.string());
  if (size < kHeaderBytes && kMagic.starts_with(mapping.bytes().substr(0, kMagic.size()))) {  // new, or killed while it was made
    MAGPIE_TRY_DO(log.make_header());
    return log;
  }
  MAGPIE_TRY_DO(log.check_header(mapping.bytes(), path));
  const std::uint64_t good = each_record(mapping.bytes(), [&](std::uint64_t, const FrontierRecord& record) { replay(log.seed_, record); });
  MAGPIE_TRY_DO(log.cut_tail(path, mapping.bytes(), good));
  return log;
}

Result<void> FrontierLog::make_header() {
  if (ftruncate(fd_.get(), 0) != 0) return fail_errno("frontier log");
  seed_ = random_u64();
  std::string header(kMagic);
  append_fixed(header, kVersion);
  append_fixed(header, seed_);
  append_fixed(header, crc32c(header));
  MAGPIE_TRY_DO(write_all(fd_.get(), header));
  end_ = header.size();
  return sync();
}

Result<void> FrontierLog::check_header(std::string_view bytes, const fs::path& path) {
  if (bytes.size() < kHeaderBytes || !bytes.starts_with(kMagic) || crc32c(bytes.substr(0, 16)) != read_fixed<std::uint32_t>(bytes, 16)) {
    return fail(Code::kCorrupt, "{} is no frontier log; move it away to start anew", path.string());
  }
  if (const auto version = read_fixed<std::uint32_t>(bytes, 4); version != kVersion) {
    return fail(Code::kCorrupt, "{} has version {}, this program reads {}", path.string(), version, kVersion);
  }
  seed_ = read_fixed<std::uint64_t>(bytes, 8);
  return {};
}

Result<void> FrontierLog::cut_tail(const fs::path& path, std::string_view bytes, std::uint64_t good) {
  end_ = good;
  if (good == bytes.size()) return {};
  const std::size_t lost = bytes.size() - good;
  if (lost > kRecordHeadBytes + kPayloadBytesMax) {
    const fs::path aside = path.string() + ".damaged";
    MAGPIE_TRY_DO(write_file_atomic(aside, bytes.substr(good)));
    log::error("frontier.damaged", {{"file", path.string()}, {"offset", good}, {"lost_bytes", lost}, {"kept_in", aside.string()}});
  } else {
    log::warn("frontier.torn_tail", {{"file", path.string()}, {"offset", good}, {"cut_bytes", lost}});
  }
  if (ftruncate(fd_.get(), static_cast<off_t>(good)) != 0) return fail_errno("cutting the torn tail of " + path.string());
  return {};
}

Result<std::uint64_t> FrontierLog::append(const FrontierBatch& batch) {
  const auto written = write_all(fd_.get(), batch.bytes());
  if (!written) {
    // Whatever part got there goes, so that later records do not stand behind a broken one.
    if (ftruncate(fd_.get(), static_cast<off_t>(end_)) != 0) log::error("frontier.cannot_truncate", {{"offset", end_}});
    return fail(written.error(), "writing the frontier log");
  }
  const std::uint64_t begin = end_;
  end_ += batch.bytes().size();
  return begin;
}

Result<FrontierRecord> FrontierLog::read(std::uint64_t offset, std::string& storage) const {
  constexpr std::size_t kFirstBytes = 512;  // one read is enough for nearly every URL
  storage.resize(kFirstBytes);
  ssize_t got = pread(fd_.get(), storage.data(), storage.size(), static_cast<off_t>(offset));
  if (got < static_cast<ssize_t>(kRecordHeadBytes)) return fail(Code::kCorrupt, "the frontier log ends before offset {}", offset);
  const std::size_t need = kRecordHeadBytes + std::min<std::size_t>(read_fixed<std::uint32_t>(storage), kPayloadBytesMax);
  if (need > kFirstBytes) {
    storage.resize(need);
    got = pread(fd_.get(), storage.data(), storage.size(), static_cast<off_t>(offset));
    if (got < 0) return fail_errno("reading the frontier log");
  }
  const std::string_view payload = payload_of(std::string_view(storage).substr(0, static_cast<std::size_t>(got)));
  if (payload.empty()) return fail(Code::kCorrupt, "the frontier log is damaged at offset {}", offset);
  return decode(payload);
}

Result<void> FrontierLog::scan(const std::function<void(std::uint64_t, const FrontierRecord&)>& each) const {
  const Mapping mapping(fd_.get(), end_);
  if (!mapping.ok()) return fail_errno("mapping the frontier log");
  each_record(mapping.bytes(), each);
  return {};
}

Result<void> FrontierLog::sync() const {
  if (fdatasync(fd_.get()) != 0) return fail_errno("syncing the frontier log");
  return {};
}

}  // namespace magpie
