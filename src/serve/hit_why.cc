#include "serve/hit_why.h"

#include <algorithm>
#include <cmath>

#include "search/word_evidence.h"
#include "serve/api_text.h"
#include "serve/picture_json.h"

namespace magpie {
namespace {

void write_words(JsonWriter& json, SearchQuery query, const SearchAnswer& answer, const IndexDocument& document) {
  for (const auto& [typed, meant] : answer.meant) query.words += " " + meant;
  json.begin_array();
  for (const WordEvidence& match : word_evidence(query, document)) {
    json.begin_object().field("word", match.word).field("phrase", match.is_phrase).key("fields").begin_array();
    for (const TextField field : match.fields) json.string(to_string(field));
    json.end_array().end_object();
  }
  json.end_array();
}

/// To four places.
void write_share(JsonWriter& json, std::string_view key, const std::optional<float>& share) {
  json.key(key);
  share ? json.number(std::round(double{*share} * 1e4) / 1e4) : json.null();
}

/// The conditions of the query, each with what of the picture fulfils it.
class PassedFilters {
 public:
  PassedFilters(JsonWriter& json, const SearchRequest& request, const IndexDocument& document)
      : json_(json), request_(request), document_(document) {}

  void write() {
    const Filter& filter = request_.query.filter;
    json_.begin_array();
    add_one_of("shop", filter.shops, {document_.shop});
    add_one_of("category", filter.categories, {document_.category});
    add_one_of("brand", filter.brands, {document_.brand});
    add_one_of("colour", filter.colours, document_.colours);
    add_one_of("class", filter.classes, document_.classes);
    add_one_of("size", filter.sizes, document_.sizes);
    add_one_of("language", filter.languages, {document_.language});
    add_one_of("label", filter.labels, document_.labels);
    add_one_of("licence", filter.licences, document_.licences);
    add_one_of("currency", filter.currencies, {document_.currency});
    const std::string price = document_.price_micros ? api_amount(*document_.price_micros) : "";
    add_if(filter.price_min_micros.has_value(), "price_min", price);
    add_if(filter.price_max_micros.has_value(), "price_max", price);
    const std::string fetched = api_time(Timestamp(std::chrono::seconds(document_.fetched_at_seconds)));
    add_if(filter.since_seconds.has_value(), "since", fetched);
    add_if(request_.query.limits.until_seconds.has_value(), "until", fetched);
    const std::string pixels = fmt::format("{}", document_.pixels);
    add_if(request_.query.limits.pixels_min.has_value(), "pixels_min", pixels);
    add_if(request_.query.limits.pixels_max.has_value(), "pixels_max", pixels);
    json_.end_array();
  }

 private:
  void add_if(bool asked, std::string_view name, const std::string& value) {
    if (asked) json_.begin_object().field("name", name).field("value", value).end_object();
  }
  void add_one_of(std::string_view name, const std::vector<std::string>& asked, const std::vector<std::string>& has) {
    for (const std::string& value : has) add_if(std::ranges::find(asked, value) != asked.end(), name, value);
  }

  JsonWriter& json_;
  const SearchRequest& request_;
  const IndexDocument& document_;
};

void write_region_class(JsonWriter& json, const SearchHit& hit, const std::optional<ImageDetails>& details) {
  const bool is_known = hit.region != 0 && details && hit.region <= details->regions.size();
  write_text_or_null(json, "region_class", is_known ? details->regions[hit.region - 1U].label : "");
}

void write_fields(JsonWriter& json, const std::optional<ImageDetails>& details) {
  json.key("fields");
  if (details && !details->showings.empty() && details->showings.front().product)
    write_evidence(json, details->showings.front().product->product);
  else json.begin_array().end_array();
}

}  // namespace

Outcome<std::string> hit_why(const Catalog& catalog, const SearchRequest& request, const SearchAnswer& answer, const SearchHit& hit) {
  SERVE_TRY(const auto details, catalog.image_details(hit.id));
  SERVE_TRY(const auto known, catalog.index_document(hit.id));
  const IndexDocument document = known.value_or(IndexDocument());
  JsonWriter json;
  json.begin_object().key("words");
  write_words(json, request.query, answer, document);
  write_share(json, "text", hit.text);
  write_share(json, "similarity", hit.similarity);
  write_share(json, "percentile", hit.percentile);
  write_region_class(json, hit, details);
  json.key("filters");
  PassedFilters(json, request, document).write();
  write_fields(json, details);
  json.end_object();
  return json.take();
}

}  // namespace magpie
