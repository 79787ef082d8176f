#pragma once
// A made-up web of any size: every answer is worked out from its address and a seed, and nothing is kept, so ten million pages cost no more
// than ten. The same settings give the same web on every machine.
//
// Shape. Host h has pages 0 … pages_of(h) - 1. Page 0 is "/", the others are "/page/N", or "/product/N" for those with a product. The pages
// of a host form a tree: page n links to n * branch + 1 … n * branch + branch, so all of them can be reached from "/", the last one
// log(pages) / log(branch) links away (branch 1: a chain). The rest of a page's links lead anywhere, a share of them to other hosts.
//
// Names. With addresses (the default) host 0 is 127.0.0.1, host 1 127.0.0.2, …, host 250 127.0.1.1; otherwise they are h0.localhost,
// h1.localhost, …. Requests may use either, links use the one that is set. Both need no name server.
//
// Faults. Links to nothing and to pages that always fail stand on addresses of their own (/missing/N, /failing/N), so they cut nothing off.
// Passing faults (503 with Retry-After, a closed connection) meet a page's first request alone. /forbidden/ is refused by robots.txt and
// linked from each front page.
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace magpie::synthetic {

struct WebSettings {
  std::uint64_t seed = 1;
  std::uint32_t hosts = 10;
  std::uint32_t pages = 100;         // of each host
  std::uint32_t huge_pages = 0;      // of host 0 instead, when not 0
  std::uint32_t branch = 10;         // children in the tree
  std::uint32_t links = 20;          // of a page, the tree's among them
  double off_host = 0;               // share of the links that are not the tree's
  std::uint32_t page_bytes = 2'000;  // at least
  double products = 0;               // share of pages with a JSON-LD product
  std::uint32_t pictures = 0;        // shown by each page, of its own
  double missing = 0;                // share of pages that link to a 404
  double failing = 0;                // share of pages that link to a 500
  double busy = 0;                   // share of pages that first answer 503
  double reset = 0;                  // share of pages that first close the connection
  double slow = 0;                   // share of pages that answer after slow_time
  std::chrono::milliseconds latency{0}, slow_time{2'000}, retry_after{1'000};
  double changing = 0;  // share of pages that change from one generation to the next
  std::uint32_t generation = 0;
  bool names = false;  // hN.localhost instead of addresses
  bool sitemaps = false;
  std::uint32_t crawl_delay_ms = 0;  // named in robots.txt, when not 0
  std::uint16_t port = 0;            // part of every address
};

/// Views into the caller's buffer, read during the call.
struct Request {
  std::string_view method = "GET", host, path, if_none_match, if_modified_since;
  bool keep_alive = true;
};

struct Outcome {
  int status = 200;                    // 0: the connection is to be reset, and nothing was appended
  std::chrono::milliseconds delay{0};  // before it is sent
};

enum class Kind { kPage, kPicture, kMissing, kFailing };

/// One thread. Passing faults are remembered, eight bytes for each page that had one.
class Web {
 public:
  /// `pictures`: whole JPEG files, the pool that each picture address takes one of; may be empty when settings.pictures is 0.
  Web(const WebSettings& settings, std::vector<std::string> pictures);

  /// Appends a whole HTTP/1.1 answer to `out`. About 2 µs and a copy of the body; no heap once its buffers have grown.
  Outcome answer(const Request& request, std::string& out);

  /// Every address that a whole crawl from all front pages meets, redirects and robots.txt left out; in no order that means anything.
  void each_address(const std::function<void(Kind, std::string_view)>& visit) const;

  std::string address(std::uint32_t host, std::string_view path) const;
  std::uint32_t pages_of(std::uint32_t host) const {
    return host == 0 && settings_.huge_pages != 0 ? settings_.huge_pages : settings_.pages;
  }

 private:
  std::uint64_t draw(std::uint64_t host, std::uint64_t page, std::uint64_t what) const;
  bool chance(double share, std::uint32_t host, std::uint32_t page, std::uint64_t what) const;
  std::optional<std::uint32_t> host_index(std::string_view name) const;
  bool has_product(std::uint32_t host, std::uint32_t page) const;
  std::uint32_t version(std::uint32_t host, std::uint32_t page) const;
  void append_path(std::string& out, std::uint32_t host, std::uint32_t page) const;
  void append_link(std::uint32_t from_host, std::uint32_t host, std::uint32_t page);
  void append_links(std::uint32_t host, std::uint32_t page);
  void append_product(std::uint32_t host, std::uint32_t page, std::uint32_t page_version);
  void append_text(std::uint64_t bits, std::size_t bytes);
  void make_page(std::uint32_t host, std::uint32_t page, std::uint32_t page_version);
  std::string_view words(std::uint64_t bits) const;

  std::optional<std::uint32_t> page_number(std::uint32_t host, std::string_view path) const;
  Outcome answer_page(const Request& request, std::uint32_t host, std::uint32_t page, std::string& out);
  Outcome answer_picture(const Request& request, std::uint32_t host, std::uint64_t number, std::string& out);
  Outcome answer_robots(const Request& request, std::uint32_t host, std::string& out);
  Outcome answer_sitemap(const Request& request, std::uint32_t host, std::string_view name, std::string& out);
  Outcome finish(const Request& request, int status, std::string_view headers, std::string_view body, std::string& out) const;
  bool first_time(std::uint32_t host, std::uint32_t page) { return faulted_.insert(std::uint64_t{host} << 32 | page).second; }

  WebSettings settings_;
  std::vector<std::string> pictures_;
  std::string text_;     // that all pages take their paragraphs from
  std::string body_;     // of the answer being made
  std::string headers_;  // likewise
  std::unordered_set<std::uint64_t> faulted_;
};

}  // namespace magpie::synthetic
