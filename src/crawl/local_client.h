#pragma once
// An HttpClient that opens no socket: answers come from this machine, by a function. The fetch loop, and all behind it, then work as for
// any crawl (replay_client.h, collect/folder.h).
#include <functional>
#include <memory>

#include "crawl/settings.h"
#include "net/http_client.h"

namespace magpie::crawl {

/// Called on the thread that polls, once a request; `response` has the request's tag and URL. It should not take long: a few of these make
/// one poll().
using LocalAnswer = std::function<HttpResponse(const HttpRequest& request, HttpResponse response)>;

/// kUnavailable when there is no descriptor for waking it.
Result<std::unique_ptr<HttpClient>> make_local_client(LocalAnswer answer);

/// `response` as one that failed.
HttpResponse failed_answer(HttpResponse response, HttpCause cause, Error error);
/// `response` as a 404 without a body: what local clients say of robots.txt.
HttpResponse not_found(HttpResponse response);

/// `settings` for a crawl that asks nobody: no delays, no tries again, no limits on a host's pages; what an answer means stays.
CrawlSettings local_settings(CrawlSettings settings);

}  // namespace magpie::crawl
