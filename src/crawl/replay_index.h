#pragma once
// Where each answer of some WARC files lies, by its address, so that a crawl can be replayed from them without the network. Reads what
// Magpie, wget, Heritrix, browsers' recorders and Common Crawl write: `response` and `resource` records, `revisit` records that refer to
// a payload stored before (WARC 1.1, section 6.7), bodies in chunks or compressed.
//   MAGPIE_TRY(auto index, ReplayIndex::build(files, form, {}));
//   if (index->holds(url)) { MAGPIE_TRY(ReplayedAnswer page, index->read(url, 10 << 20)); }
//
// Of several answers to one address the newest counts, and an error only where there is nothing else. What says nothing about an address
// is left out: robots.txt, parts (206), answers that another try may change (429, 503, …), requests, schemes other than http.
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "base/result.h"
#include "core/records.h"
#include "crawl/rules.h"
#include "net/http_headers.h"
#include "store/warc.h"

namespace magpie::crawl {

/// An answer as its server gave it, but for its codings, which are taken off the body.
struct ReplayedAnswer {
  int status = 0;
  std::string header_block;  // as stored; of a `resource` record one is made
  HttpHeaders headers;       // the same
  std::string body;
  Timestamp fetched_at{};
  std::string ip;  // may be empty
};

struct ReplayOptions {
  std::uint64_t body_bytes_max = 50 << 20;  // records whose block is over this (and 1 MiB for headers) are passed over and counted
  /// Told of each page as it is met, in the form of the job, maybe more than once; an error ends the building.
  std::function<Result<void>(std::string url)> on_page = {};
  std::stop_token stop = {};
};

struct ReplayCounts {
  std::uint64_t files = 0, records = 0;
  std::uint64_t addresses = 0;       // held
  std::uint64_t too_large = 0;       // passed over, see ReplayOptions
  std::uint64_t damaged = 0;         // places that do not read; what lies behind them was read
  std::uint64_t revisits_unmet = 0;  // what they refer to is in none of the files
  std::string first_damage;          // "FILE at offset 123: the gzip member is cut short"
};

/// What the files are missing, in one sentence; empty when all was read.
std::string words_of_damage(const ReplayCounts& counts);

/// Looks whether a file holds any record at all. Errors as ReplayIndex::build(). Quick for good files.
Result<void> check_is_warc(const fs::path& file);

/// Immutable; all reading is thread-safe. Memory: 48 bytes a record, and 16 more while it is built.
class ReplayIndex {
 public:
  /// Reads all files once, from the disk's speed down to zlib's: about 200 MB/s of content. Damaged places are counted, and logged as
  /// replay.damaged. kBadInput for a file without any record, and for one whose gzip members hold several records each; kNotFound,
  /// kForbidden, kUnavailable from the disk; kCancelled when `stop` is asked for; and whatever on_page returns.
  static Result<std::shared_ptr<const ReplayIndex>> build(std::vector<fs::path> files, const AddressForm& form,
                                                          const ReplayOptions& options = {});

  /// `url` in the job's form. By a hash of 64 bits that is seeded anew each time: a wrong yes ends as kNotFound of read().
  bool holds(std::string_view url) const { return find(url) != nullptr; }
  /// When the answer that read() gives was received; nothing when none is held.
  std::optional<Timestamp> recorded_at(std::string_view url) const;
  /// Whether that answer is what a browser made of it (docs/formats/archive.md).
  bool is_rendered(std::string_view url) const;
  /// kNotFound, kTooLarge when the decoded body passes `body_bytes_max`, kBadInput for a body that does not decode, kCorrupt when the file
  /// has changed since. Opens the file anew each time, so any number of files will do.
  Result<ReplayedAnswer> read(std::string_view url, std::size_t body_bytes_max) const;

  const ReplayCounts& counts() const { return counts_; }

 private:
  struct Place {
    std::uint64_t offset = 0, length = 0;
    std::uint32_t file = 0;
  };
  struct Entry {
    std::uint64_t signature = 0, offset = 0, length = 0;
    std::int64_t recorded_ms = 0;
    std::uint32_t file = 0;
    std::uint32_t payload = 0;   // of a revisit: payloads_[payload - 1] has the body
    std::uint32_t sequence = 0;  // in order of reading, to choose among records of one second
    bool failed = false;         // a status of 400 or more
    bool page = false;
    bool rendered = false;
  };
  class Builder;

  explicit ReplayIndex(const AddressForm& form) : form_(form) {}
  const Entry* find(std::string_view url) const { return find_signature(signature_of(url)); }
  const Entry* find_signature(std::uint64_t signature) const;
  Result<WarcRecord> read_record(const Place& place) const;
  std::uint64_t signature_of(std::string_view url) const;

  std::vector<fs::path> files_;
  AddressForm form_;
  std::uint64_t seed_ = 0;
  std::vector<Entry> entries_;  // by signature, each once
  std::vector<Place> payloads_;
  ReplayCounts counts_;
};

}  // namespace magpie::crawl
