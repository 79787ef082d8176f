#pragma once
// /.well-known/tdmrep.json: what of a site its owner reserves against text and data mining. Source: TDM Reservation Protocol (TDMRep),
// W3C community report, section "TDM file on the origin server": an array of objects with `location` (a path with '*' and '$' as in
// robots.txt), `tdm-reservation` (0 or 1) and `tdm-policy` (the address of terms). Foreign bytes: any input gives rules, never an error;
// what cannot be read reserves nothing.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "crawl/robots.h"
#include "net/url.h"

namespace magpie::crawl {

/// Bytes of a file that are read; a longer one reserves nothing, as half a JSON text is none.
inline constexpr std::size_t kTdmBytesMax = 512 * 1024;

/// The rules of one origin. A value; reading is thread-safe.
class TdmRules {
 public:
  static constexpr std::size_t kRulesMax = 10'000;

  /// Nothing is reserved. For a file that is not there.
  TdmRules() = default;
  static TdmRules parse(std::string_view json);

  struct Verdict {
    bool reserved = false;
    std::string_view location, policy;  // of the rule that decided, as written; "" without one. They live as long as the rules.
  };
  /// The longest matching location decides, one that does not reserve before one that does among equals: the order of RFC 9309, whose
  /// patterns these are.
  Verdict judge(const Url& url) const;
  std::size_t rule_count() const { return locations_.size(); }

 private:
  RobotsRules matcher_;  // line n + 2 is locations_[n]
  std::vector<std::string> locations_, policies_;
};

}  // namespace magpie::crawl
