#include "collect/listing.h"

#include <simdjson.h>

#include "base/hash.h"
#include "base/json_writer.h"

namespace magpie::collect {
namespace {

/// What braces stand for in one call.
struct Values {
  std::string_view category;
  std::string number;  // of {page} and {offset}
  std::string_view cursor;

  std::optional<std::string_view> of(std::string_view name) const {
    if (name == "category") return category;
    if (name == "page" || name == "offset") return number;
    if (name == "cursor") return cursor;
    return std::nullopt;
  }
};

/// The text with every known name in braces replaced by `write` of its value.
template <class Write>
std::string filled(std::string_view text, const Values& values, const Write& write) {
  std::string out;
  while (!text.empty()) {
    const std::size_t brace = text.find('{');
    out += text.substr(0, brace);
    if (brace == std::string_view::npos) break;
    text.remove_prefix(brace);
    const std::size_t end = text.find('}');
    const auto value = end == std::string_view::npos ? std::nullopt : values.of(text.substr(1, end - 1));
    if (value) out += write(*value);
    else out += '{';
    text.remove_prefix(value ? end + 1 : 1);
  }
  return out;
}

/// Inside a JSON text: with its escapes, without the quotes.
std::string json_part(std::string_view text) {
  const std::string quoted = json_quoted(text);
  return quoted.substr(1, quoted.size() - 2);
}

std::string list_of(std::span<const std::string> texts) {
  JsonWriter json;
  json.begin_array();
  for (const std::string& text : texts) json.string(text);
  return json.end_array().take();
}

/// A text that is nothing but a name in braces becomes a number or a list; inside a longer text it stays text.
std::string filled_body(std::string body, const Values& values, std::span<const std::string> seen) {
  const auto replace = [&](std::string_view what, const std::string& by) {
    for (std::size_t at = 0; (at = body.find(what, at)) != std::string::npos; at += by.size()) body.replace(at, what.size(), by);
  };
  for (const std::string_view name : {"\"{page}\"", "\"{offset}\""}) replace(name, values.number);
  std::string out = filled(body, values, json_part);
  body = std::move(out);
  replace("\"{seen}\"", list_of(seen));  // last: what addresses hold is not looked at again
  return body;
}

std::int64_t number_of(const Description& description, const ListState& state) {
  return description.first + static_cast<std::int64_t>(state.position);
}

/// Whether a cursor is an address, and no mere word.
bool is_address(std::string_view cursor) {
  return cursor.starts_with("http://") || cursor.starts_with("https://") || cursor.starts_with("/");
}

Result<Url> url_of(const Description& description, const Values& values) {
  MAGPIE_TRY(Url url, Url::parse(filled(description.url, values, url_part)));
  if (description.paging != Paging::kCursor || !is_address(values.cursor)) return url;
  MAGPIE_TRY(Url next, Url::parse(values.cursor, url));
  if (next.origin() != url.origin())
    return fail(Code::kForbidden, "{} leads on to another host: {}", without_query(url), std::string(values.cursor.substr(0, 200)));
  return next;
}

std::uint64_t hash_of(const Items& answer) {
  std::string all;
  for (const Item& item : answer.items) all += item.picture + '\n';
  return signature64(all, 0) >> 1;  // fits JSON's whole numbers everywhere
}

}  // namespace

std::string url_part(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

std::string to_json(const ListState& state) {
  JsonWriter json;
  json.begin_object().field("calls", state.calls).field("position", state.position).field("quiet", state.quiet);
  json.field("listed", state.listed).field("malformed", state.malformed).field("taken", state.taken).field("cursor", state.cursor);
  json.field("last", state.last).field("done", state.done);
  return json.end_object().take();
}

ListState state_from_json(std::string_view text) {
  ListState state;
  simdjson::dom::parser parser;
  simdjson::dom::element object;
  if (parser.parse(simdjson::padded_string(text)).get(object) != simdjson::SUCCESS) return state;
  const auto number = [&](std::string_view key, std::uint64_t& into) {
    if (std::uint64_t value = 0; object[key].get(value) == simdjson::SUCCESS) into = value;
  };
  number("calls", state.calls), number("position", state.position), number("quiet", state.quiet), number("listed", state.listed);
  number("malformed", state.malformed), number("taken", state.taken), number("last", state.last);
  std::string_view cursor;
  if (object["cursor"].get(cursor) == simdjson::SUCCESS) state.cursor = cursor;
  if (bool done = false; object["done"].get(done) == simdjson::SUCCESS) state.done = done;
  return state;
}

Result<HttpRequest> next_request(const Description& description, const Category& category, const ListState& state,
                                 std::span<const std::string> seen) {
  const Values values{category.name, std::to_string(number_of(description, state)), state.cursor};
  MAGPIE_TRY(Url url, url_of(description, values));
  HttpRequest request{.url = std::move(url), .headers = description.headers};
  if (!find_header(request.headers, "Accept")) request.headers.push_back({"Accept", "application/json"});
  if (!description.body.empty()) {
    request.post = filled_body(description.body, values, seen.last(std::min(seen.size(), description.seen_max)));
    if (!find_header(request.headers, "Content-Type")) request.headers.push_back({"Content-Type", "application/json"});
  }
  request.limits.body_bytes_max = description.limits.answer_bytes_max;
  return request;
}

ListState advance(const Description& description, ListState state, const Items& answer, std::uint64_t news) {
  const std::uint64_t items = answer.items.size() + answer.malformed;
  const std::uint64_t hash = hash_of(answer);
  const bool same_again = state.calls > 0 && hash == state.last && !answer.items.empty();
  ++state.calls;
  state.listed += items;
  state.malformed += answer.malformed;
  state.taken += news;
  state.quiet = news > 0 ? 0 : state.quiet + 1;
  state.last = hash;
  switch (description.paging) {
    case Paging::kOnce: state.done = true; break;
    case Paging::kPage:
    case Paging::kOffset:
      state.position += description.step > 0 ? static_cast<std::uint64_t>(description.step) : items;
      state.done = items == 0 || same_again;
      break;
    case Paging::kCursor:
      state.done = answer.next.empty() || answer.next == state.cursor;
      state.cursor = answer.next;
      break;
    case Paging::kRandom: state.done = items == 0 || state.quiet >= static_cast<std::uint64_t>(description.quiet_calls); break;
  }
  if (state.calls >= static_cast<std::uint64_t>(description.calls_max)) state.done = true;
  return state;
}

}  // namespace magpie::collect
