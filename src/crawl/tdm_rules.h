#pragma once
// /.well-known/tdmrep.json: what of a site its owner reserves against text and data mining. Source: TDM Reservation Protocol (TDMRep),
// W3C community report, section "TDM file on the origin server": an array of objects with `location` (a path with '*' and '$' as in
// robots.txt) and `tdm-reservation` (0 or 1); its `tdm-policy`, the address of terms, is not read. Foreign bytes: any input gives rules,
// never an error; what cannot be read reserves nothing.
#include <string_view>

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

  /// Whether the address is reserved. The longest matching location decides, one that does not reserve before one that does among equals:
  /// the order of RFC 9309, whose patterns these are.
  bool reserve(const Url& url) const { return !matcher_.allows(url); }
  std::size_t rule_count() const { return count_; }
  /// False for a file that is no JSON array, or too long.
  bool readable() const { return readable_; }

 private:
  RobotsRules matcher_;  // what is reserved, it disallows
  std::size_t count_ = 0;
  bool readable_ = true;
};

}  // namespace magpie::crawl
