#pragma once
// The srcset attribute, by the HTML standard's parser (https://html.spec.whatwg.org/#parsing-a-srcset-attribute).
#include <string_view>
#include <vector>

namespace magpie {

struct SrcsetCandidate {
  std::string_view url;  // as written, of the attribute
  double width = 0;      // of a "640w" descriptor, else 0
  double density = 0;    // of "2x"; 1 when there is no descriptor; 0 beside a width
};

/// In order; candidates with a wrong descriptor are left out, as the standard says. At most `count_max`.
std::vector<SrcsetCandidate> parse_srcset(std::string_view text, std::size_t count_max = 64);

}  // namespace magpie
