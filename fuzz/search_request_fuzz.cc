// A search: as the query of an address, or as JSON when it begins with "{". What is understood must come back from each of its spellings
// as it was, and what was typed must fall into parts that hold words.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "net/http_target.h"
#include "search/typed_words.h"
#include "serve/search_json.h"

namespace {

using namespace magpie;

SearchParameters read(std::string_view input) {
  if (input.starts_with('{')) return search_parameters_of_json(input).value_or(SearchParameters());
  const auto target = parse_target("/?" + std::string(input));
  return target ? target->query : SearchParameters();
}

SearchParameters canonical(const SearchParameters& parameters) {
  const auto request = parse_search_request(parameters);
  MAGPIE_CHECK(bool(request), "a spelling of an understood search is not understood");
  return parameters_of(*request);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  if (const auto typed = parse_typed_words(input)) {
    for (const std::string& phrase : typed->phrases) MAGPIE_CHECK(has_words(phrase), "a phrase without words");
    for (const std::string& word : typed->without) MAGPIE_CHECK(has_words(word), "an exclusion without words");
  }
  const auto request = parse_search_request(read(input));
  if (!request) return 0;
  const SearchParameters parameters = parameters_of(*request);
  JsonWriter json;
  write_query_echo(json, *request);
  MAGPIE_CHECK(canonical(parameters) == parameters, "the canonical spelling is not its own");
  MAGPIE_CHECK(canonical(read(query_text(parameters))) == parameters, "an address does not come back");
  MAGPIE_CHECK(canonical(read(json.take())) == parameters, "JSON does not come back");
  return 0;
}
