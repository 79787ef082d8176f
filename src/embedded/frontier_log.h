#pragma once
// The frontier's append-only file: format drawn in embedded/frontier.h. This part knows records and places, nothing of queues.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "base/files.h"
#include "base/result.h"
#include "core/records.h"

namespace magpie {

/// Persisted: append only.
enum class FrontierRecordType : std::uint8_t { kAdd = 1, kAcknowledge = 2, kPutBack = 3, kRetry = 4 };

/// One record, decoded. Which fields hold depends on the type; the URL is a view into the bytes read.
struct FrontierRecord {
  FrontierRecordType type = FrontierRecordType::kAdd;
  UrlKind kind = UrlKind::kPage;
  std::uint16_t depth = 0;
  JobId job = 0;
  std::string_view url;
  std::uint64_t signature = 0;
  Cause cause = Cause::kNone;
  std::int64_t not_before_ms = 0;
  std::uint32_t tries = 0;
};

/// Records of one call, gathered for one write.
class FrontierBatch {
 public:
  /// Returns where the record begins within the batch.
  std::size_t add(const UrlRecord& url);
  void acknowledge(std::uint64_t signature, Cause cause);
  void put_back(std::uint64_t signature, std::int64_t not_before_ms, std::uint32_t tries);
  void retry(std::uint64_t signature);
  const std::string& bytes() const { return bytes_; }
  bool empty() const { return bytes_.empty(); }

 private:
  void append(std::string_view payload);
  std::string bytes_;
};

/// Not thread-safe but for sync() and read(), which may run beside anything.
class FrontierLog {
 public:
  /// Makes or opens <folder>/log.mfl, locks it for this process, and calls `replay(seed, record)` for each record in order.
  /// Errors: kBusy, kCorrupt, kUnavailable.
  static Result<FrontierLog> open(const fs::path& folder, const std::function<void(std::uint64_t seed, const FrontierRecord&)>& replay);

  /// Appends all or nothing; gives the offset of the batch's first byte. kUnavailable.
  Result<std::uint64_t> append(const FrontierBatch& batch);
  /// The add record at an offset that scan() or append() gave. `storage` holds the bytes the record's URL points into.
  Result<FrontierRecord> read(std::uint64_t offset, std::string& storage) const;
  /// All records once more.
  Result<void> scan(const std::function<void(std::uint64_t, const FrontierRecord&)>& each) const;
  Result<void> sync() const;

  std::uint64_t seed() const { return seed_; }
  std::uint64_t size() const { return end_; }

 private:
  Result<void> make_header();
  Result<void> check_header(std::string_view bytes, const fs::path& path);
  Result<void> cut_tail(const fs::path& path, std::string_view bytes, std::uint64_t good);

  UniqueFd fd_;
  std::uint64_t seed_ = 0;
  std::uint64_t end_ = 0;  // where the next record goes
};

}  // namespace magpie
