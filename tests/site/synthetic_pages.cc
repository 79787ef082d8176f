#include "synthetic_pages.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <iterator>

namespace magpie::synthetic {
namespace {

constexpr std::size_t kTextBytes = 1 << 16;
constexpr std::uint32_t kUrlsPerSitemap = 5'000;
constexpr std::int64_t kFirstVersionTime = 1'735'689'600;  // 2025-01-01; each later generation is a day younger
constexpr std::array<std::string_view, 48> kWords = {
    "harbour", "copper",  "linen",  "window", "garden", "silver", "walnut", "kettle", "mirror", "velvet", "basket",   "candle",
    "lantern", "marble",  "ribbon", "saddle", "timber", "violet", "wicker", "zinc",   "amber",  "bridge", "cotton",   "drawer",
    "easel",   "feather", "goblet", "hammer", "island", "jacket", "ladder", "maple",  "needle", "orchid", "pepper",   "quartz",
    "river",   "spoon",   "teapot", "umber",  "vessel", "wagon",  "yarrow", "anchor", "button", "cradle", "dovetail", "engine"};

/// What a draw is about; part of the hash, so that draws do not depend on each other.
enum What : std::uint64_t { kLink, kOffHost, kLinkHost, kProduct, kFault, kMissingLink, kFailingLink, kChange, kTextAt, kPicture, kName };

std::uint64_t mix(std::uint64_t x) {  // splitmix64 (Steele, Lea, Flood 2014)
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

double fraction(std::uint64_t bits) { return static_cast<double>(bits >> 11) * 0x1p-53; }

/// A whole number without leading zeros, so that each page has one address only.
std::optional<std::uint64_t> number(std::string_view text) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool cut_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::string http_date(std::int64_t seconds) {
  const std::time_t time = seconds;
  std::tm parts{};
  gmtime_r(&time, &parts);
  char text[40];
  return std::string(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
}

std::string_view reason(int status) {
  switch (status) {
    case 200: return "OK";
    case 304: return "Not Modified";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 421: return "Misdirected Request";
    case 503: return "Service Unavailable";
    default: return "Internal Server Error";
  }
}

std::string make_text(std::uint64_t seed) {
  std::string text;
  while (text.size() < kTextBytes) {
    const std::uint64_t bits = mix(seed ^ text.size());
    text += kWords[bits % kWords.size()];
    text += bits >> 60 == 0 ? ". " : " ";
  }
  return text;
}

}  // namespace

Web::Web(const WebSettings& settings, std::vector<std::string> pictures)
    : settings_(settings), pictures_(std::move(pictures)), text_(make_text(settings.seed)) {}

// ---- draws ----------------------------------------------------------------------------------------------------------

std::uint64_t Web::draw(std::uint64_t host, std::uint64_t page, std::uint64_t what) const {
  return mix(mix(mix(settings_.seed ^ what << 48) ^ host << 32) ^ page);
}

bool Web::chance(double share, std::uint32_t host, std::uint32_t page, std::uint64_t what) const {
  return share > 0 && fraction(draw(host, page, what)) < share;
}

bool Web::has_product(std::uint32_t host, std::uint32_t page) const {
  return page != 0 && chance(settings_.products, host, page, kProduct);
}

/// The youngest generation, up to the present one, that changed the page.
std::uint32_t Web::version(std::uint32_t host, std::uint32_t page) const {
  std::uint32_t generation = settings_.generation;
  while (generation > 0 && !chance(settings_.changing, host, page, kChange | std::uint64_t{generation} << 8)) --generation;
  return generation;
}

std::string_view Web::words(std::uint64_t bits) const {
  const std::size_t from = text_.find(' ', bits % (kTextBytes - 256)) + 1;
  return std::string_view(text_).substr(from, text_.find(' ', from + 12) - from);
}

// ---- names ----------------------------------------------------------------------------------------------------------

std::string Web::address(std::uint32_t host, std::string_view path) const {
  if (settings_.names) return fmt::format("http://h{}.localhost:{}{}", host, settings_.port, path);
  return fmt::format("http://127.{}.{}.{}:{}{}", host / 62'500, host / 250 % 250, host % 250 + 1, settings_.port, path);
}

std::optional<std::uint32_t> Web::host_index(std::string_view name) const {
  name = name.substr(0, name.find(':'));
  std::optional<std::uint64_t> index;
  if (cut_prefix(name, "127.")) {
    const auto first = name.find('.'), second = name.find('.', first + 1);
    if (first == name.npos || second == name.npos) return std::nullopt;
    const auto a = number(name.substr(0, first)), b = number(name.substr(first + 1, second - first - 1)),
               c = number(name.substr(second + 1));
    if (!a || !b || !c || *a > 255 || *b >= 250 || *c == 0 || *c > 250) return std::nullopt;
    index = *a * 62'500 + *b * 250 + *c - 1;
  } else if (name == "localhost") {
    index = 0;
  } else if (cut_prefix(name, "h") && name.ends_with(".localhost")) {
    index = number(name.substr(0, name.size() - std::string_view(".localhost").size()));
  }
  if (!index || *index >= settings_.hosts) return std::nullopt;
  return static_cast<std::uint32_t>(*index);
}

void Web::append_path(std::string& out, std::uint32_t host, std::uint32_t page) const {
  if (page == 0) out += '/';
  else fmt::format_to(std::back_inserter(out), "/{}/{}", has_product(host, page) ? "product" : "page", page);
}

std::optional<std::uint32_t> Web::page_number(std::uint32_t host, std::string_view path) const {
  if (path == "/") return 0;
  const bool product = path.starts_with("/product/");
  if (!cut_prefix(path, "/product/") && !cut_prefix(path, "/page/")) return std::nullopt;
  const auto page = number(path);
  if (!page || *page == 0 || *page >= pages_of(host)) return std::nullopt;
  if (has_product(host, static_cast<std::uint32_t>(*page)) != product) return std::nullopt;
  return static_cast<std::uint32_t>(*page);
}

// ---- pages ----------------------------------------------------------------------------------------------------------

void Web::append_link(std::uint32_t from_host, std::uint32_t host, std::uint32_t page) {
  body_ += "<li><a href=\"";
  if (host != from_host) body_ += address(host, "");
  append_path(body_, host, page);
  fmt::format_to(std::back_inserter(body_), "\">{} {}</a>\n", words(draw(host, page, kName)), page);
}

void Web::append_links(std::uint32_t host, std::uint32_t page) {
  const std::uint64_t first = std::uint64_t{page} * settings_.branch + 1;
  const std::uint64_t end = std::min<std::uint64_t>(first + settings_.branch, pages_of(host));
  std::uint32_t links = 0;
  for (std::uint64_t child = first; child < end; ++child, ++links) append_link(host, host, static_cast<std::uint32_t>(child));
  for (; links < settings_.links; ++links) {
    const std::uint64_t nth = std::uint64_t{links} << 8;
    const bool off = settings_.hosts > 1 && chance(settings_.off_host, host, page, kOffHost | nth);
    const auto to_host = off ? static_cast<std::uint32_t>(draw(host, page, kLinkHost | nth) % settings_.hosts) : host;
    append_link(host, to_host, static_cast<std::uint32_t>(draw(host, page, kLink | nth) % pages_of(to_host)));
  }
  const auto out = std::back_inserter(body_);
  if (chance(settings_.missing, host, page, kMissingLink)) fmt::format_to(out, "<li><a href=\"/missing/{}\">gone</a>\n", page);
  if (chance(settings_.failing, host, page, kFailingLink)) fmt::format_to(out, "<li><a href=\"/failing/{}\">broken</a>\n", page);
  if (page == 0) body_ += "<li><a href=\"/forbidden/0\">not for robots</a>\n";
}

void Web::append_product(std::uint32_t host, std::uint32_t page, std::uint32_t page_version) {
  const std::uint64_t bits = draw(host, page, kProduct | std::uint64_t{page_version} << 8);
  const auto out = std::back_inserter(body_);
  fmt::format_to(out,
                 "<script type=\"application/ld+json\">{{\"@context\":\"https://schema.org\",\"@type\":\"Product\",\"name\":\"{} {}\","
                 "\"sku\":\"{}-{}\",\"offers\":{{\"@type\":\"Offer\",\"price\":\"{}.{:02}\",\"priceCurrency\":\"EUR\","
                 "\"availability\":\"https://schema.org/{}\"}}",
                 words(draw(host, page, kName)), page, host, page, 1 + bits % 900, (bits >> 16) % 100,
                 (bits >> 32) % 8 == 0 ? "OutOfStock" : "InStock");
  if (settings_.pictures > 0)
    fmt::format_to(out, ",\"image\":[\"{}\"]", address(host, fmt::format("/img/{}.jpg", std::uint64_t{page} * settings_.pictures)));
  body_ += "}</script>\n";
}

void Web::append_text(std::uint64_t bits, std::size_t bytes) {
  while (bytes > 0) {
    const std::size_t from = bits % (kTextBytes / 2);
    const std::size_t part = std::min(bytes, kTextBytes / 2);
    body_.append("<p>").append(text_, from, part).append("</p>\n");
    bytes -= part;
    bits = mix(bits);
  }
}

void Web::make_page(std::uint32_t host, std::uint32_t page, std::uint32_t page_version) {
  body_.clear();
  const auto out = std::back_inserter(body_);
  const std::string_view title = words(draw(host, page, kName));
  fmt::format_to(out, "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{} {}</title>\n", title, page);
  if (has_product(host, page)) append_product(host, page, page_version);
  fmt::format_to(out, "</head><body><h1>{} {}</h1>\n", title, page);
  for (std::uint32_t i = 0; i < settings_.pictures; ++i)
    fmt::format_to(out, "<img src=\"/img/{}.jpg\" alt=\"{} {}\">\n", std::uint64_t{page} * settings_.pictures + i, title, i);
  body_ += "<ul>\n";
  append_links(host, page);
  body_ += "</ul>\n";
  const std::size_t bytes = body_.size() < settings_.page_bytes ? settings_.page_bytes - body_.size() : 0;
  append_text(draw(host, page, kTextAt | std::uint64_t{page_version} << 8), bytes);
  body_ += "</body></html>\n";
}

Outcome Web::answer_page(const Request& request, std::uint32_t host, std::uint32_t page, std::string& out) {
  const double fault = fraction(draw(host, page, kFault));
  Outcome outcome;
  outcome.delay = settings_.latency;
  if (fault < settings_.busy + settings_.reset) {
    if (first_time(host, page)) {
      if (fault >= settings_.busy) return {.status = 0, .delay = settings_.latency};
      const auto seconds = std::chrono::ceil<std::chrono::seconds>(settings_.retry_after).count();
      return finish(request, 503, fmt::format("Retry-After: {}\r\n", seconds), "busy\n", out);
    }
  } else if (fault < settings_.busy + settings_.reset + settings_.slow) {
    outcome.delay += settings_.slow_time;
  }
  const std::uint32_t page_version = version(host, page);
  const std::string tag = fmt::format("\"{}-{}\"", page, page_version);
  const std::string date = http_date(kFirstVersionTime + 86'400 * std::int64_t{page_version});
  headers_.clear();
  fmt::format_to(std::back_inserter(headers_), "Content-Type: text/html; charset=utf-8\r\nETag: {}\r\nLast-Modified: {}\r\n", tag, date);
  const bool same = request.if_none_match.empty() ? request.if_modified_since == date : request.if_none_match == tag;
  if (!same) make_page(host, page, page_version);
  outcome.status = finish(request, same ? 304 : 200, headers_, same ? "" : body_, out).status;
  return outcome;
}

// ---- the rest -------------------------------------------------------------------------------------------------------

/// A picture of the pool with a comment segment of its own, so that no two addresses have the same bytes.
Outcome Web::answer_picture(const Request& request, std::uint32_t host, std::uint64_t picture, std::string& out) {
  const std::string& jpeg = pictures_[draw(host, picture, kPicture) % pictures_.size()];
  const std::string comment = fmt::format("{}/{}", host, picture);
  body_.assign("\xff\xd8\xff\xfe");
  body_ += static_cast<char>((comment.size() + 2) >> 8);
  body_ += static_cast<char>((comment.size() + 2) & 0xff);
  body_.append(comment).append(jpeg, 2);
  const std::string tag = fmt::format("\"i{}\"", picture);
  const bool same = request.if_none_match == tag;
  headers_ = fmt::format("Content-Type: image/jpeg\r\nETag: {}\r\n", tag);
  Outcome outcome = finish(request, same ? 304 : 200, headers_, same ? "" : body_, out);
  outcome.delay = settings_.latency;
  return outcome;
}

Outcome Web::answer_robots(const Request& request, std::uint32_t host, std::string& out) {
  body_ = "User-agent: *\nDisallow: /forbidden/\n";
  if (settings_.crawl_delay_ms > 0) body_ += fmt::format("Crawl-delay: {}\n", settings_.crawl_delay_ms / 1000.0);
  if (settings_.sitemaps) body_ += fmt::format("\nSitemap: {}\n", address(host, "/sitemap.xml"));
  return finish(request, 200, "Content-Type: text/plain\r\n", body_, out);
}

Outcome Web::answer_sitemap(const Request& request, std::uint32_t host, std::string_view name, std::string& out) {
  constexpr std::string_view kHead =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n";
  const std::uint32_t pages = pages_of(host);
  const auto put = std::back_inserter(body_ = "");
  if (name == ".xml") {
    fmt::format_to(put, kHead, "sitemapindex");
    for (std::uint32_t part = 0; part * kUrlsPerSitemap < pages; ++part)
      fmt::format_to(put, "<sitemap><loc>{}</loc></sitemap>\n", address(host, fmt::format("/sitemap-{}.xml", part)));
    body_ += "</sitemapindex>\n";
    return finish(request, 200, "Content-Type: application/xml\r\n", body_, out);
  }
  const auto part = cut_prefix(name, "-") && name.ends_with(".xml") ? number(name.substr(0, name.size() - 4)) : std::nullopt;
  if (!part || *part * kUrlsPerSitemap >= pages) return finish(request, 404, "", "no such sitemap\n", out);
  fmt::format_to(put, kHead, "urlset");
  const auto first = static_cast<std::uint32_t>(*part * kUrlsPerSitemap);
  std::string path;
  for (std::uint32_t page = first; page < std::min(pages, first + kUrlsPerSitemap); ++page) {
    append_path(path = "", host, page);
    const std::time_t time = kFirstVersionTime + 86'400 * std::int64_t{version(host, page)};
    std::tm day{};
    gmtime_r(&time, &day);
    fmt::format_to(put, "<url><loc>{}</loc><lastmod>{:04}-{:02}-{:02}</lastmod></url>\n", address(host, path), day.tm_year + 1900,
                   day.tm_mon + 1, day.tm_mday);
  }
  body_ += "</urlset>\n";
  return finish(request, 200, "Content-Type: application/xml\r\n", body_, out);
}

Outcome Web::finish(const Request& request, int status, std::string_view headers, std::string_view body, std::string& out) const {
  const auto put = std::back_inserter(out);
  fmt::format_to(put, "HTTP/1.1 {} {}\r\n{}", status, reason(status), headers);
  if (status != 304) fmt::format_to(put, "Content-Length: {}\r\n", body.size());
  out += request.keep_alive ? "\r\n" : "Connection: close\r\n\r\n";
  if (request.method != "HEAD") out += body;
  return {.status = status};
}

Outcome Web::answer(const Request& request, std::string& out) {
  if (request.method != "GET" && request.method != "HEAD") return finish(request, 405, "Allow: GET, HEAD\r\n", "", out);
  const auto host = host_index(request.host);
  if (!host) return finish(request, 421, "", "no such host\n", out);
  std::string_view path = request.path;
  if (const auto page = page_number(*host, path)) return answer_page(request, *host, *page, out);
  if (cut_prefix(path, "/img/") && path.ends_with(".jpg")) {
    const auto picture = number(path.substr(0, path.size() - 4));
    if (picture && !pictures_.empty() && *picture < std::uint64_t{pages_of(*host)} * settings_.pictures)
      return answer_picture(request, *host, *picture, out);
  }
  path = request.path;
  if (path == "/robots.txt") return answer_robots(request, *host, out);
  if (settings_.sitemaps && cut_prefix(path, "/sitemap")) return answer_sitemap(request, *host, path, out);
  if (path.starts_with("/failing/")) return finish(request, 500, "", "this page always fails\n", out);
  return finish(request, 404, "Content-Type: text/html\r\n", "<!DOCTYPE html><title>Not found</title><p>Not found.</p>\n", out);
}

void Web::each_address(const std::function<void(Kind, std::string_view)>& visit) const {
  std::string path;
  for (std::uint32_t host = 0; host < settings_.hosts; ++host) {
    const std::string base = address(host, "");
    for (std::uint32_t page = 0; page < pages_of(host); ++page) {
      append_path(path = base, host, page);
      visit(Kind::kPage, path);
      for (std::uint32_t i = 0; i < settings_.pictures; ++i)
        visit(Kind::kPicture, fmt::format("{}/img/{}.jpg", base, std::uint64_t{page} * settings_.pictures + i));
      if (chance(settings_.missing, host, page, kMissingLink)) visit(Kind::kMissing, fmt::format("{}/missing/{}", base, page));
      if (chance(settings_.failing, host, page, kFailingLink)) visit(Kind::kFailing, fmt::format("{}/failing/{}", base, page));
    }
  }
}

}  // namespace magpie::synthetic
