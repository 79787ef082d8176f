#include "crawl/logins.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/hash.h"

namespace magpie::crawl {
namespace {

/// The text under `key`, or that of the environment variable which `key`_env names.
Result<std::string> secret(const simdjson::dom::object& entry, std::string_view key) {
  std::string_view text;
  if (entry[key].get(text) == simdjson::SUCCESS) return std::string(text);
  if (entry[std::string(key) + "_env"].get(text) != simdjson::SUCCESS)
    return fail(Code::kBadInput, "it has no \"{}\" and no \"{}_env\"", key, key);
  const char* value = std::getenv(std::string(text).c_str());
  if (value == nullptr) return fail(Code::kNotFound, "the environment variable that its \"{}_env\" names is not set", key);
  return std::string(value);
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Result<void> check_keys(const simdjson::dom::object& entry) {
  constexpr std::array<std::string_view, 5> kKeys = {"origin", "user", "user_env", "password", "password_env"};
  for (const auto field : entry) {
    if (std::find(kKeys.begin(), kKeys.end(), field.key) == kKeys.end())
      return fail(Code::kBadInput, "it has a key that is not origin, user, user_env, password or password_env");
  }
  return {};
}

struct Login {
  std::string origin, authorization;
};

Result<Login> parse_login(simdjson::dom::element element) {
  simdjson::dom::object entry;
  if (element.get(entry) != simdjson::SUCCESS) return fail(Code::kBadInput, "it is no object");
  MAGPIE_TRY_DO(check_keys(entry));
  std::string_view text;
  if (entry["origin"].get(text) != simdjson::SUCCESS) return fail(Code::kBadInput, "it has no \"origin\"");
  const auto url = Url::parse(text);
  // user:password@ in it would be a second place for a secret.
  const bool plain = url && url->is_http() && url->username().empty() && url->password().empty() && url->path_and_query() == "/";
  if (!plain) return fail(Code::kBadInput, "its \"origin\" is not like https://shop.example or http://shop.example:8080");
  MAGPIE_TRY(const std::string user, secret(entry, "user"));
  MAGPIE_TRY(const std::string password, secret(entry, "password"));
  if (!is_one_line(user) || !is_one_line(password) || user.find(':') != user.npos)
    return fail(Code::kBadInput, "its user or password cannot be sent: a colon in the user, or a line break");
  return Login{url->origin(), "Basic " + base64_encode(user + ":" + password)};
}

}  // namespace

Result<Logins> Logins::parse(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::array entries;
  if (parser.parse(simdjson::padded_string(json)).get(entries) != simdjson::SUCCESS)
    return fail(Code::kBadInput, "it is no JSON array of objects with origin, user and password");
  Logins out;
  std::size_t number = 0;
  for (const simdjson::dom::element element : entries) {
    ++number;
    auto login = parse_login(element);
    if (!login) return fail(login.error().code, "entry {}: {}", number, login.error().message);
    if (number > kLoginsMax) return fail(Code::kTooLarge, "it has over {} entries", kLoginsMax);
    if (!out.by_origin_.emplace(std::move(login->origin), std::move(login->authorization)).second)
      return fail(Code::kBadInput, "entry {}: its origin has an entry already", number);
  }
  return out;
}

std::string_view Logins::authorization_for(const Url& url) const {
  if (by_origin_.empty()) return {};
  const auto found = by_origin_.find(url.origin());
  return found == by_origin_.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace magpie::crawl
