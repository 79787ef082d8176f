#include <algorithm>

#include "base/json_writer.h"
#include "serve/multipart.h"
#include "serve/routes.h"
#include "serve/search_answer.h"
#include "serve/search_json.h"

namespace magpie {
namespace {

using SteadyClock = std::chrono::steady_clock;

/// Those of the last searches are kept: their further pages and filters ask again.
Outcome<Embedding> embed_part(ApiState& state, ImageId id, const PicturePart& part, Deadline deadline) {
  const std::string name = fmt::format("{}@{}", id, to_text(part));
  if (auto kept = state.parts.find(name)) return *std::move(kept);
  SERVE_TRY(Embedding embedding, embed_archived_part(state.ports.catalog, state.ports.archive, state.ports.pictures, id, part, deadline));
  state.parts.keep(name, embedding);
  return embedding;
}

RouteReply answer_search(ApiState& state, SearchRequest& request, Deadline deadline, SteadyClock::time_point began) {
  const FindUpload find = [&](const std::string& token) { return state.uploads.find(token); };
  const EmbedPart embed = [&](ImageId id, const PicturePart& part) { return embed_part(state, id, part, deadline); };
  SERVE_TRY([[maybe_unused]] const bool found, look_up_pictures(request, state.ports.catalog, find, embed));
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

/// Of an upload, `box` is the part of it that is meant; it is taken out of the parameters.
Outcome<std::optional<PicturePart>> take_box(SearchParameters& parameters) {
  const auto box = std::ranges::find(parameters, "box", &SearchParameters::value_type::first);
  if (box == parameters.end()) return std::optional<PicturePart>();
  const auto part = parse_picture_part(box->second);
  if (!part) return problem(400, "parameter_invalid", "{}", box_problem(box->second));
  parameters.erase(box);
  return part;
}

/// What a search with an upload is refused for however the picture looks.
Outcome<bool> judge_before_looking(ApiState& state, const SearchRequest& request) {
  if (request.like.size() >= kLikeMax)
    return problem(400, "parameter_invalid", "like is given {} times; beside an uploaded picture it can be given {} times",
                   request.like.size(), kLikeMax - 1);
  return find_pictures(request, state.ports.catalog, [&](const std::string& token) { return state.uploads.find(token); });
}

Outcome<Embedding> understand(ApiState& state, const HttpServerRequest& request, const std::optional<PicturePart>& part) {
  SERVE_TRY(const std::string_view bytes, uploaded_bytes(request));
  if (bytes.size() > Api::kPictureBytesMax)
    return problem(413, "picture_too_large", "the picture has {} bytes; it may have {}", bytes.size(), Api::kPictureBytesMax);
  if (bytes.empty()) return problem(422, "picture_unreadable", "the picture is empty");
  PictureAnalyser& pictures = state.ports.pictures;
  Result<Embedding> embedding = part ? pictures.embed_part(bytes, *part, request.deadline) : pictures.embed(bytes, request.deadline);
  if (!embedding) return picture_problem(embedding.error());
  return *std::move(embedding);
}

}  // namespace

RouteReply search(ApiState& state, const HttpServerRequest& request) {
  const auto began = SteadyClock::now();
  SERVE_TRY(SearchRequest parsed, parse_search_request(request.query));
  return answer_search(state, parsed, request.deadline, began);
}

RouteReply search_by_body(ApiState& state, const HttpServerRequest& request) {
  const auto began = SteadyClock::now();
  if (is_json(request)) {
    SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
    SERVE_TRY(const SearchParameters parameters, search_parameters_of_json(request.body));
    SERVE_TRY(SearchRequest parsed, parse_search_request(parameters));
    return answer_search(state, parsed, request.deadline, began);
  }
  SearchParameters parameters = request.query;
  SERVE_TRY(const std::optional<PicturePart> part, take_box(parameters));
  SERVE_TRY(SearchRequest parsed, parse_search_request(parameters));
  SERVE_TRY([[maybe_unused]] const bool sound, judge_before_looking(state, parsed));
  SERVE_TRY(const Embedding embedding, understand(state, request, part));
  const auto token = state.uploads.add(embedding);
  if (!token) return problem(503, "overloaded", "too many uploaded pictures are kept; try again later");
  parsed.like.insert(parsed.like.begin(), {.token = *token, .weight_thousandths = kLikeWeight});
  return answer_search(state, parsed, request.deadline, began);
}

}  // namespace magpie
