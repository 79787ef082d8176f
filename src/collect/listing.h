#pragma once
// One list of a source, call by call: what is asked next, and what an answer means for it. Pure; the state is what a killed run goes on
// from, kept by the catalog as JSON.
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "collect/description.h"
#include "collect/item.h"
#include "net/http_client.h"

namespace magpie::collect {

struct ListState {
  std::uint64_t calls = 0;
  std::uint64_t position = 0;  // behind `first`: of kPage and kOffset; of a list file, its next byte
  std::uint64_t quiet = 0;     // calls in a row without anything new
  std::uint64_t listed = 0, malformed = 0, taken = 0;
  std::string cursor;      // of kCursor
  std::uint64_t last = 0;  // hash of the last answer's pictures, so that one page given again and again is told
  bool done = false;
  bool operator==(const ListState&) const = default;
};

/// {"calls":3,…}; what is missing or unknown when read back counts as at the start.
std::string to_json(const ListState& state);
ListState state_from_json(std::string_view json);

/// The next call. @param seen  addresses got so far, for "{seen}". kBadInput when what comes out is no address, or a cursor leads to
/// another host.
Result<HttpRequest> next_request(const Description& description, const Category& category, const ListState& state,
                                 std::span<const std::string> seen);

/// After an answer of which `news` pictures were new.
ListState advance(const Description& description, ListState state, const Items& answer, std::uint64_t news);

/// Percent-encoded but for letters, digits, "-._~/".
std::string url_part(std::string_view text);

}  // namespace magpie::collect
