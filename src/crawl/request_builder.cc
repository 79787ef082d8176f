#include "crawl/request_builder.h"

#include <algorithm>

#include "crawl/robots.h"
#include "crawl/sitemap.h"
#include "crawl/tdm_rules.h"
#include "net/domain.h"

namespace magpie::crawl {
namespace {

constexpr std::chrono::milliseconds kTdmTimeMax{10'000};  // few sites have the file: none waits long for it
constexpr std::string_view kAcceptPage = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5";
constexpr std::string_view kAcceptImage = "image/avif,image/webp,image/*;q=0.9,*/*;q=0.5";

bool is_set_cookie(std::string_view line) {
  constexpr std::string_view kName = "set-cookie:";
  return line.size() >= kName.size() && std::equal(kName.begin(), kName.end(), line.begin(), [](char a, char b) {
           return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b + 32) : b);
         });
}

/// Hosts whose cookies may be a session that the user's password has begun.
std::set<std::string, std::less<>> hosts_of(const std::map<std::string, FormLogin>& forms) {
  std::set<std::string, std::less<>> hosts;
  for (const auto& [origin, form] : forms) hosts.emplace(form.page.hostname());
  return hosts;
}

HttpLimits limits_of(const CrawlSettings& settings) {
  HttpLimits limits;
  limits.total_max = settings.fetch_max();
  limits.connect_max = std::min(limits.connect_max, settings.fetch_max());
  limits.speed_bytes_min = static_cast<std::size_t>(settings.speed_bytes_min());
  // What is held back by the bandwidth limit is not the server's slowness.
  if (const std::int64_t most = settings.bytes_per_second(); most > 0)
    limits.speed_bytes_min = std::min(limits.speed_bytes_min, static_cast<std::size_t>(most / settings.workers()));
  limits.speed_period = std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(settings.speed_period()));
  limits.speed_bytes_max = static_cast<std::size_t>(settings.bytes_per_second());
  return limits;
}

}  // namespace

RequestBuilder::RequestBuilder(const CrawlSettings& settings, Credentials credentials)
    : limits_(limits_of(settings)),
      page_bytes_max_(static_cast<std::size_t>(settings.page_bytes_max())),
      image_bytes_max_(static_cast<std::size_t>(settings.image_bytes_max())),
      with_cookies_(settings.cookies()),
      cookies_(hosts_of(credentials.logins.forms())),
      credentials_(std::move(credentials)) {}

HttpRequest RequestBuilder::build(const Url& url, UrlKind kind, Timestamp now) {
  const std::size_t bytes_max = kind == UrlKind::kSitemap ? SitemapLimits{}.bytes_max
                                : kind == UrlKind::kImage ? image_bytes_max_
                                                          : page_bytes_max_;
  HttpRequest request = start(url, bytes_max, now);
  if (kind == UrlKind::kPage) request.headers.push_back({"Accept", std::string(kAcceptPage)});
  if (kind == UrlKind::kImage) request.headers.push_back({"Accept", std::string(kAcceptImage)});
  return request;
}

HttpRequest RequestBuilder::build(const Subresource& subresource, Timestamp now) {
  HttpRequest request = start(subresource.url, page_bytes_max_, now);
  const auto page = Url::parse(subresource.page);
  const bool own = page && site_of_host(page->hostname()) == site_of_host(subresource.url.hostname());
  if (!own) request.headers.clear();
  for (const HttpHeader& header : subresource.headers) {
    if (is_sendable(header) && !find_header(request.headers, header.name)) request.headers.push_back(header);
  }
  request.headers.push_back({"Referer", own ? subresource.page : page ? page->origin() + "/" : ""});
  request.post = subresource.post;
  return request;
}

HttpRequest RequestBuilder::build_robots(const Url& url, Timestamp now) {
  HttpRequest request = start(url, kRobotsBytesMax, now);
  request.limits.keep_cut_body = true;
  return request;
}

HttpRequest RequestBuilder::build_tdm(const Url& url, Timestamp now) {
  HttpRequest request = start(url, kTdmBytesMax, now);
  request.limits.total_max = std::min(request.limits.total_max, kTdmTimeMax);
  return request;
}

// Some sites let a form in only with the page it stands on (Django's and Rails' guards against forgery).
HttpRequest RequestBuilder::build_login(const LoginRequest& login, Timestamp now) {
  if (login.begins) cookies_.forget(login.url);
  HttpRequest request = start(login.url, kLoginBytesMax, now);
  request.headers.push_back({"Accept", std::string(kAcceptPage)});
  if (!login.post) return request;
  request.headers.push_back({"Content-Type", "application/x-www-form-urlencoded"});
  request.headers.push_back({"Origin", login.url.origin()});
  request.headers.push_back({"Referer", login.referer});
  request.post = login.post;
  return request;
}

void RequestBuilder::hide_session(HttpResponse& response) const {
  if (!credentials_.concern(response.url)) return;
  std::string kept;
  std::string_view rest = response.header_block;
  bool hidden = false;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n') == rest.npos ? rest.size() : rest.find('\n') + 1);
    rest.remove_prefix(line.size());
    const bool continues = line.front() == ' ' || line.front() == '\t';  // a folded line belongs to the one before (RFC 9112 §5.2)
    hidden = continues ? hidden : is_set_cookie(line);
    if (!hidden) kept += line;
  }
  response.header_block = std::move(kept);
}

bool RequestBuilder::take_cookies(const HttpResponse& response, Timestamp now) {
  return with_cookies_ && cookies_.take(response.url, response.headers, now);
}

HttpRequest RequestBuilder::start(const Url& url, std::size_t bytes_max, Timestamp now) {
  HttpRequest request{.url = url, .tag = ++last_tag_};
  request.limits = limits_;
  request.limits.body_bytes_max = bytes_max;
  if (const std::string_view authorization = credentials_.logins.authorization_for(url); !authorization.empty())
    request.headers.push_back({"Authorization", std::string(authorization)});
  std::string cookies = credentials_.cookies.header_for(url, with_cookies_ ? cookies_.header_for(url, now) : "", now);
  if (!cookies.empty()) request.headers.push_back({"Cookie", std::move(cookies)});
  return request;
}

}  // namespace magpie::crawl
