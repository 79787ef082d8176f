#include "base/json_writer.h"
#include "serve/multipart.h"
#include "serve/routes.h"
#include "serve/search_answer.h"
#include "serve/search_json.h"

namespace magpie {
namespace {

using SteadyClock = std::chrono::steady_clock;

RouteReply answer_search(ApiState& state, SearchRequest& request, SteadyClock::time_point began) {
  const FindUpload find = [&](const std::string& token) { return state.uploads.find(token); };
  SERVE_TRY([[maybe_unused]] const bool found, look_up_pictures(request, state.ports.catalog, find));
  count_dates_until(state.ports.clock.now(), request);
  const Result<SearchAnswer> answer = state.ports.searcher.search(request.query);
  if (!answer) return search_problem(answer.error());
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - began);
  SERVE_TRY(std::string text, search_answer_text(state.cards, state.ports.catalog, request, *answer, took));
  return json_reply(std::move(text));
}

/// The picture's bytes, a view into the request.
Outcome<std::string_view> uploaded_bytes(const HttpServerRequest& request) {
  const std::string_view type = request.header("content-type");
  if (same_header_name(type.substr(0, 6), "image/")) return std::string_view(request.body);
  if (!same_header_name(type.substr(0, 19), "multipart/form-data")) {
    return problem(415, "media_type_unsupported",
                   "send a search as application/json, or a picture as image/* or as the field 'picture' of a form");
  }
  const auto field = multipart_field(type, request.body, "picture");
  if (!field) return problem(400, "request_malformed", "{}", field.error().message);
  return *field;
}

Outcome<Embedding> understand(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY(const std::string_view bytes, uploaded_bytes(request));
  if (bytes.size() > Api::kPictureBytesMax)
    return problem(413, "picture_too_large", "the picture has {} bytes; it may have {}", bytes.size(), Api::kPictureBytesMax);
  if (bytes.empty()) return problem(422, "picture_unreadable", "the picture is empty");
  Result<Embedding> embedding = state.ports.pictures.embed(bytes, request.deadline);
  if (embedding) return *std::move(embedding);
  const Error& error = embedding.error();
  if (error.code == Code::kBadInput || error.code == Code::kTooLarge) return problem(422, "picture_unreadable", "{}", error.message);
  return problem(error);
}

}  // namespace

RouteReply search(ApiState& state, const HttpServerRequest& request) {
  const auto began = SteadyClock::now();
  SERVE_TRY(SearchRequest parsed, parse_search_request(request.query));
  return answer_search(state, parsed, began);
}

RouteReply search_by_body(ApiState& state, const HttpServerRequest& request) {
  const auto began = SteadyClock::now();
  if (is_json(request)) {
    SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
    SERVE_TRY(const SearchParameters parameters, search_parameters_of_json(request.body));
    SERVE_TRY(SearchRequest parsed, parse_search_request(parameters));
    return answer_search(state, parsed, began);
  }
  SERVE_TRY(SearchRequest parsed, parse_search_request(request.query));
  SERVE_TRY(const Embedding embedding, understand(state, request));
  const auto token = state.uploads.add(embedding);
  if (!token) return problem(503, "overloaded", "too many uploaded pictures are kept; try again later");
  parsed.like.insert(parsed.like.begin(), {.token = *token, .weight_thousandths = kLikeWeight});
  return answer_search(state, parsed, began);
}

}  // namespace magpie
