#include "serve/search_json.h"

#include <simdjson.h>

#include <algorithm>

#include "base/utf8.h"

namespace magpie {
namespace {

using Element = simdjson::dom::element;

/// What a value is in JSON.
enum class Form { kText, kTexts, kPictures, kNumber, kBoolean };

constexpr std::pair<std::string_view, Form> kForms[] = {
    {"like", Form::kPictures},     {"unlike", Form::kPictures}, {"shop", Form::kTexts},         {"category", Form::kTexts},
    {"brand", Form::kTexts},       {"colour", Form::kTexts},    {"class", Form::kTexts},        {"size", Form::kTexts},
    {"language", Form::kTexts},    {"label", Form::kTexts},     {"licence", Form::kTexts},      {"pixels_min", Form::kNumber},
    {"pixels_max", Form::kNumber}, {"per_shop", Form::kNumber}, {"per_brand", Form::kNumber},   {"offset", Form::kNumber},
    {"limit", Form::kNumber},      {"region", Form::kNumber},   {"same_class", Form::kBoolean}, {"beyond", Form::kBoolean},
    {"exact", Form::kBoolean},     {"facets", Form::kBoolean},  {"why", Form::kBoolean}};

/// All others are texts.
Form form_of(std::string_view name) {
  const auto* const known = std::ranges::find(kForms, name, &std::pair<std::string_view, Form>::first);
  return known == std::end(kForms) ? Form::kText : known->second;
}

bool is_list(Form form) { return form == Form::kTexts || form == Form::kPictures; }

std::string_view words_for(Form form) {
  switch (form) {
    case Form::kText: return "a text";
    case Form::kTexts: return "a list of texts";
    case Form::kPictures: return "a list of pictures, each a text, or a number where it is no more than an id";
    case Form::kNumber: return "a whole number";
    case Form::kBoolean: return "true or false";
  }
  return "a text";
}

/// Of a list's form, one of its values.
std::optional<std::string> value_text(Form form, const Element& element) {
  if (form == Form::kBoolean) {
    bool value = false;
    return element.get(value) == simdjson::SUCCESS ? std::optional<std::string>(value ? "true" : "false") : std::nullopt;
  }
  if (form != Form::kNumber) {
    if (std::string_view text; element.get(text) == simdjson::SUCCESS) return std::string(text);
    if (form != Form::kPictures) return std::nullopt;
  }
  if (std::uint64_t number = 0; element.get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  if (std::int64_t number = 0; element.get(number) == simdjson::SUCCESS) return fmt::format("{}", number);
  return std::nullopt;
}

Outcome<bool> add_value(std::string_view name, Form form, const Element& element, SearchParameters& parameters) {
  const auto text = value_text(form, element);
  if (!text) return problem(400, "request_malformed", "{} must be {}", to_valid_utf8(utf8_prefix(name, 100)), words_for(form));
  if (parameters.size() == kSearchJsonValuesMax)
    return problem(400, "request_malformed", "a search may have {} values", kSearchJsonValuesMax);
  parameters.emplace_back(name, *text);
  return true;
}

Outcome<bool> add_field(std::string_view name, const Element& element, SearchParameters& parameters) {
  const Form form = form_of(name);
  if (!is_list(form)) return add_value(name, form, element, parameters);
  simdjson::dom::array values;
  if (element.get(values) != simdjson::SUCCESS) return problem(400, "request_malformed", "{} must be {}", name, words_for(form));
  for (const Element value : values) { SERVE_TRY([[maybe_unused]] const bool added, add_value(name, form, value, parameters)); }
  return true;
}

/// A picture is written as a number where it is no more than an id.
bool is_plain_number(std::string_view text) {
  return !text.empty() && text.size() <= 16 && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

void write_value(JsonWriter& json, Form form, const std::string& value) {
  const bool bare = form == Form::kNumber || form == Form::kBoolean || (form == Form::kPictures && is_plain_number(value));
  bare ? json.raw(value) : json.string(value);
}

}  // namespace

Outcome<SearchParameters> search_parameters_of_json(std::string_view json) {
  if (json.size() > kSearchJsonBytesMax)
    return problem(413, "request_too_large", "a search has at most {} bytes of JSON, not {}", kSearchJsonBytesMax, json.size());
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get(object) != simdjson::SUCCESS)
    return problem(400, "request_malformed", "the body must be one JSON object, such as {{\"q\": \"red chair\"}}");
  SearchParameters parameters;
  for (const auto& field : object) { SERVE_TRY([[maybe_unused]] const bool added, add_field(field.key, field.value, parameters)); }
  return parameters;
}

void write_search_json(JsonWriter& json, const SearchParameters& parameters, std::string_view sort) {
  json.begin_object();
  for (std::size_t i = 0; i < parameters.size();) {
    const std::string& name = parameters[i].first;
    const Form form = form_of(name);
    json.key(name);
    if (is_list(form)) json.begin_array();
    for (; i < parameters.size() && parameters[i].first == name; ++i) write_value(json, form, parameters[i].second);
    if (is_list(form)) json.end_array();
  }
  if (!sort.empty() && std::ranges::find(parameters, "sort", &SearchParameters::value_type::first) == parameters.end())
    json.field("sort", sort);
  json.end_object();
}

}  // namespace magpie
