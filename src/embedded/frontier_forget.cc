#include "embedded/frontier_forget.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_set>
#include <vector>

namespace magpie {
namespace {

constexpr std::size_t kWriteBytes = std::size_t{4} << 20;

/// Writes the new log behind its back: records in the old order, marks with their URL's new place.
class Rewriting {
 public:
  Rewriting(const FrontierLog& log, const std::function<bool(std::string_view)>& gone, int out) : log_(log), gone_(gone), out_(out) {
    bytes_ = frontier_log_header(FrontierLog::kVersion, log.seed());
    moves_.emplace_back(0, 0);
  }

  Result<void> take(const FrontierRecord& record) {
    MAGPIE_TRY_DO(record.has_urls() ? take_urls(record) : take_marks(record));
    return bytes_.size() < kWriteBytes ? Result<void>() : write();
  }
  Result<void> write() {
    MAGPIE_TRY_DO(write_all(out_, bytes_));
    written_ += bytes_.size();
    bytes_.clear();
    return {};
  }
  std::uint64_t dropped() const { return dropped_; }

 private:
  std::uint64_t end() const { return written_ + bytes_.size(); }

  Result<void> take_urls(const FrontierRecord& record) {
    FrontierBatch batch;
    bool any = false;
    MAGPIE_TRY_DO(record.each_entry([&](std::uint64_t offset, const FrontierEntry& entry) {
      if (gone_(entry.url)) {
        gone_signatures_.insert(frontier_signature(log_.seed(), entry.job, entry.url));
        ++dropped_;
        return;
      }
      if (!any) batch.begin(record.type);
      any = true;
      const std::size_t at = batch.entry(
          {.url = std::string(entry.url), .kind = entry.kind, .depth = entry.depth, .job = entry.job, .priority = entry.priority});
      note_move(offset, end() + at);
    }));
    if (any) bytes_ += batch.finish();
    return {};
  }

  Result<void> take_marks(const FrontierRecord& record) {
    FrontierBatch batch;
    bool any = false;
    MAGPIE_TRY_DO(record.each_mark([&](FrontierMark mark) {
      if (gone_signatures_.contains(mark.signature)) return;
      if (!any) batch.begin(record.type);
      any = true;
      mark.offset = moved(mark.offset);
      batch.mark(mark);
    }));
    if (any) bytes_ += batch.finish();
    return {};
  }

  /// Entries move by the same distance until the next one is left out.
  void note_move(std::uint64_t from, std::uint64_t to) {
    const std::uint64_t distance = from - to;  // never further back; wraps where it is, and back again in moved()
    if (moves_.back().second != distance) moves_.emplace_back(from, distance);
  }
  std::uint64_t moved(std::uint64_t from) const {
    const auto after =
        std::upper_bound(moves_.begin(), moves_.end(), from, [](std::uint64_t at, const auto& move) { return at < move.first; });
    return from - std::prev(after)->second;
  }

  const FrontierLog& log_;
  const std::function<bool(std::string_view)>& gone_;
  const int out_;
  std::string bytes_;
  std::uint64_t written_ = 0, dropped_ = 0;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> moves_;  // from this place on, by so many bytes to the front
  std::unordered_set<std::uint64_t> gone_signatures_;
};

Result<std::uint64_t> count_gone(std::string_view log, const std::function<bool(std::string_view)>& gone) {
  std::uint64_t count = 0;
  Result<void> read;
  FrontierLog::scan(log, FrontierLog::kHeaderBytes, [&](const FrontierRecord& record) -> Result<void> {
    if (record.has_urls()) read = record.each_entry([&](std::uint64_t, const FrontierEntry& entry) { count += gone(entry.url) ? 1 : 0; });
    return read;
  });
  MAGPIE_TRY_DO(std::move(read));
  return count;
}

}  // namespace

Result<std::uint64_t> write_frontier_log_without(const FrontierLog& log, const std::function<bool(std::string_view url)>& gone,
                                                 bool really) {
  MAGPIE_TRY(const FrontierMapping mapping, log.map());
  MAGPIE_TRY(const std::uint64_t count, count_gone(mapping.bytes(), gone));
  if (!really || count == 0) return count;
  const std::filesystem::path aside = log.path().string() + ".new";
  const UniqueFd out(::open(aside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!out) return fail_errno(aside.string());
  Rewriting rewriting(log, gone, out.get());
  Result<void> done;
  FrontierLog::scan(mapping.bytes(), FrontierLog::kHeaderBytes,
                    [&](const FrontierRecord& record) { return done = rewriting.take(record); });
  MAGPIE_TRY_DO(std::move(done));
  MAGPIE_TRY_DO(rewriting.write());
  if (::fdatasync(out.get()) != 0) return fail_errno(aside.string());
  if (::rename(aside.c_str(), log.path().c_str()) != 0) return fail_errno(log.path().string());
  const UniqueFd parent(::open(log.path().parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (parent) ::fsync(parent.get());
  return rewriting.dropped();
}

}  // namespace magpie
