#pragma once
// Port of this folder: forgetting (core/forget.h). `app` implements it over the collection; tests use a small fake.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "core/forget.h"

namespace magpie {

/// What was removed where, and what a search of all files for it found.
struct ForgetReport {
  ForgetTarget target;
  bool dry_run = false;  // then nothing was removed: the counts say what would be
  ForgetCounts catalog;
  RewriteCounts archive, variants;
  std::uint64_t frontier = 0, shops = 0;
  bool searched = false;  // all of what follows
  std::uint64_t names = 0, files = 0, bytes = 0;
  std::vector<std::string> found;  // "catalog.db: http://…", at most kFoundMax; empty: nothing of it is left
  static constexpr std::size_t kFoundMax = 20;
};
void write_report(JsonWriter& json, const ForgetReport& report);

using ForgetId = std::uint64_t;
enum class ForgetState : std::uint8_t { kRunning, kFinished, kFailed };
/// "running", "finished", "failed".
std::string_view to_string(ForgetState state);

struct ForgetView {
  ForgetId id = 0;
  ForgetTarget target;
  ForgetState state = ForgetState::kRunning;
  std::optional<std::string> message;  // why it failed
  std::optional<ForgetReport> report;  // once it has ended well
};

/// Thread-safe.
class ForgetControl {
 public:
  virtual ~ForgetControl() = default;
  /// What would be removed. kNotFound when nothing is known of the target, kBadInput for what is no such name. Takes as long as reading the
  /// archive does.
  virtual Result<ForgetReport> preview(const ForgetTarget& target) = 0;
  /// Begins and answers at once; a crawl under way rests meanwhile. Errors as preview(); kBusy while something else is being forgotten.
  virtual Result<ForgetView> forget(const ForgetTarget& target) = 0;
  /// Lets what was forgotten under that name be fetched again; how many refusals went. kNotFound when there were none.
  virtual Result<std::uint64_t> allow(const ForgetTarget& target) = 0;
  /// kNotFound also for one that ended a while ago.
  virtual Result<ForgetView> forgetting(ForgetId id) = 0;
};

}  // namespace magpie
