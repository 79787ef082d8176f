#pragma once
// What becomes of each request that a page under rendering makes. Pictures, styles and fonts say nothing that extraction reads, and who
// counts visitors is not to count this one, so neither is asked for; what is left, scripts and data, is fetched by the crawl, under its
// rules.
#include <cstdint>
#include <string_view>

namespace magpie::browser {

enum class Handling : std::uint8_t {
  kPage,       // the page itself: it was fetched already
  kFetch,      // by the crawl
  kPreflight,  // a question whether a request may be made across origins (Fetch standard, CORS-preflight): answered with yes, as it is the
               // crawl that asks, with nobody's cookies; what is answered then still has to allow the page to read it
  kPicture,    // an empty one in its place: scripts that load pictures late go on, and none is taken for missing
  kStyle,      // an empty one in its place
  kRefuse,
};

/// All as the protocol gives them (Fetch.requestPaused).
struct PageRequest {
  std::string_view url, method;
  std::string_view type;  // "Document", "Script", "XHR", …
  bool main_frame = false;
  std::string_view page;  // the address of the page that is rendered
  bool page_given = false;
};

/// Pure. POST is let through for data of the page's own site only: some shops ask for their products so.
Handling judge_request(const PageRequest& request);

/// Whether a host is known to count visitors, to sell advertisements or to chat, by its own or a parent's name.
bool is_tracker(std::string_view host);

}  // namespace magpie::browser
