#pragma once
// robots.txt: what a site asks of robots. Source: RFC 9309 (Robots Exclusion Protocol), with Google's reading where the RFC is
// silent (misspelt keys, a BOM) and the Crawl-delay and Sitemap extensions. Foreign bytes: any input gives rules, never an error.
//   RobotsRules rules = RobotsRules::parse(body, "magpie");
//   if (rules.allows(url)) ...
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/url.h"

namespace magpie::crawl {

/// Bytes of a file that are read; RFC 9309 §2.5 asks for at least 500 KiB. What follows is ignored.
inline constexpr std::size_t kRobotsBytesMax = 512 * 1024;

struct RobotsVerdict {
  bool allowed = true;
  std::uint32_t line = 0;  // of the rule that decided, from 1; 0 when none matched
  std::string_view rule;   // its pattern as written, e.g. "/cart*"; lives as long as the rules
};

/// The rules of one file for one agent. A value; reading is thread-safe.
class RobotsRules {
 public:
  /// No rule at all: everything is allowed. For a file that is not there (4xx).
  RobotsRules() = default;
  /// @param agent  the product token, compared without case: "magpie"; of "magpie/0.1 (+http://…)" only "magpie" counts. The rules
  ///   of every group that names it are joined; when none does, those of the groups for "*".
  /// Cost: one pass, about 300 MB/s; only the rules that apply are kept.
  static RobotsRules parse(std::string_view bytes, std::string_view agent);

  /// The rule with the longest matching pattern decides, Allow before Disallow among equals; /robots.txt itself is always
  /// allowed. Path and query count, the fragment does not. Heap only for URLs with percent signs. O(rules × length) at worst.
  RobotsVerdict judge(const Url& url) const { return judge_path(url.path_and_query()); }
  /// The same for path and query as in a request line ("/a?b"); an empty one is "/".
  RobotsVerdict judge_path(std::string_view path_and_query) const;
  bool allows(const Url& url) const { return judge(url).allowed; }

  /// Seconds; nothing when the group has none, or only negative or unreadable ones. The largest counts.
  std::optional<double> crawl_delay() const { return crawl_delay_; }
  /// Values of all Sitemap lines of the file, whatever group they stand in, as written; not resolved, not checked.
  const std::vector<std::string>& sitemaps() const { return sitemaps_; }
  std::size_t rule_count() const { return rules_.size(); }

 private:
  struct Rule {
    std::string pattern;  // percent-encoding normalised, kWildcard for each run of '*', without the final '$'
    std::string text;     // as written, for people
    std::uint32_t line = 0;
    std::uint32_t length = 0;          // of the normalised pattern with its '*' and '$': what competes for the longest match
    std::uint32_t shortest_match = 0;  // bytes a path must have at least
    bool allow = false;
    bool anchored = false;  // ended in '$'
    bool plain = true;      // no wildcard
  };
  friend class RobotsReader;

  std::vector<Rule> rules_;  // longest first, allow before disallow: the first that matches decides
  std::optional<double> crawl_delay_;
  std::vector<std::string> sitemaps_;
};

}  // namespace magpie::crawl
