#include "serve/problem.h"

#include "base/json_writer.h"
#include "base/log.h"

namespace magpie {

std::string_view status_words(int status) {
  switch (status) {
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 410: return "Gone";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 421: return "Misdirected Request";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 503: return "Service Unavailable";
    default: return "Error";
  }
}

tl::unexpected<Problem> problem(const Error& error) {
  switch (error.code) {
    case Code::kTimeout:
    case Code::kUnavailable:
    case Code::kBusy:
    case Code::kCancelled: return problem(503, "overloaded", "{}; try again in a moment", error.message);
    default: break;
  }
  log::error("api.internal", {{"code", to_string(error.code)}, {"message", error.message}});
  return problem(500, "internal", "{}", error.message);
}

HttpServerReply problem_reply(const Problem& problem) {
  JsonWriter json;
  json.begin_object();
  json.field("title", status_words(problem.status)).field("status", problem.status);
  json.field("code", problem.code).field("detail", problem.detail).end_object();
  HttpServerReply reply{.status = problem.status,
                        .headers = {{"Content-Type", "application/problem+json"}, {"Cache-Control", "no-store"}},
                        .body = json.take()};
  if (problem.status == 401) reply.headers.push_back({"WWW-Authenticate", "Bearer realm=\"magpie\""});
  if (problem.retry_after_s > 0) reply.headers.push_back({"Retry-After", std::to_string(problem.retry_after_s)});
  return reply;
}

}  // namespace magpie
