#include "serve/search_request.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "base/utf8.h"
#include "core/price.h"
#include "search/typed_words.h"
#include "serve/api_text.h"
#include "serve/query_reader.h"
#include "serve/search_json.h"

namespace magpie {
namespace {

constexpr std::size_t kWordsCharactersMax = 500;
constexpr std::size_t kValuesMax = 50;
constexpr std::size_t kColoursMax = 11;
constexpr std::uint64_t kPerOwnerMax = 100;
constexpr std::uint64_t kOffsetMax = 100'000;
constexpr std::uint64_t kLimitPreset = 40;
constexpr std::array<Facet, 9> kCountedFacets = {Facet::kShop, Facet::kCategory, Facet::kBrand, Facet::kColour, Facet::kClass,
                                                 Facet::kSize, Facet::kLanguage, Facet::kLabel, Facet::kLicence};

void read_words(QueryReader& reader, SearchRequest& request) {
  request.typed = reader.text("q", kWordsCharactersMax).value_or("");
  Result<TypedWords> typed = parse_typed_words(request.typed);
  if (!typed) return reader.refuse("parameter_invalid", typed.error().message);
  request.query.words = std::move(typed->words);
  request.query.phrases = std::move(typed->phrases);
  request.query.filter.without = std::move(typed->without);
}

std::string picture_problem_text(std::string_view name, const std::string& text) {
  const std::string shown = to_valid_utf8(utf8_prefix(text, 100));
  if (is_picture_token(text.substr(0, text.find('@'))))
    return fmt::format(
        "{} is '{}'; an uploaded picture is not kept, so a part of it is searched by uploading it with box=LEFT,TOP,WIDTH,HEIGHT", name,
        shown);
  return fmt::format(
      "{} is '{}'; it must be a picture's id, with .REGION or @LEFT,TOP,WIDTH,HEIGHT, and *WEIGHT behind it if "
      "wanted: 12, 12.3, 12@0.2,0,0.5,1, 12*0.5",
      name, shown);
}

std::vector<AskedPicture> read_pictures(QueryReader& reader, std::string_view name, std::size_t count_max, std::uint32_t weight_preset) {
  std::vector<AskedPicture> pictures;
  for (const std::string& text : reader.texts(name, count_max)) {
    if (const auto picture = parse_asked_picture(text, weight_preset)) pictures.push_back(*picture);
    else reader.refuse("parameter_invalid", picture_problem_text(name, text));
  }
  return pictures;
}

/// `picture` is one more `like`, and `region` belongs to the only one.
void read_older_spellings(QueryReader& reader, SearchRequest& request) {
  if (const auto token = reader.text("picture", 64)) {
    if (!is_picture_token(*token)) reader.refuse("parameter_invalid", "picture is not a picture_token");
    request.like.push_back({.token = *token, .weight_thousandths = kLikeWeight});
    if (request.like.size() > kLikeMax) reader.refuse("parameter_invalid", fmt::format("at most {} pictures to be like", kLikeMax));
  }
  const auto region = static_cast<std::uint16_t>(reader.number("region", 1, kRegionsMax, 0));
  if (region == 0) return;
  if (request.like.empty()) return reader.refuse("parameter_missing", "region needs like, the picture that it is a part of");
  AskedPicture& picture = request.like.front();
  if (request.like.size() > 1 || picture.id == 0 || picture.region != 0)
    return reader.refuse("parameter_invalid", "region goes with one picture of the collection; write each as like=PICTURE.REGION");
  picture.region = region;
}

/// `box` belongs to the only `like`.
void read_box(QueryReader& reader, SearchRequest& request) {
  const auto text = reader.text("box", 64);
  if (!text) return;
  const auto part = parse_picture_part(*text);
  if (!part) return reader.refuse("parameter_invalid", box_problem(*text));
  if (request.like.empty()) return reader.refuse("parameter_missing", "box needs like, the picture that it is a part of");
  AskedPicture& picture = request.like.front();
  if (request.like.size() > 1 || picture.id == 0 || picture.region != 0 || picture.part)
    return reader.refuse("parameter_invalid",
                         "box goes with one picture of the collection; write each as like=PICTURE@LEFT,TOP,WIDTH,HEIGHT");
  picture.part = part;
}

void limit_parts(QueryReader& reader, const SearchRequest& request) {
  const auto parts_of = [](const std::vector<AskedPicture>& pictures) {
    return static_cast<std::size_t>(std::ranges::count_if(pictures, [](const AskedPicture& picture) { return picture.part.has_value(); }));
  };
  const std::size_t parts = parts_of(request.like) + parts_of(request.unlike);
  if (parts > kPartsMax) reader.refuse("parameter_invalid", fmt::format("parts of {} pictures; a search may have {}", parts, kPartsMax));
}

std::optional<std::int64_t> read_amount(QueryReader& reader, std::string_view name, std::string& echo) {
  const auto text = reader.text(name, 20);
  if (!text) return std::nullopt;
  const auto micros = is_api_amount(*text) ? price_micros(*text) : std::nullopt;
  if (!micros) reader.refuse("parameter_invalid", fmt::format("{} is '{}'; it must be an amount like 34.90", name, *text));
  else echo = api_amount(*micros);
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

std::optional<std::int64_t> read_time(QueryReader& reader, std::string_view name, std::string& echo) {
  const auto text = reader.text(name, 40);
  if (!text) return std::nullopt;
  const auto time = parse_api_time(*text);
  if (!time) {
    reader.refuse("parameter_invalid", fmt::format("{} is '{}'; it must be a time like 2026-11-21T23:14:05Z", name, *text));
    return std::nullopt;
  }
  // Fetches are known to the second: what is fetched within one is before its end, and not after its middle.
  const auto whole = std::chrono::ceil<std::chrono::seconds>(*time);
  echo = api_time(whole);
  return std::chrono::duration_cast<std::chrono::seconds>(whole.time_since_epoch()).count();
}

std::optional<std::uint64_t> read_pixels(QueryReader& reader, std::string_view name) {
  const std::uint64_t pixels = reader.number(name, 1, kApiIdMax, 0);
  return pixels == 0 ? std::nullopt : std::optional(pixels);
}

void read_limits(QueryReader& reader, SearchRequest& request) {
  request.query.filter.since_seconds = read_time(reader, "since", request.since);
  request.query.limits.until_seconds = read_time(reader, "until", request.until);
  request.query.limits.pixels_min = read_pixels(reader, "pixels_min");
  request.query.limits.pixels_max = read_pixels(reader, "pixels_max");
}

/// A range whose ends are the wrong way round holds nothing, whatever there is; an answer without hits would look like a finding.
void refuse_empty_ranges(QueryReader& reader, const SearchRequest& request) {
  const Filter& filter = request.query.filter;
  const RowLimits& limits = request.query.limits;
  if (filter.price_min_micros && filter.price_max_micros && *filter.price_min_micros > *filter.price_max_micros)
    reader.refuse("parameter_invalid", fmt::format("price_min is {} and price_max is {}; price_min must not be above price_max",
                                                   request.price_min, request.price_max));
  if (limits.pixels_min && limits.pixels_max && *limits.pixels_min > *limits.pixels_max)
    reader.refuse("parameter_invalid", fmt::format("pixels_min is {} and pixels_max is {}; pixels_min must not be above pixels_max",
                                                   *limits.pixels_min, *limits.pixels_max));
  if (filter.since_seconds && limits.until_seconds && *filter.since_seconds >= *limits.until_seconds)
    reader.refuse("parameter_invalid",
                  fmt::format("since is {} and until is {}; since must be before until", request.since, request.until));
}

constexpr std::pair<SortOrder, std::string_view> kSorts[] = {{SortOrder::kRelevance, "relevance"},  {SortOrder::kNewest, "newest"},
                                                             {SortOrder::kPriceAsc, "price"},       {SortOrder::kPriceAsc, "price-asc"},
                                                             {SortOrder::kPriceDesc, "price-desc"}, {SortOrder::kDiscount, "discount"}};

void read_sort(QueryReader& reader, SearchQuery& query) {
  const std::string sort = reader.text("sort", 20).value_or("relevance");
  const auto* const known = std::ranges::find(kSorts, sort, &std::pair<SortOrder, std::string_view>::second);
  if (known != std::end(kSorts)) query.sort = known->first;
  else reader.refuse("parameter_invalid", fmt::format("sort is '{}'; it must be relevance, newest, price, price-desc or discount", sort));
}

/// A filter's values in one order and each once: which of them come first says nothing.
std::vector<std::string> in_one_order(std::vector<std::string> values) {
  std::ranges::sort(values);
  values.erase(std::unique(values.begin(), values.end()), values.end());
  return values;
}

std::vector<std::string> read_values(QueryReader& reader, std::string_view name) { return in_one_order(reader.texts(name, kValuesMax)); }

std::vector<std::string> read_colours(QueryReader& reader) {
  std::vector<std::string> colours = reader.texts("colour", kColoursMax);
  for (std::string& colour : colours) {
    const std::string name = ascii_lowered(colour);
    if (!is_colour_name(name))
      reader.refuse("parameter_invalid",
                    fmt::format("colour is '{}'; it must be one of {}", utf8_prefix(colour, 100), colour_names_text()));
    colour = name;
  }
  return in_one_order(std::move(colours));
}

/// By the primary part of a tag, as that of a page is kept: "EN" and "en-GB" are en.
std::vector<std::string> read_languages(QueryReader& reader) {
  constexpr std::size_t kBytesMin = 2, kBytesMax = 3;  // of ISO 639; no page has others
  std::vector<std::string> languages = reader.texts("language", kValuesMax);
  for (std::string& language : languages) {
    const std::string primary = ascii_lowered(language.substr(0, language.find_first_of("-_")));
    const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
    if (primary.size() < kBytesMin || primary.size() > kBytesMax || !std::ranges::all_of(primary, is_letter))
      reader.refuse("parameter_invalid",
                    fmt::format("language is '{}'; it must be a language tag like de or pt-BR", utf8_prefix(language, 100)));
    language = primary;
  }
  return in_one_order(std::move(languages));
}

/// Hosts know no upper case.
std::vector<std::string> read_shops(QueryReader& reader) {
  std::vector<std::string> shops = reader.texts("shop", kValuesMax);
  for (std::string& shop : shops) shop = ascii_lowered(shop);
  return in_one_order(std::move(shops));
}

std::string_view sort_name(SortOrder sort) {
  return std::ranges::find(kSorts, sort, &std::pair<SortOrder, std::string_view>::first)->second;
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

void write_date_range(JsonWriter& json, const DateRange& range) {
  json.begin_object().field("value", range.name).field("count", range.count);
  for (const auto& [name, seconds] : {std::pair("since", range.since_seconds), std::pair("until", range.until_seconds)}) {
    json.key(name);
    seconds ? json.string(api_time(Timestamp(std::chrono::seconds(*seconds)))) : json.null();
  }
  json.end_object();
}

}  // namespace

Outcome<SearchRequest> parse_search_request(const SearchParameters& parameters) {
  QueryReader reader(parameters);
  SearchRequest parsed;
  SearchQuery& query = parsed.query;
  read_words(reader, parsed);
  parsed.like = read_pictures(reader, "like", kLikeMax, kLikeWeight);
  parsed.unlike = read_pictures(reader, "unlike", kUnlikeMax, kUnlikeWeight);
  read_older_spellings(reader, parsed);
  read_box(reader, parsed);
  limit_parts(reader, parsed);
  parsed.same_class = reader.boolean("same_class", true);
  query.filter.shops = read_shops(reader);
  query.filter.categories = read_values(reader, "category");
  query.filter.brands = read_values(reader, "brand");
  query.filter.colours = read_colours(reader);
  query.filter.classes = read_values(reader, "class");
  query.filter.sizes = read_values(reader, "size");
  query.filter.languages = read_languages(reader);
  query.filter.labels = read_values(reader, "label");
  query.filter.licences = read_values(reader, "licence");
  read_prices(reader, parsed);
  read_limits(reader, parsed);
  refuse_empty_ranges(reader, parsed);
  read_sort(reader, query);
  query.per_shop = reader.number("per_shop", 1, kPerOwnerMax, 0);
  query.per_brand = reader.number("per_brand", 1, kPerOwnerMax, 0);
  query.beyond = reader.boolean("beyond", false);
  query.exact = reader.boolean("exact");
  query.offset = reader.number("offset", 0, kOffsetMax, 0);
  query.limit = reader.number("limit", 0, kSearchLimitMax, kLimitPreset);
  query.why = reader.boolean("why", false);
  parsed.wants_facets = reader.boolean("facets", false);
  query.facets.clear();
  if (parsed.wants_facets) query.facets.assign(kCountedFacets.begin(), kCountedFacets.end());
  query.prices = parsed.wants_facets;
  if (auto wrong = reader.problem()) return tl::unexpected(*std::move(wrong));
  return parsed;
}

SearchParameters parameters_of(const SearchRequest& request) {
  const SearchQuery& query = request.query;
  SearchParameters parameters;
  const auto add = [&](std::string_view name, std::string value) {
    if (!value.empty()) parameters.emplace_back(name, std::move(value));
  };
  const auto add_all = [&](std::string_view name, const std::vector<std::string>& values) {
    for (const std::string& value : values) add(name, value);
  };
  const auto add_number = [&](std::string_view name, const std::optional<std::uint64_t>& number) {
    if (number) add(name, fmt::format("{}", *number));
  };
  add("q", request.typed);
  for (const AskedPicture& picture : request.like) add("like", to_text(picture, kLikeWeight));
  for (const AskedPicture& picture : request.unlike) add("unlike", to_text(picture, kUnlikeWeight));
  if (!request.same_class) add("same_class", "false");
  add_all("shop", query.filter.shops);
  add_all("category", query.filter.categories);
  add_all("brand", query.filter.brands);
  add_all("colour", query.filter.colours);
  add_all("class", query.filter.classes);
  add_all("size", query.filter.sizes);
  add_all("language", query.filter.languages);
  add_all("label", query.filter.labels);
  add_all("licence", query.filter.licences);
  add("price_min", request.price_min);
  add("price_max", request.price_max);
  add_all("currency", query.filter.currencies);
  add("since", request.since);
  add("until", request.until);
  add_number("pixels_min", query.limits.pixels_min);
  add_number("pixels_max", query.limits.pixels_max);
  if (query.per_shop != 0) add_number("per_shop", query.per_shop);
  if (query.per_brand != 0) add_number("per_brand", query.per_brand);
  if (query.beyond) add("beyond", "true");
  if (query.sort != SortOrder::kRelevance) add("sort", std::string(sort_name(query.sort)));
  return parameters;
}

std::string query_text(const SearchParameters& parameters) {
  // What RFC 3986 leaves unreserved, and what stands in a picture's weight and part, which a query may hold as it is.
  const auto stands_for_itself = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._~*@,").find(c) != std::string_view::npos;
  };
  std::string text;
  for (const auto& [name, value] : parameters) {
    text.append(text.empty() ? "" : "&").append(name).append("=");
    for (const char c : value) stands_for_itself(c) ? text += c : text += fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return text;
}

void write_query_echo(JsonWriter& json, const SearchRequest& request) {
  write_search_json(json, parameters_of(request), sort_name(request.query.sort));
}

void write_facets(JsonWriter& json, const SearchAnswer& answer) {
  json.begin_object();
  for (const Facet facet : kCountedFacets) {
    json.key(to_string(facet));
    write_values(json, facet, answer);
  }
  json.key("price").begin_array();
  for (std::size_t i = 0; i < std::min<std::size_t>(answer.prices.size(), 20); ++i) write_price_facet(json, answer.prices[i]);
  json.end_array().key("date").begin_array();
  for (const DateRange& range : answer.dates) write_date_range(json, range);
  json.end_array().end_object();
}

}  // namespace magpie
