#include "browser/request_filter.h"

#include <algorithm>
#include <array>

#include "net/domain.h"
#include "net/url.h"

namespace magpie::browser {
namespace {

// Sorted. The services that shops' pages carry most often; one that is missing costs a request and nothing else.
constexpr std::array<std::string_view, 62> kTrackers = {
    "2o7.net",
    "adform.net",
    "adnxs.com",
    "adobedtm.com",
    "adroll.com",
    "adsrvr.org",
    "adtm.com",
    "amplitude.com",
    "appsflyer.com",
    "bat.bing.com",
    "bing.com",
    "bugsnag.com",
    "casalemedia.com",
    "chartbeat.com",
    "clarity.ms",
    "connect.facebook.net",
    "cookiebot.com",
    "cookielaw.org",
    "criteo.com",
    "criteo.net",
    "crazyegg.com",
    "demdex.net",
    "doubleclick.net",
    "drift.com",
    "everesttech.net",
    "facebook.com",
    "fullstory.com",
    "google-analytics.com",
    "googleadservices.com",
    "googlesyndication.com",
    "googletagmanager.com",
    "googletagservices.com",
    "heapanalytics.com",
    "hotjar.com",
    "hotjar.io",
    "hs-analytics.net",
    "hs-scripts.com",
    "intercom.io",
    "klaviyo.com",
    "krxd.net",
    "licdn.com",
    "logrocket.io",
    "matomo.cloud",
    "mc.yandex.ru",
    "mixpanel.com",
    "mouseflow.com",
    "newrelic.com",
    "nr-data.net",
    "omtrdc.net",
    "onetrust.com",
    "outbrain.com",
    "pinimg.com",
    "quantserve.com",
    "recaptcha.net",
    "scorecardresearch.com",
    "segment.com",
    "segment.io",
    "sentry.io",
    "taboola.com",
    "tiktok.com",
    "usercentrics.eu",
    "zdassets.com",
};

bool is_data(std::string_view type) { return type == "XHR" || type == "Fetch"; }

}  // namespace

bool is_tracker(std::string_view host) {
  while (!host.empty()) {
    if (std::find(kTrackers.begin(), kTrackers.end(), host) != kTrackers.end()) return true;
    const std::size_t dot = host.find('.');
    host.remove_prefix(dot == std::string_view::npos ? host.size() : dot + 1);
  }
  return false;
}

Handling judge_request(const PageRequest& request) {
  if (request.type == "Document") {
    const bool is_page = request.main_frame && !request.page_given && request.url == request.page && request.method == "GET";
    return is_page ? Handling::kPage : Handling::kRefuse;
  }
  if (request.type == "Image") return Handling::kPicture;
  if (request.type == "Stylesheet") return Handling::kStyle;
  if (request.type != "Script" && !is_data(request.type)) return Handling::kRefuse;
  const auto url = Url::parse(request.url);
  if (!url || !url->is_http() || is_tracker(url->hostname())) return Handling::kRefuse;
  if (request.method == "GET") return Handling::kFetch;
  if (!is_data(request.type)) return Handling::kRefuse;
  const auto page = Url::parse(request.page);
  const bool own = page && site_of_host(page->hostname()) == site_of_host(url->hostname());
  if (request.method == "OPTIONS") return Handling::kPreflight;
  return request.method == "POST" && own ? Handling::kFetch : Handling::kRefuse;
}

}  // namespace magpie::browser
