#pragma once
// Turns an address into the request that is sent for it: what is accepted, how much may come, the host's own cookies. One thread.
#include <cstdint>

#include "core/records.h"
#include "crawl/cookie_jar.h"
#include "crawl/settings.h"
#include "net/http_client.h"

namespace magpie::crawl {

class RequestBuilder {
 public:
  explicit RequestBuilder(const CrawlSettings& settings);

  /// Requests have tags from 1, each its own.
  HttpRequest build(const Url& url, UrlKind kind, Timestamp now);
  HttpRequest build_robots(const Url& url, Timestamp now);
  HttpRequest build_tdm(const Url& url, Timestamp now);

  /// Keeps the cookies of an answer; true when one of them is new or has another value.
  bool take_cookies(const HttpResponse& response, Timestamp now);

 private:
  HttpRequest start(const Url& url, std::size_t bytes_max, Timestamp now);

  HttpLimits limits_;  // of every request; the body's bytes are each kind's own
  std::size_t page_bytes_max_, image_bytes_max_;
  bool with_cookies_;
  CookieJar cookies_;
  std::uint64_t last_tag_ = 0;
};

}  // namespace magpie::crawl
