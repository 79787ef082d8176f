#include <algorithm>

#include "base/json_writer.h"
#include "serve/api_text.h"
#include "serve/query_reader.h"
#include "serve/routes.h"

namespace magpie {
namespace {

constexpr std::size_t kFailuresMax = 50;
constexpr std::size_t kShopsMax = 200;

HttpServerReply plain_reply(std::string content_type, std::string text) {
  return {.headers = {{"Content-Type", std::move(content_type)}, {"Cache-Control", "no-store"}}, .body = std::move(text)};
}

void write_failures(JsonWriter& json, const CatalogStats& stats) {
  std::vector<std::pair<Cause, std::uint64_t>> failures(stats.failures_by_cause.begin(), stats.failures_by_cause.end());
  std::stable_sort(failures.begin(), failures.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  if (failures.size() > kFailuresMax) failures.resize(kFailuresMax);
  json.begin_array();
  for (const auto& [cause, count] : failures) json.begin_object().field("cause", to_string(cause)).field("count", count).end_object();
  json.end_array();
}

void write_shops(JsonWriter& json, const std::vector<ShopCount>& shops) {
  json.begin_array();
  for (std::size_t i = 0; i < std::min(shops.size(), kShopsMax); ++i) {
    const ShopCount& shop = shops[i];
    json.begin_object()
        .field("shop", shop.shop)
        .field("pages", shop.pages)
        .field("images", shop.images)
        .field("products", shop.products)
        .end_object();
  }
  json.end_array();
}

/// When the newest findable picture was fetched.
Outcome<std::optional<Timestamp>> last_fetch(ApiState& state) {
  SearchQuery query;
  query.sort = SortOrder::kNewest;
  query.limit = 1;
  query.facets.clear();
  query.prices = false;
  SERVE_TRY(const SearchAnswer answer, state.ports.searcher.search(query));
  if (answer.hits.empty()) return std::nullopt;
  SERVE_TRY(const auto newest, state.ports.catalog.image(answer.hits.front().id));
  if (!newest) return std::nullopt;
  return newest->fetched_at;
}

}  // namespace

HttpServerReply json_reply(std::string json) { return plain_reply("application/json", std::move(json)); }

Outcome<std::uint64_t> path_id(std::string_view text) {
  const auto id = parse_api_id(text);
  if (!id) return problem(400, "parameter_invalid", "the id in the path must be a whole number from 1 to {}", kApiIdMax);
  return *id;
}

bool is_json(const HttpServerRequest& request) {
  const std::string_view type = request.header("content-type");
  return same_header_name(type.substr(0, type.find_first_of("; ")), "application/json");
}

Outcome<bool> must_be_json(const HttpServerRequest& request) {
  if (is_json(request)) return true;
  return problem(415, "media_type_unsupported", "send the body as application/json");
}

Outcome<bool> no_parameters(const HttpServerRequest& request) {
  if (auto wrong = QueryReader(request.query).problem()) return tl::unexpected(*std::move(wrong));
  return true;
}

RouteReply stats(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const CatalogStats stats, state.ports.catalog.stats());
  SERVE_TRY(const auto snapshot, state.ports.text.snapshot());
  SERVE_TRY(const auto shops, state.shops.get(stats));
  SERVE_TRY(const std::optional<Timestamp> fetched_at, last_fetch(state));
  JsonWriter json;
  json.begin_object().field("version", state.options.version).field("pages", stats.pages).field("images", stats.images);
  json.field("images_indexed", snapshot->size()).field("products", stats.products);
  json.field("bytes_archived", state.ports.archive.bytes()).field("queued", state.ports.jobs.queued()).key("failures");
  write_failures(json, stats);
  json.key("shops");
  write_shops(json, *shops);
  json.field("shops_total", shops->size());
  write_time_or_null(json, "last_fetch_at", fetched_at);
  json.end_object();
  return json_reply(json.take());
}

RouteReply description(ApiState& state) { return plain_reply("application/yaml", state.options.openapi_yaml); }

RouteReply health() { return plain_reply("text/plain", "ok\n"); }

RouteReply readiness(ApiState& state) {
  if (state.options.ready) {
    if (const Result<void> ready = state.options.ready(); !ready) return problem(503, "not_ready", "{}", ready.error().message);
  }
  return plain_reply("text/plain", "ok\n");
}

RouteReply metrics(ApiState& state) { return plain_reply("text/plain; version=0.0.4", state.ports.metrics.text()); }

}  // namespace magpie
