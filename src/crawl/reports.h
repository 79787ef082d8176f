#pragma once
// What a crawl says of itself, as a whole and for each host.
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/frontier.h"
#include "core/records.h"
#include "crawl/host_state.h"

namespace magpie::crawl {

/// A time that a whole host was left alone.
struct BackoffReport {
  Timestamp at{};
  Millis rest{0};
  std::string reason;  // "throttled", "timeout"
  bool asked = false;  // the time is the server's, of Retry-After
};

/// A line of robots.txt that refused addresses.
struct RobotsLineReport {
  std::uint32_t line = 0;
  std::string rule;  // "/cart*"
  std::uint64_t refused = 0;
};

/// What a site's owner may ask about: how often, how close together and how many at once it was asked, and what was left out. Of hosts
/// that share their politeness, requests, gaps and rests are those of all together.
struct HostReport {
  std::string host;
  std::uint64_t fetched = 0, failed = 0;  // this run
  std::uint64_t queued = 0;
  std::uint64_t bytes = 0;
  Millis next_allowed_in{0};      // 0: now
  Millis delay{0};                // in force
  std::optional<Millis> gap_min;  // smallest pause between two starts
  std::uint32_t in_flight = 0, parallel_peak = 0;
  std::uint64_t requests = 0, backoffs = 0, robots_refused = 0;
  Timestamp first_request_at{}, last_request_at{};  // 0: none
  Timestamp next_allowed_at{};                      // nothing is asked before
  std::string user_agent;                           // by which it was asked
  std::string group;                                // whose politeness it shares ("site a.test"); empty: its own
  std::string robots;                               // "unread", "read", "none" (4xx), "unreachable"
  std::optional<double> crawl_delay;                // seconds, as robots.txt says
  std::vector<RobotsLineReport> robots_lines;       // by line; at most 1,000
  std::vector<BackoffReport> backoffs_latest;       // oldest first, at most 100
  std::map<std::string, std::uint64_t> by_cause;    // failures and refusals by the cause's name
  std::uint64_t pages_repeated = 0;  // those with the very same bytes as crawl.repeats_max others: their links were not followed
  std::string given_up;              // why nothing more is asked of it in this run; empty while it is
};

struct CrawlTotals {
  std::uint64_t requests = 0;  // started, robots.txt and retries included
  std::uint64_t pages = 0, images = 0, sitemaps = 0, redirects = 0;
  std::uint64_t failures = 0;
  std::array<std::uint64_t, kCauseCount> failures_by_cause{};
  std::optional<Timestamp> rests_until{};  // outside crawl.windows: when it goes on
  std::uint64_t unchanged = 0;             // answered 304; counted as page or picture, too
  std::uint64_t retries = 0;
  std::uint64_t bytes = 0;                                  // bodies, after decompression
  std::uint64_t refused_by_scope = 0, refused_by_trap = 0;  // addresses from redirects and sitemaps that were not taken in
  std::uint32_t in_flight = 0;
  std::uint32_t hosts = 0;  // with a queue or a history in this run
};

}  // namespace magpie::crawl
