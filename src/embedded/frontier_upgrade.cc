#include "embedded/frontier_upgrade.h"

#include <sys/stat.h>

#include <optional>
#include <unordered_map>

#include "base/files.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/wire.h"
#include "core/frontier.h"
#include "embedded/frontier_bytes.h"
#include "embedded/frontier_log.h"

namespace magpie {
namespace {

// Version 1: u32 size, u32 crc32c of the payload, then the payload: a type and
//   1 add          kind, depth, job, url (bytes)                          all varints
//   2 acknowledge  signature (8 bytes, fixed), cause
//   3 put back     signature (8 bytes, fixed), not_before (milliseconds), tries
//   4 retry        signature (8 bytes, fixed)
constexpr std::size_t kPayloadBytesMax = Frontier::kUrlBytesMax + 1'024;

struct Known {
  std::uint64_t offset = 0;  // in the new log
  std::optional<FrontierMark> end, put_back;
};

class Upgrade {
 public:
  explicit Upgrade(std::uint64_t seed) : seed_(seed) {}

  // Returns where the first bad record is.
  std::size_t read(std::string_view log) {
    std::size_t at = FrontierLog::kHeaderBytes;
    while (log.size() - at > FrontierLog::kRecordHeadBytes) {
      const auto size = read_fixed<std::uint32_t>(log, at);
      if (size == 0 || size > kPayloadBytesMax || size > log.size() - at - FrontierLog::kRecordHeadBytes) break;
      const std::string_view payload = log.substr(at + FrontierLog::kRecordHeadBytes, size);
      if (crc32c(payload) != read_fixed<std::uint32_t>(log, at + 4) || !read_record(payload)) break;
      at += FrontierLog::kRecordHeadBytes + size;
    }
    return at;
  }

  // The new log's records.
  const std::string& finish() {
    write_marks(FrontierRecordType::kEnd, [](const Known& known) { return known.end; });
    write_marks(FrontierRecordType::kPutBack, [](const Known& known) { return known.end ? std::nullopt : known.put_back; });
    return batch_.finish();
  }

 private:
  bool read_record(std::string_view payload) {
    const char type = payload[0];
    payload.remove_prefix(1);
    if (type == 1) return read_add(WireReader(payload));
    if (type < 1 || type > 4 || payload.size() < sizeof(std::uint64_t)) return false;
    FrontierMark mark{.signature = read_fixed<std::uint64_t>(payload)};
    WireReader in(payload.substr(sizeof mark.signature));
    if (type == 2) mark.cause = static_cast<Cause>(in.u64());
    if (type == 3) {
      mark.not_before_ms = in.i64();
      mark.tries = static_cast<std::uint32_t>(in.u64());
    }
    const auto found = known_.find(mark.signature);
    if (!in.ok() || found == known_.end()) return in.ok();
    mark.offset = found->second.offset;
    found->second.end = type == 2 ? std::optional(mark) : std::nullopt;
    found->second.put_back = type == 3 ? std::optional(mark) : std::nullopt;
    return true;
  }

  bool read_add(WireReader in) {
    UrlRecord url{.kind = static_cast<UrlKind>(in.u64()), .depth = static_cast<std::uint16_t>(in.u64()), .job = in.u64()};
    url.url = in.string();
    if (!in.ok()) return false;
    const auto [known, fresh] = known_.try_emplace(frontier_signature(seed_, url.job, url.url));
    if (!fresh) return true;
    const Run run{url.job, std::string(host_of_url(url.url)), lane_of(url.kind)};
    if (!run_ || *run_ != run || !batch_.has_room()) batch_.begin(FrontierRecordType::kAdd);
    run_ = run;
    known->second.offset = FrontierLog::kHeaderBytes + batch_.entry(url);
    return true;
  }

  template <class Pick>
  void write_marks(FrontierRecordType type, const Pick& pick) {
    bool begun = false;
    for (const auto& [signature, known] : known_) {
      const std::optional<FrontierMark> mark = pick(known);
      if (!mark) continue;
      if (!begun || !batch_.has_room()) batch_.begin(type);
      begun = true;
      batch_.mark(*mark);
    }
  }

  using Run = std::tuple<JobId, std::string, Lane>;
  std::uint64_t seed_;
  std::unordered_map<std::uint64_t, Known> known_;
  std::optional<Run> run_;  // the record of entries under way
  FrontierBatch batch_;
};

}  // namespace

Result<void> upgrade_frontier_log(int fd, std::uint64_t seed, const fs::path& path) {
  struct stat info {};
  if (fstat(fd, &info) != 0) return fail_errno(path.string());
  const FrontierMapping mapping(fd, static_cast<std::size_t>(info.st_size));
  if (!mapping.ok()) return fail_errno("mapping " + path.string());
  Upgrade upgrade(seed);
  const std::string_view bad = mapping.bytes().substr(upgrade.read(mapping.bytes()));
  if (bad.size() > FrontierLog::kRecordHeadBytes + kPayloadBytesMax) {
    MAGPIE_TRY_DO(write_file_atomic(path.string() + ".damaged", bad));
    log::error("frontier.damaged", {{"file", path.string()}, {"lost_bytes", bad.size()}, {"kept_in", path.string() + ".damaged"}});
  }
  MAGPIE_TRY_DO(write_file_atomic(path, frontier_log_header(FrontierLog::kVersion, seed) + upgrade.finish()));
  log::info("frontier.upgraded", {{"file", path.string()}, {"version", FrontierLog::kVersion}});
  return {};
}

}  // namespace magpie
