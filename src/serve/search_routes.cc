#include "base/json_writer.h"
#include "serve/multipart.h"
#include "serve/routes.h"
#include "serve/search_request.h"

namespace magpie {
namespace {

using SteadyClock = std::chrono::steady_clock;

Outcome<std::string> hits_text(ApiState& state, const SearchAnswer& answer) {
  std::vector<HitScore> scores;
  scores.reserve(answer.hits.size());
  for (const SearchHit& hit : answer.hits)
    scores.push_back({.id = hit.id, .score = hit.score, .copies = hit.copies_total, .by_looks = hit.by_looks, .region = hit.region});
  SERVE_TRY(std::string hits, state.cards.array(scores));
  return hits;
}

/// A `like` that names no picture is the caller's; everything else the searcher says is ours.
tl::unexpected<Problem> search_problem(const Error& error) {
  if (error.code == Code::kNotFound) return problem(404, "image_not_found", "{}", error.message);
  if (error.code == Code::kBadInput || error.code == Code::kTooLarge) return problem(400, "parameter_invalid", "{}", error.message);
  return problem(error);
}

/// Asked for what is like a region, only regions of its class are compared, unless that is not wanted.
Result<VectorScope> scope_of(const Catalog& catalog, const SearchRequest& request) {
  const SearchQuery& query = request.query;
  if (query.like_region == 0 || !request.same_class) return VectorScope();
  MAGPIE_TRY(const auto details, catalog.image_details(query.like.front()));
  const bool known = details && query.like_region <= details->regions.size();
  if (!known) return VectorScope();  // the searcher says so
  return VectorScope{VectorPart::kRegion, details->regions[query.like_region - 1U].label};
}

RouteReply answer_search(ApiState& state, const SearchRequest& request, SteadyClock::time_point began) {
  const Result<SearchAnswer> answer = state.ports.searcher.search(request.query);
  if (!answer) return search_problem(answer.error());
  SERVE_TRY(const std::string hits, hits_text(state, *answer));
  JsonWriter json;
  json.begin_object()
      .field("total", answer->total)
      .field("total_is_exact", answer->exactness == Exactness::kExact)
      .field("any_word", answer->any_word);
  json.key("meant").begin_array();
  for (const auto& [typed, meant] : answer->meant) json.begin_object().field("typed", typed).field("meant", meant).end_object();
  json.end_array();
  json.field("offset", request.query.offset).field("limit", request.query.limit).key("query");
  write_query_echo(json, request);
  if (request.picture_token) json.field("picture_token", *request.picture_token);
  if (request.wants_facets) {
    json.key("facets");
    write_facets(json, *answer);
  }
  json.key("hits").raw(hits);
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - began).count();
  json.field("took_ms", static_cast<double>(microseconds) / 1'000).end_object();
  return json_reply(json.take());
}

/// The picture's bytes, a view into the request.
Outcome<std::string_view> uploaded_bytes(const HttpServerRequest& request) {
  const std::string_view type = request.header("content-type");
  if (same_header_name(type.substr(0, 6), "image/")) return std::string_view(request.body);
  if (!same_header_name(type.substr(0, 19), "multipart/form-data")) {
    return problem(415, "media_type_unsupported", "send the picture as image/* or as the field 'picture' of a form");
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
  SERVE_TRY(SearchRequest parsed, parse_search_request(request, false));
  if (parsed.picture_token) {
    auto embedding = state.uploads.find(*parsed.picture_token);
    if (!embedding) return problem(410, "picture_expired", "the uploaded picture is no longer kept; upload it again");
    parsed.query.picture = *std::move(embedding);
  }
  SERVE_TRY(parsed.query.scope, scope_of(state.ports.catalog, parsed));
  return answer_search(state, parsed, began);
}

RouteReply search_by_picture(ApiState& state, const HttpServerRequest& request) {
  const auto began = SteadyClock::now();
  SERVE_TRY(SearchRequest parsed, parse_search_request(request, true));
  SERVE_TRY(parsed.query.picture, understand(state, request));
  parsed.picture_token = state.uploads.add(parsed.query.picture);
  if (!parsed.picture_token) return problem(503, "overloaded", "too many uploaded pictures are kept; try again later");
  return answer_search(state, parsed, began);
}

}  // namespace magpie
