#pragma once
// The frontier's append-only file: format drawn in embedded/frontier.h. This part knows records and places, nothing of queues.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "core/records.h"

namespace magpie {

/// Persisted: append only. 1 to 4 were version 1's (frontier_upgrade.h).
enum class FrontierRecordType : std::uint8_t { kAdd = 5, kEnd = 6, kPutBack = 7, kAgain = 8, kRevisit = 9 };

/// Names a URL of a job for ever; never 0. `seed` is the log's.
std::uint64_t frontier_signature(std::uint64_t seed, JobId job, std::string_view url);

/// One URL of a kAdd or kRevisit record, whose entries all have the same job, host, lane and priority.
struct FrontierEntry {
  UrlKind kind = UrlKind::kPage;
  std::uint8_t priority = kUrlPriorityDefault;
  std::uint16_t depth = 0;
  JobId job = 0;
  std::string_view url;
  std::size_t bytes = 0;  // it takes in the log
};
/// The entry at the start of `bytes`; nothing when it is cut short.
std::optional<FrontierEntry> read_entry(std::string_view bytes);

/// What happened to one URL: an entry of the other records. What a record type does not keep is 0.
struct FrontierMark {
  std::uint64_t signature = 0;
  std::uint64_t offset = 0;  // of the URL's entry in the log
  Cause cause = Cause::kNone;
  std::int64_t not_before_ms = 0;
  std::uint32_t tries = 0;
};

/// A record whose sum is right, undecoded: views into what was read.
struct FrontierRecord {
  FrontierRecordType type = FrontierRecordType::kAdd;
  std::uint64_t offset = 0;  // of `entries` in the log
  std::string_view entries;

  bool has_urls() const { return type == FrontierRecordType::kAdd || type == FrontierRecordType::kRevisit; }
  /// kCorrupt at the first entry that cannot be read; `each` has got those before.
  Result<void> each_entry(const std::function<void(std::uint64_t offset, const FrontierEntry&)>& each) const;
  Result<void> each_mark(const std::function<void(const FrontierMark&)>& each) const;
};

/// Records of one call, gathered for one write.
class FrontierBatch {
 public:
  /// Begins a record; what is added goes into it until the next begin() or finish().
  void begin(FrontierRecordType type);
  /// Returns where the entry begins within the batch.
  std::size_t entry(const UrlRecord& url);
  void mark(const FrontierMark& mark);
  /// Whether the record may take one more entry or mark.
  bool has_room() const;
  /// The bytes to write. Ends the last record.
  const std::string& finish();
  bool empty() const { return bytes_.empty(); }

 private:
  void end_record();
  std::string bytes_;
  std::optional<std::size_t> begin_;  // of the record under way
};

/// A file's bytes while the object lives. Only for files that do not shrink meanwhile.
class FrontierMapping {
 public:
  FrontierMapping(int fd, std::size_t size);
  FrontierMapping(FrontierMapping&& other) noexcept;
  FrontierMapping& operator=(FrontierMapping&&) = delete;
  ~FrontierMapping();
  bool ok() const;
  std::string_view bytes() const { return {static_cast<const char*>(bytes_), size_}; }

 private:
  void* bytes_ = nullptr;
  std::size_t size_;
};

/// Not thread-safe but for sync(), map() and read(), which may run beside anything.
class FrontierLog {
 public:
  static constexpr std::uint32_t kVersion = 2;
  static constexpr std::size_t kHeaderBytes = 20;
  static constexpr std::size_t kRecordHeadBytes = 8;
  static constexpr std::size_t kRecordBytesMax = std::size_t{1} << 17;

  /// Makes or opens <folder>/log.mfl and locks it for this process; a version 1 file is upgraded first. Nothing is read but the
  /// header: the owner has to replay() and cut(). Errors: kBusy, kCorrupt, kUnavailable.
  static Result<FrontierLog> open(const std::filesystem::path& folder);

  /// Calls `each` for every good record from an offset on, until one is bad or `each` gives an error; returns where that is.
  static std::uint64_t scan(std::string_view log, std::uint64_t from, const std::function<Result<void>(const FrontierRecord&)>& each);
  /// Cuts off what replaying found bad; kept aside when it is more than a record that was cut short. For once, after open().
  Result<void> cut(std::string_view log, std::uint64_t good);

  /// Appends all or nothing; gives the offset of the batch's first byte. kUnavailable.
  Result<std::uint64_t> append(FrontierBatch& batch);
  /// The entry at an offset that a batch gave. `storage` holds the bytes the URL points into.
  Result<FrontierEntry> read(std::uint64_t offset, std::string& storage) const;
  Result<FrontierMapping> map() const;
  Result<void> sync() const;

  int fd() const { return fd_.get(); }
  const std::filesystem::path& path() const { return path_; }
  std::uint64_t seed() const { return seed_; }
  std::uint64_t size() const { return end_; }

 private:
  static Result<FrontierLog> open_and_lock(const std::filesystem::path& path);
  Result<void> make_header();
  Result<std::uint32_t> read_header();

  std::filesystem::path path_;
  UniqueFd fd_;
  std::uint64_t seed_ = 0;
  std::uint64_t end_ = 0;  // where the next record goes
};

/// A log's first bytes.
std::string frontier_log_header(std::uint32_t version, std::uint64_t seed);

}  // namespace magpie
