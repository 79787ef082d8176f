#include "serve/search_request.h"

#include <algorithm>
#include <array>

#include "core/price.h"
#include "serve/api_text.h"
#include "serve/query_reader.h"

namespace magpie {
namespace {

constexpr std::size_t kWordsCharactersMax = 500;
constexpr std::size_t kValuesMax = 50;
constexpr std::size_t kColoursMax = 11;
constexpr std::uint64_t kOffsetMax = 100'000;
constexpr std::uint64_t kLimitPreset = 40;

void read_like(QueryReader& reader, SearchQuery& query) {
  for (const std::string& text : reader.texts("like", 1)) {
    const auto id = parse_api_id(text);
    if (!id) reader.refuse("parameter_invalid", fmt::format("like is '{}'; it must be a picture's id", text));
    // Pictures have ids of 32 bits; a larger one is well-formed and names none, which the searcher says of id 0.
    else query.like.push_back(*id > UINT32_MAX ? kNoId : static_cast<ImageId>(*id));
  }
}

void read_region(QueryReader& reader, SearchRequest& request) {
  request.query.like_region = static_cast<std::uint16_t>(reader.number("region", 1, kRegionsMax, 0));
  request.same_class = reader.boolean("same_class", true);
  if (request.query.like_region != 0 && request.query.like.empty())
    reader.refuse("parameter_missing", "region needs like, the picture that it is a part of");
}

void read_picture(QueryReader& reader, SearchRequest& request) {
  request.picture_token = reader.text("picture", 64);
  if (!request.picture_token) return;
  const std::string& token = *request.picture_token;
  const bool sound = token.size() >= 16 && std::all_of(token.begin(), token.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
                     });
  if (!sound) reader.refuse("parameter_invalid", "picture is not a picture_token");
  if (!request.query.like.empty()) reader.refuse("parameter_invalid", "picture and like cannot be given together");
}

std::optional<std::int64_t> read_amount(QueryReader& reader, std::string_view name, std::string& echo) {
  const auto text = reader.text(name, 20);
  if (!text) return std::nullopt;
  const auto micros = is_api_amount(*text) ? price_micros(*text) : std::nullopt;
  if (!micros) reader.refuse("parameter_invalid", fmt::format("{} is '{}'; it must be an amount like 34.90", name, *text));
  echo = *text;
  return micros;
}

void read_prices(QueryReader& reader, SearchRequest& request) {
  Filter& filter = request.query.filter;
  filter.price_min_micros = read_amount(reader, "price_min", request.price_min);
  filter.price_max_micros = read_amount(reader, "price_max", request.price_max);
  if (const auto currency = reader.text("currency", 3)) {
    if (!has_currency_form(*currency))
      reader.refuse("parameter_invalid", fmt::format("currency is '{}'; it must be a code like EUR", *currency));
    filter.currencies = {*currency};
  } else if (filter.price_min_micros || filter.price_max_micros) {
    reader.refuse("parameter_missing", "price_min and price_max need currency, as prices are never converted");
  }
}

void read_since(QueryReader& reader, SearchRequest& request) {
  const auto text = reader.text("since", 40);
  if (!text) return;
  const auto time = parse_api_time(*text);
  if (!time) return reader.refuse("parameter_invalid", fmt::format("since is '{}'; it must be a time like 2026-11-21T23:14:05Z", *text));
  request.query.filter.since_seconds = std::chrono::floor<std::chrono::seconds>(*time).time_since_epoch().count();
  request.since = api_time(*time);
}

void read_sort(QueryReader& reader, SearchQuery& query) {
  const std::string sort = reader.text("sort", 20).value_or("relevance");
  if (sort == "newest") query.sort = SortOrder::kNewest;
  else if (sort == "price") query.sort = SortOrder::kPriceAsc;
  else if (sort != "relevance")
    reader.refuse("parameter_invalid", fmt::format("sort is '{}'; it must be relevance, newest or price", sort));
}

std::vector<std::string> read_colours(QueryReader& reader) {
  std::vector<std::string> colours = reader.texts("colour", kColoursMax);
  for (const std::string& colour : colours) {
    if (!is_colour_name(colour))
      reader.refuse("parameter_invalid", fmt::format("colour is '{}'; it must be one of the eleven basic colours", colour));
  }
  return colours;
}

std::string_view sort_name(SortOrder sort) {
  if (sort == SortOrder::kNewest) return "newest";
  return sort == SortOrder::kRelevance ? "relevance" : "price";
}

void write_texts(JsonWriter& json, std::string_view key, const std::vector<std::string>& values) {
  if (values.empty()) return;
  json.key(key).begin_array();
  for (const std::string& value : values) json.string(value);
  json.end_array();
}

void write_values(JsonWriter& json, Facet facet, const SearchAnswer& answer) {
  json.begin_array();
  for (const FacetCounts& counts : answer.facets) {
    if (counts.facet != facet) continue;
    const std::size_t shown = std::min<std::size_t>(counts.values.size(), facet == Facet::kColour ? kColoursMax : 100);
    for (std::size_t i = 0; i < shown; ++i)
      json.begin_object().field("value", counts.values[i].value).field("count", counts.values[i].count).end_object();
  }
  json.end_array();
}

void write_price_facet(JsonWriter& json, const PriceFacet& facet) {
  json.begin_object().field("currency", facet.currency).field("count", facet.count);
  json.field("min", api_amount(facet.min_micros)).field("max", api_amount(facet.max_micros)).key("ranges").begin_array();
  for (const PriceRange& range : facet.ranges) {
    json.begin_object().field("from", api_amount(range.from_micros)).key("to");
    range.to_micros ? json.string(api_amount(*range.to_micros)) : json.null();
    json.field("count", range.count).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

Outcome<SearchRequest> parse_search_request(const HttpServerRequest& request, bool upload) {
  QueryReader reader(request.query);
  SearchRequest parsed;
  SearchQuery& query = parsed.query;
  query.words = reader.text("q", kWordsCharactersMax).value_or("");
  if (!upload) {
    read_like(reader, query);
    read_region(reader, parsed);
    read_picture(reader, parsed);
  }
  query.filter.shops = reader.texts("shop", kValuesMax);
  query.filter.categories = reader.texts("category", kValuesMax);
  query.filter.brands = reader.texts("brand", kValuesMax);
  query.filter.colours = read_colours(reader);
  query.filter.classes = reader.texts("class", kValuesMax);
  read_prices(reader, parsed);
  read_since(reader, parsed);
  read_sort(reader, query);
  query.beyond = reader.boolean("beyond", false);
  query.exact = reader.boolean("exact");
  query.offset = reader.number("offset", 0, kOffsetMax, 0);
  query.limit = reader.number("limit", 0, kSearchLimitMax, kLimitPreset);
  parsed.wants_facets = reader.boolean("facets", false);
  query.facets.clear();
  if (parsed.wants_facets) query.facets = {Facet::kShop, Facet::kCategory, Facet::kBrand, Facet::kColour, Facet::kClass};
  query.prices = parsed.wants_facets;
  if (auto wrong = reader.problem()) return tl::unexpected(*std::move(wrong));
  return parsed;
}

void write_query_echo(JsonWriter& json, const SearchRequest& request) {
  const SearchQuery& query = request.query;
  json.begin_object();
  if (!query.words.empty()) json.field("q", query.words);
  if (!query.like.empty()) {
    json.key("like").begin_array();
    for (const ImageId id : query.like) json.number(id);
    json.end_array();
  }
  if (query.like_region != 0) json.field("region", query.like_region).field("same_class", request.same_class);
  if (request.picture_token) json.field("picture", *request.picture_token);
  write_texts(json, "shop", query.filter.shops);
  write_texts(json, "category", query.filter.categories);
  write_texts(json, "brand", query.filter.brands);
  write_texts(json, "colour", query.filter.colours);
  write_texts(json, "class", query.filter.classes);
  if (!request.price_min.empty()) json.field("price_min", request.price_min);
  if (!request.price_max.empty()) json.field("price_max", request.price_max);
  if (!query.filter.currencies.empty()) json.field("currency", query.filter.currencies.front());
  if (!request.since.empty()) json.field("since", request.since);
  if (query.beyond) json.field("beyond", true);
  json.field("sort", sort_name(query.sort)).end_object();
}

void write_facets(JsonWriter& json, const SearchAnswer& answer) {
  constexpr std::array<Facet, 5> kFacets = {Facet::kShop, Facet::kCategory, Facet::kBrand, Facet::kColour, Facet::kClass};
  json.begin_object();
  for (const Facet facet : kFacets) {
    json.key(to_string(facet));
    write_values(json, facet, answer);
  }
  json.key("price").begin_array();
  for (std::size_t i = 0; i < std::min<std::size_t>(answer.prices.size(), 20); ++i) write_price_facet(json, answer.prices[i]);
  json.end_array().end_object();
}

}  // namespace magpie
