#pragma once
// When a crawl may ask: days of the week and times of day, by the clock on the wall of some place. For sites whose owners asked for the
// night, and for lines that others need by day. Zones and their changes are those of the system's tz database, read by GLib.
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "core/records.h"

namespace magpie::crawl {

/// A value; reading is thread-safe.
class CrawlWindows {
 public:
  /// Always open.
  CrawlWindows() = default;
  /// @param text  windows with ';' between: "mon-fri 22:00-06:00; sat,sun". Each has days (names of three letters, with ',' and '-'; all
  ///   when left out), a time of day, or both. A time that ends at or before its beginning ends on the day after, which counts to the day
  ///   it began on. "" is always open.
  /// @param zone  "Europe/Berlin"; "" is this machine's.
  /// kBadInput for anything else, naming it; kNotFound for a zone that the system does not know.
  static Result<CrawlWindows> parse(std::string_view text, std::string_view zone);

  bool always_open() const { return windows_.empty(); }
  bool open_at(Timestamp time) const;
  /// Where open_at() changes next, to the minute: at most 15 days ahead; nothing when it does not. Cost: milliseconds at worst.
  std::optional<Timestamp> next_change(Timestamp after) const;

 private:
  struct Window {
    unsigned days = 0;  // bit 0: Sunday
    int from = 0;       // minutes since midnight
    int to = 24 * 60;   // at most a day after `from`, so up to 48 hours
  };
  static Result<Window> parse_window(std::string_view text);

  std::vector<Window> windows_;
  std::shared_ptr<const void> zone_;  // a GTimeZone
};

}  // namespace magpie::crawl
