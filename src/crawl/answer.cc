#include "crawl/answer.h"

#include <algorithm>
#include <string>

#include "base/ascii.h"

namespace magpie::crawl {
namespace {

Cause cause_of(HttpCause cause) {
  switch (cause) {
    case HttpCause::kNone: return Cause::kNone;
    case HttpCause::kDns: return Cause::kDns;
    case HttpCause::kConnect: return Cause::kConnect;
    case HttpCause::kTls: return Cause::kTls;
    case HttpCause::kTimeout: return Cause::kTimeout;
    case HttpCause::kTooLarge: return Cause::kTooLarge;
    case HttpCause::kProtocol: return Cause::kProtocol;
    case HttpCause::kGuard: return Cause::kGuard;
    case HttpCause::kRequest: return Cause::kProtocol;
    case HttpCause::kCancelled: return Cause::kCancelled;
  }
  return Cause::kProtocol;
}

AnswerVerdict judge_failure(const HttpResponse& response) {
  AnswerVerdict verdict{.cause = cause_of(response.cause), .signal = HostSignal::kNeutral};
  if (response.error) verdict.detail = response.error->message;
  switch (response.cause) {
    case HttpCause::kTimeout:
      verdict.passing = response.status == 0;  // one that began to answer and then trickled would do so again
      verdict.signal = HostSignal::kTimeout;
      break;
    case HttpCause::kDns:
    case HttpCause::kConnect:
      verdict.passing = true;
      verdict.signal = HostSignal::kUnreachable;
      break;
    case HttpCause::kTls: verdict.signal = HostSignal::kUnreachable; break;
    case HttpCause::kProtocol: verdict.passing = true; break;
    default: break;
  }
  return verdict;
}

AnswerVerdict judge_status(const HttpResponse& response, Timestamp now) {
  AnswerVerdict verdict{.detail = fmt::format("answered {}", response.status)};
  if (const auto value = response.header("Retry-After")) verdict.retry_after = parse_retry_after(*value, now);
  if (response.status == 429 || response.status == 503) {
    verdict.cause = Cause::kThrottled;
    verdict.passing = true;
    verdict.signal = HostSignal::kThrottled;
  } else if (response.status == 404 || response.status == 410) {
    verdict.cause = Cause::kNotFound;
  } else if (response.status >= 300 && response.status < 400) {
    verdict.cause = Cause::kProtocol;
  } else {
    verdict.cause = Cause::kStatus;
    verdict.passing =
        response.status == 408 || response.status == 425 || (response.status >= 500 && response.status != 501 && response.status != 505);
  }
  return verdict;
}

std::string media_type(const HttpResponse& response) {
  const std::string_view type = response.header("Content-Type").value_or("");
  return ascii_lowered(type.substr(0, type.find_first_of("; \t,")));
}

bool starts_as_picture(std::string_view body) {
  using namespace std::string_view_literals;
  for (const std::string_view magic : {"\xFF\xD8\xFF"sv, "\x89PNG\r\n\x1A\n"sv, "GIF8"sv, "BM"sv, "II*\0"sv, "MM\0*"sv, "\0\0\1\0"sv}) {
    if (body.starts_with(magic)) return true;
  }
  if (body.starts_with("RIFF") && body.substr(0, 12).ends_with("WEBP")) return true;
  return body.size() >= 12 && body.substr(4, 4) == "ftyp" && (body.substr(8, 2) == "av" || body.substr(8, 2) == "mi");
}

// Lower-cased start of a text body, behind white space and a BOM.
std::string text_start(std::string_view body) {
  if (body.starts_with("\xEF\xBB\xBF")) body.remove_prefix(3);
  body.remove_prefix(std::min(body.find_first_not_of(" \t\r\n"), body.size()));
  return ascii_lowered(body.substr(0, 1'024));
}

}  // namespace

AnswerVerdict judge_answer(const HttpResponse& response, Timestamp now) {
  if (response.cause != HttpCause::kNone) return judge_failure(response);
  if (response.status >= 200 && response.status < 300) return {};
  return judge_status(response, now);
}

std::string robots_tag(const HttpHeaders& headers) {
  std::string lines = header_lines(headers, "x-robots-tag");
  if (find_header(headers, "tdm-reservation") != "1") return lines;
  return lines.empty() ? "noai" : "noai\n" + lines;
}

std::optional<UrlKind> kind_of_answer(const HttpResponse& response, UrlKind wanted) {
  if (wanted == UrlKind::kSitemap) return UrlKind::kSitemap;
  const std::string type = media_type(response);
  if (type == "text/html" || type == "application/xhtml+xml") {
    return wanted == UrlKind::kImage && starts_as_picture(response.body) ? UrlKind::kImage : UrlKind::kPage;
  }
  if (type.starts_with("image/")) return UrlKind::kImage;
  const bool vague = type.empty() || type == "application/octet-stream" || type == "binary/octet-stream" || type == "text/plain";
  if ((vague || wanted == UrlKind::kImage) && starts_as_picture(response.body)) return UrlKind::kImage;
  const bool xml = type == "text/xml" || type == "application/xml";
  if (!xml && (!vague || type == "text/plain")) return std::nullopt;
  const std::string start = text_start(response.body);
  if (start.find("<svg") != std::string::npos && start.find("<html") == std::string::npos) return UrlKind::kImage;
  if (start.find("<html") != std::string::npos || start.starts_with("<!doctype html")) return UrlKind::kPage;
  return !xml && start.starts_with('<') ? std::optional(UrlKind::kPage) : std::nullopt;
}

}  // namespace magpie::crawl
