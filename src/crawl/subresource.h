#pragma once
// What a page asks for while a browser shows it: a script, or data. Fetched by the crawl's own loop (fetch_loop.h), under its rules.
#include <functional>
#include <optional>
#include <string>

#include "net/http_client.h"
#include "net/url.h"

namespace magpie::crawl {

struct Subresource {
  Url url;
  std::string page;                 // the address of the page that asks
  HttpHeaders headers;              // beside those of the crawl
  std::optional<std::string> post;  // a body to POST
  /// Told the answer, whatever its status, on the loop's thread, once. kForbidden for what robots.txt refuses, kUnavailable for a host that
  /// rests or was given up, kCancelled at the end of the run.
  std::function<void(Result<HttpResponse>)> done;
};

}  // namespace magpie::crawl
