#pragma once
// Turns an address into the request that is sent for it: what is accepted, how much may come, the host's own cookies, and what
// the user gave for it to be let in. One thread.
#include <cstdint>

#include "core/records.h"
#include "crawl/cookie_jar.h"
#include "crawl/credentials.h"
#include "crawl/settings.h"
#include "crawl/subresource.h"
#include "net/http_client.h"

namespace magpie::crawl {

class RequestBuilder {
 public:
  RequestBuilder(const CrawlSettings& settings, Credentials credentials);

  /// Requests have tags from 1, each its own.
  HttpRequest build(const Url& url, UrlKind kind, Timestamp now);
  /// Cookies and passwords go along to the page's own site only.
  HttpRequest build(const Subresource& subresource, Timestamp now);
  HttpRequest build_robots(const Url& url, Timestamp now);
  HttpRequest build_tdm(const Url& url, Timestamp now);
  /// A step of a login by form. Its first begins without the cookies that the host has set so far.
  HttpRequest build_login(const LoginRequest& login, Timestamp now);

  /// Keeps the cookies of an answer; true when one of them is new or has another value.
  bool take_cookies(const HttpResponse& response, Timestamp now);

  /// Takes the cookies off the head of an answer that somebody's login has brought, so that no archive keeps a session.
  void hide_session(HttpResponse& response) const;

 private:
  HttpRequest start(const Url& url, std::size_t bytes_max, Timestamp now);

  HttpLimits limits_;  // of every request; the body's bytes are each kind's own
  std::size_t page_bytes_max_, image_bytes_max_;
  bool with_cookies_;
  CookieJar cookies_;
  Credentials credentials_;
  std::uint64_t last_tag_ = 0;
};

}  // namespace magpie::crawl
