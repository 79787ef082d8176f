#include "embedded/frontier_checkpoint.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "base/hash.h"
#include "base/log.h"
#include "base/wire.h"
#include "embedded/frontier_bytes.h"

namespace magpie {
namespace {

constexpr std::string_view kMagic = "MFC1";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kBufferBytes = std::size_t{1} << 18;
constexpr std::size_t kLogTailBytes = 4'096;

std::uint64_t log_tail_begin(std::uint64_t log_end) { return log_end - std::min<std::uint64_t>(log_end, kLogTailBytes); }

std::string_view bytes_of(std::span<const UrlRun> runs) { return {reinterpret_cast<const char*>(runs.data()), runs.size_bytes()}; }

// Reads what FrontierCheckpointWriter wrote. The sum was checked, so what does not fit is another program's doing.
class Reader {
 public:
  explicit Reader(std::string_view rest) : rest_(rest) {}

  Result<FrontierCheckpoint> read() {
    FrontierCheckpoint checkpoint;
    MAGPIE_TRY_DO(read_table(checkpoint.memory.table));
    WireReader in(rest_);
    for (std::size_t jobs = in.count(); jobs > 0; --jobs) MAGPIE_TRY_DO(read_job(in, checkpoint.memory));
    const std::size_t open = in.count();
    if (!in.ok()) return fail(Code::kCorrupt, "it is cut short");
    rest_ = in.rest();
    for (std::size_t i = 0; i < open; ++i) {
      MAGPIE_TRY(const FrontierMark mark, read_mark());
      checkpoint.open.push_back(mark);
    }
    if (!rest_.empty()) return fail(Code::kCorrupt, "it has {} bytes too many", rest_.size());
    return checkpoint;
  }

 private:
  Result<void> read_table(SignatureTable& table) {
    for (std::size_t i = 0; i < SignatureTable::kShards; ++i) {
      if (rest_.size() < sizeof(std::uint64_t)) return fail(Code::kCorrupt, "its table is cut short");
      const auto bytes = read_fixed<std::uint64_t>(rest_);
      rest_.remove_prefix(sizeof bytes);
      if (bytes > rest_.size() || !table.load_shard(i, rest_.data(), bytes)) return fail(Code::kCorrupt, "its table is broken");
      rest_.remove_prefix(bytes);
    }
    return {};
  }

  static Result<void> read_job(WireReader& in, FrontierMemory& memory) {
    FrontierJob& job = memory.jobs[in.u64()];
    FrontierCounts& counts = job.counts;
    for (std::uint64_t* count : {&counts.known, &counts.queued, &counts.done, &counts.failed}) *count = in.u64();
    for (std::uint64_t& count : counts.failed_by_cause) count = in.u64();
    for (std::size_t hosts = in.count(); hosts > 0; --hosts) {
      const std::string_view name = in.bytes();
      if (name.size() > Frontier::kUrlBytesMax) return fail(Code::kCorrupt, "a host's name has {} bytes", name.size());
      FrontierHost& host = job.hosts[job.hosts.get(name)];
      for (std::uint32_t* count : {&host.queued[0], &host.queued[1], &host.done[0], &host.done[1]})
        *count = static_cast<std::uint32_t>(in.u64());
      host.failed = in.u64() & 0x7FFF'FFFF;
      for (std::string_view runs = in.bytes(); runs.size() >= sizeof(UrlRun); runs.remove_prefix(sizeof(UrlRun))) {
        host.runs.insert(UrlRun::of(read_fixed<std::uint64_t>(runs)));
      }
    }
    if (!in.ok()) return fail(Code::kCorrupt, "its hosts are cut short");
    return {};
  }

  Result<FrontierMark> read_mark() {
    FrontierMark mark;
    if (rest_.size() < sizeof mark.signature) return fail(Code::kCorrupt, "its leases are cut short");
    mark.signature = read_fixed<std::uint64_t>(rest_);
    WireReader in(rest_.substr(sizeof mark.signature));
    mark.offset = in.u64();
    mark.not_before_ms = in.i64();
    mark.tries = static_cast<std::uint32_t>(in.u64());
    if (!in.ok()) return fail(Code::kCorrupt, "its leases are cut short");
    rest_ = in.rest();
    return mark;
  }

  std::string_view rest_;
};

Result<FrontierCheckpoint> read_checked(std::string_view file, std::uint64_t seed, std::string_view log) {
  if (file.size() < kHeaderBytes + sizeof(std::uint32_t) || !file.starts_with(kMagic)) return fail(Code::kCorrupt, "it is no checkpoint");
  if (const auto version = read_fixed<std::uint32_t>(file, 4); version != kVersion)
    return fail(Code::kCorrupt, "it has version {}", version);
  if (read_fixed<std::uint64_t>(file, 8) != seed) return fail(Code::kCorrupt, "it is another log's");
  const auto log_end = read_fixed<std::uint64_t>(file, 16);
  if (log_end > log.size()) return fail(Code::kCorrupt, "the log is shorter than it was");
  const std::uint64_t begin = log_tail_begin(log_end);
  if (crc32c(log.substr(begin, log_end - begin)) != read_fixed<std::uint32_t>(file, 24)) return fail(Code::kCorrupt, "the log has changed");
  const std::string_view summed = file.substr(0, file.size() - sizeof(std::uint32_t));
  if (crc32c(summed) != read_fixed<std::uint32_t>(file, summed.size())) return fail(Code::kCorrupt, "its sum is wrong");
  MAGPIE_TRY(FrontierCheckpoint checkpoint, Reader(summed.substr(kHeaderBytes)).read());
  checkpoint.log_end = log_end;
  return checkpoint;
}

}  // namespace

Result<FrontierCheckpointWriter> FrontierCheckpointWriter::make(const fs::path& path) {
  FrontierCheckpointWriter writer;
  writer.path_ = path;
  writer.neighbour_ = path.string() + ".new";
  writer.fd_ = UniqueFd(::open(writer.neighbour_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!writer.fd_) return fail_errno(writer.neighbour_.string());
  return writer;
}

Result<void> FrontierCheckpointWriter::write(const FrontierMemory& memory, const FrontierLog& log) {
  const std::uint64_t begin = log_tail_begin(log.size());
  MAGPIE_TRY(const std::string log_tail, read_at(log.fd(), begin, log.size() - begin));
  buffer_ = kMagic;
  append_fixed(buffer_, kVersion);
  append_fixed(buffer_, log.seed());
  append_fixed(buffer_, log.size());
  append_fixed(buffer_, crc32c(log_tail));
  append_fixed(buffer_, std::uint32_t{0});
  for (std::size_t i = 0; i < SignatureTable::kShards; ++i) {
    const std::span<const SignatureTable::Entry> shard = memory.table.shard(i);
    append_fixed(buffer_, std::uint64_t{shard.size_bytes()});
    put({reinterpret_cast<const char*>(shard.data()), shard.size_bytes()});
  }
  append_wire_u64(buffer_, memory.jobs.size());
  for (const auto& [id, job] : memory.jobs) {
    for (const std::uint64_t value : {id, job.counts.known, job.counts.queued, job.counts.done, job.counts.failed})
      append_wire_u64(buffer_, value);
    for (const std::uint64_t count : job.counts.failed_by_cause) append_wire_u64(buffer_, count);
    append_wire_u64(buffer_, job.hosts.size());
    for (HostId host = 0; host < job.hosts.size(); ++host) put_host(job.hosts, host);
  }
  put_open(memory);
  flush();
  append_fixed(buffer_, sum_);
  flush();
  return written_;
}

void FrontierCheckpointWriter::put_host(const HostTable& hosts, HostId id) {
  const FrontierHost& host = hosts[id];
  const std::string_view runs = bytes_of(host.runs.runs());
  const std::string_view name = hosts.name(id);
  append_wire_u64(buffer_, name.size());
  buffer_ += name;
  for (const std::uint64_t count : {host.queued[0], host.queued[1], host.done[0], host.done[1]}) append_wire_u64(buffer_, count);
  append_wire_u64(buffer_, host.failed);
  append_wire_u64(buffer_, runs.size());
  put(runs);
}

void FrontierCheckpointWriter::put_open(const FrontierMemory& memory) {
  std::vector<FrontierMark> open;
  for (const auto& [signature, flight] : memory.flights)
    open.push_back({.signature = signature, .offset = flight.offset, .tries = flight.tries});
  for (const auto& [id, job] : memory.jobs) {
    for (const auto& [host, busy] : job.busy) {
      for (const WaitingQueue& queue : busy.put_back) {
        for (const WaitingUrl& url : queue.all()) {
          open.push_back({.signature = url.signature, .offset = url.offset, .not_before_ms = url.not_before_ms, .tries = url.tries});
        }
      }
    }
  }
  append_wire_u64(buffer_, open.size());
  for (const FrontierMark& mark : open) {
    append_fixed(buffer_, mark.signature);
    append_wire_u64(buffer_, mark.offset);
    WireWriter rest;
    rest.i64(mark.not_before_ms);
    rest.u64(mark.tries);
    put(rest.text());
  }
}

// Large pieces, which are the table's shards, go to the file from where they lie.
void FrontierCheckpointWriter::put(std::string_view bytes) {
  if (buffer_.size() + bytes.size() > kBufferBytes) flush();
  if (bytes.size() > kBufferBytes) write_out(bytes);
  else buffer_ += bytes;
}

void FrontierCheckpointWriter::flush() {
  write_out(buffer_);
  buffer_.clear();
}

void FrontierCheckpointWriter::write_out(std::string_view bytes) {
  sum_ = crc32c(bytes, sum_);
  bytes_ += bytes.size();
  if (written_) written_ = write_all(fd_.get(), bytes);
}

Result<void> FrontierCheckpointWriter::finish(const FrontierLog& log) {
  MAGPIE_TRY_DO(log.sync());
  if (::fsync(fd_.get()) != 0) return fail_errno(neighbour_.string());
  fd_.reset();
  if (::rename(neighbour_.c_str(), path_.c_str()) != 0) return fail_errno(path_.string());
  const UniqueFd folder(::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder) ::fsync(folder.get());
  return {};
}

std::optional<FrontierCheckpoint> read_frontier_checkpoint(const fs::path& path, std::uint64_t seed, std::string_view log) {
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info {};
  if (!fd || fstat(fd.get(), &info) != 0) return std::nullopt;
  const FrontierMapping mapping(fd.get(), static_cast<std::size_t>(info.st_size));
  if (!mapping.ok()) return std::nullopt;
  auto checkpoint = read_checked(mapping.bytes(), seed, log);
  if (!checkpoint) {
    log::warn("frontier.checkpoint_unusable", {{"file", path.string()}, {"why", checkpoint.error().message}});
    return std::nullopt;
  }
  return std::move(*checkpoint);
}

}  // namespace magpie
