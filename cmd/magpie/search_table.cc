#include "search_table.h"

#include <simdjson.h>

namespace magpie::cmd {
namespace {

using Element = simdjson::dom::element;

std::string text_of(const Element& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::uint64_t number_of(const Element& object, std::string_view key) {
  std::uint64_t number = 0;
  return object[key].get(number) == simdjson::SUCCESS ? number : 0;
}

bool is_true(const Element& object, std::string_view key) {
  bool value = false;
  return object[key].get(value) == simdjson::SUCCESS && value;
}

void print_hit(const Element& hit) {
  double score = 0;
  if (hit["score"].get(score) != simdjson::SUCCESS) score = 0;
  fmt::print("{:>5.2f}  {:>6}  {}\n               {}", score, number_of(hit, "image_id"), text_of(hit, "title"), text_of(hit, "page_url"));
  if (Element price; hit["price"].get(price) == simdjson::SUCCESS && price.is_object())
    fmt::print("  {} {}", text_of(price, "amount"), text_of(price, "currency"));
  if (const std::uint64_t region = number_of(hit, "region"); region != 0) fmt::print("  (region {})", region);
  if (is_true(hit, "by_looks")) fmt::print("  (by its looks)");
  if (const std::uint64_t copies = number_of(hit, "copies"); copies > 0) fmt::print("  (+{} {})", copies, copies == 1 ? "copy" : "copies");
  fmt::print("\n");
}

void print_facets(const Element& facets) {
  constexpr std::size_t kShown = 12;
  for (const char* name : {"shop", "category", "brand", "colour", "class", "size", "language", "label", "licence", "date"}) {
    simdjson::dom::array values;
    if (facets[name].get(values) != simdjson::SUCCESS || values.size() == 0) continue;
    fmt::print("{}:", name);
    std::size_t shown = 0;
    for (const Element value : values) {
      if (++shown <= kShown) fmt::print("  {} {}", text_of(value, "value"), number_of(value, "count"));
    }
    fmt::print("\n");
  }
}

}  // namespace

Result<void> print_search_table(const std::string& json) {
  simdjson::dom::parser parser;
  Element answer;
  simdjson::dom::array hits;
  if (parser.parse(json).get(answer) != simdjson::SUCCESS || answer["hits"].get(hits) != simdjson::SUCCESS)
    return fail(Code::kCorrupt, "the answer is no search's");
  for (const Element hit : hits) print_hit(hit);
  if (Element facets; answer["facets"].get(facets) == simdjson::SUCCESS) print_facets(facets);
  if (simdjson::dom::array taken; answer["meant"].get(taken) == simdjson::SUCCESS) {
    for (const Element one : taken)
      fmt::print(stderr, "no picture has \"{}\"; \"{}\" was looked for\n", text_of(one, "typed"), text_of(one, "meant"));
  }
  const std::uint64_t total = number_of(answer, "total");
  fmt::print(stderr, "{} of {}{} {}{}\n", hits.size(), is_true(answer, "total_is_exact") ? "" : "at least ", total,
             total == 1 ? "picture" : "pictures", is_true(answer, "any_word") ? "; no picture has all the words, these have some" : "");
  return {};
}

Result<std::uint64_t> total_of_search(const std::string& json) {
  simdjson::dom::parser parser;
  std::uint64_t total = 0;
  if (parser.parse(json)["total"].get(total) != simdjson::SUCCESS) return fail(Code::kCorrupt, "the answer is no search's");
  return total;
}

}  // namespace magpie::cmd
