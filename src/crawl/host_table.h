#pragma once
// The hosts of one run: which there are, whose politeness they share, when one is given up, and what is reported of each.
// One thread, the fetch loop's.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/guarded.h"
#include "core/clock.h"
#include "core/frontier.h"
#include "crawl/host_state.h"
#include "crawl/reports.h"
#include "crawl/robots_state.h"
#include "crawl/settings.h"

namespace magpie::crawl {

using HostId = std::uint32_t;  // small numbers from 0, in the order the hosts were met

/// A lease on its way to be asked. `instead` is what is asked for it: an address that sent round in a circle until a cookie was set.
struct Errand {
  Lease lease;
  std::optional<Url> instead;
};

/// Why a host is asked nothing more in this run.
struct GivenUp {
  Cause cause = Cause::kThrottled;
  std::string detail;
};

/// One host of this run: its politeness, the lease that waits for robots.txt, and what was counted.
struct Host {
  explicit Host(std::string host_name) : name(std::move(host_name)) {}
  std::string name;
  HostState* polite = nullptr;   // its own, or that of its group
  std::string group;             // the group's name; empty for its own
  std::optional<Errand> parked;  // leased, and not to be fetched before robots.txt is known
  std::vector<Errand> again;     // leased, and to be asked once more; rarely any
  std::optional<GivenUp> given_up;
  Cause last_trouble = Cause::kThrottled;
  std::optional<std::uint64_t> rests_waited_for;  // the ledger's count when a rest was last waited for with nothing else to do
  RobotsState* robots = nullptr;                  // of the origin asked last, for reports
  bool images_next = false;                       // the two lanes take turns
  std::uint64_t pages = 0;                        // fetched in this job, earlier runs included
  std::uint64_t sitemaps = 0;
  std::uint64_t pages_repeated = 0;
  std::uint64_t cookies_changed = 0;                             // answers that set one anew
  std::unordered_map<std::uint64_t, std::uint32_t> pages_alike;  // by a hash of their bytes: how many were kept
  std::uint64_t fetched = 0, failed = 0, bytes = 0, robots_refused = 0;
  std::optional<double> crawl_delay;
  std::map<Cause, std::uint64_t> by_cause;
  std::map<std::uint32_t, RobotsLineReport> robots_lines;

  /// robots.txt refused one of its addresses. Remembers at most 1,000 of its lines.
  void note_refusal(const RobotsVerdict& verdict);
};

class HostTable {
 public:
  /// @param resting  until when earlier runs were to leave a host alone.
  /// `frontier`, `clock` and `totals` must outlive the table.
  HostTable(JobId job, const CrawlSettings& settings, const Frontier& frontier, const Clock& clock, Guarded<CrawlTotals>& totals,
            std::map<std::string, Timestamp> resting);

  Host& operator[](HostId id) { return *hosts_[id]; }
  const Host& operator[](HostId id) const { return *hosts_[id]; }
  std::size_t size() const { return hosts_.size(); }
  auto begin() const { return hosts_.begin(); }
  auto end() const { return hosts_.end(); }
  /// Enters a host that is new.
  HostId id_of(std::string_view name);

  /// Whether politeness is shared by several hosts (crawl.politeness_by).
  bool grouped() const { return by_ != By::kHost; }
  /// Hosts of one public address share their politeness, where the settings say so. `peer` is what answered.
  void join_address(Host& one, std::string_view peer);

  /// Whether it may give more pages.
  bool pages_open(const Host& one) const { return one.pages < pages_max_; }
  /// What may still be asked of a host: of one that has given all the pages it may, only its pictures.
  std::uint64_t left_for(const Host& one) const;

  void give_up(Host& one, const std::string& why);
  /// Trouble that has gone on for too long ends a host, its group's others included.
  void give_up_if_hopeless(Host& one);

  /// By name.
  std::vector<HostReport> reports() const;

 private:
  enum class By : std::uint8_t { kHost, kDomain, kAddress };
  HostState* group(std::string name);
  void join(Host& one, std::string group_name);
  void choose_group(Host& one);
  HostReport report(const Host& one, SteadyTime now, Timestamp wall_now) const;

  JobId job_;
  const Frontier& frontier_;
  const Clock& clock_;
  Guarded<CrawlTotals>& totals_;
  PolitenessLimits limits_;
  std::string user_agent_;
  By by_ = By::kHost;
  std::uint64_t pages_max_;
  std::map<std::string, Timestamp> resting_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::unordered_map<std::string, HostId> ids_;
  std::unordered_map<std::string, std::unique_ptr<HostState>> groups_;  // by the group's name
};

}  // namespace magpie::crawl
