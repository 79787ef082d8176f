#include "crawl/logins.h"

#include <simdjson.h>

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/hash.h"
#include "net/address_guard.h"

namespace magpie::crawl {
namespace {

/// The text under `key`, or that of the environment variable which `key`_env names.
Result<std::string> secret(const simdjson::dom::object& entry, std::string_view key) {
  simdjson::dom::element value;
  std::string_view text;
  const std::string variable = std::string(key) + "_env";
  const bool direct = entry[key].get(value) == simdjson::SUCCESS;
  if (!direct && entry[variable].get(value) != simdjson::SUCCESS)
    return fail(Code::kBadInput, "it has no \"{}\" and no \"{}\"", key, variable);
  if (value.get(text) != simdjson::SUCCESS) return fail(Code::kBadInput, "its \"{}\" is no text", direct ? key : variable);
  if (direct) return std::string(text);
  const char* set = std::getenv(std::string(text).c_str());
  if (set == nullptr) return fail(Code::kNotFound, "the environment variable that its \"{}\" names is not set", variable);
  return std::string(set);
}

bool is_one_line(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

Result<void> check_keys(const simdjson::dom::object& entry) {
  constexpr std::array<std::string_view, 9> kKeys = {"origin", "user",       "user_env",       "password",  "password_env",
                                                     "form",   "user_field", "password_field", "plain_http"};
  for (const auto field : entry) {
    if (std::find(kKeys.begin(), kKeys.end(), field.key) == kKeys.end())
      return fail(Code::kBadInput, "it has a key that is none of {}", fmt::join(kKeys, ", "));
  }
  return {};
}

/// The text under a key that may be missing.
Result<std::string> optional_text(const simdjson::dom::object& entry, std::string_view key) {
  simdjson::dom::element value;
  if (entry[key].get(value) != simdjson::SUCCESS) return std::string();
  std::string_view text;
  if (value.get(text) != simdjson::SUCCESS) return fail(Code::kBadInput, "its \"{}\" is no text", key);
  return std::string(text);
}

bool is_this_machine(const Url& url) {
  if (!url.has_ip_host()) return url.hostname() == "localhost" || url.hostname().ends_with(".localhost");
  const auto address = IpAddress::parse(url.hostname());
  return address && address_refusal(*address, {}) == "loopback";
}

Result<Url> parse_origin(const simdjson::dom::object& entry) {
  std::string_view text;
  if (entry["origin"].get(text) != simdjson::SUCCESS) return fail(Code::kBadInput, "it has no \"origin\"");
  const auto url = Url::parse(text);
  // user:password@ in it would be a second place for a secret.
  const bool plain = url && url->is_http() && url->username().empty() && url->password().empty() && url->path_and_query() == "/";
  if (!plain) return fail(Code::kBadInput, "its \"origin\" is not like https://shop.example or http://shop.example:8080");
  bool plain_http = false;
  simdjson::dom::element allowed;
  if (entry["plain_http"].get(allowed) == simdjson::SUCCESS && allowed.get(plain_http) != simdjson::SUCCESS)
    return fail(Code::kBadInput, "its \"plain_http\" is neither true nor false");
  if (url->scheme() == "http" && !plain_http && !is_this_machine(*url))
    return fail(Code::kBadInput,
                "its \"origin\" is http, which sends the password for anybody on the way to read; give https, or say \"plain_http\": true");
  return *url;
}

/// One entry: a Basic login, unless it has a form.
struct Login {
  std::string origin, host, authorization;
  std::optional<FormLogin> form;
};

Result<Login> parse_login(simdjson::dom::element element) {
  simdjson::dom::object entry;
  if (element.get(entry) != simdjson::SUCCESS) return fail(Code::kBadInput, "it is no object");
  MAGPIE_TRY_DO(check_keys(entry));
  MAGPIE_TRY(const Url origin, parse_origin(entry));
  MAGPIE_TRY(const std::string user, secret(entry, "user"));
  MAGPIE_TRY(const std::string password, secret(entry, "password"));
  MAGPIE_TRY(const std::string form, optional_text(entry, "form"));
  MAGPIE_TRY(std::string user_field, optional_text(entry, "user_field"));
  MAGPIE_TRY(std::string password_field, optional_text(entry, "password_field"));
  if (!form.empty()) {
    const auto page = Url::parse(form, origin);
    if (!page || page->origin() != origin.origin())
      return fail(Code::kBadInput, "its \"form\" is no address of its origin; give it as /login");
    return Login{origin.origin(), std::string(origin.hostname()), "",
                 FormLogin{page->without_fragment(), user, password, std::move(user_field), std::move(password_field)}};
  }
  if (!user_field.empty() || !password_field.empty()) return fail(Code::kBadInput, "it names a field, and no \"form\"");
  if (!is_one_line(user) || !is_one_line(password) || user.find(':') != user.npos)
    return fail(Code::kBadInput, "its user or password cannot be sent: a colon in the user, or a line break");
  return Login{origin.origin(), std::string(origin.hostname()), "Basic " + base64_encode(user + ":" + password), std::nullopt};
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
    out.hosts_.insert(std::move(login->host));
    const bool added = login->form ? out.forms_.emplace(std::move(login->origin), std::move(*login->form)).second
                                   : out.basic_.emplace(std::move(login->origin), std::move(login->authorization)).second;
    if (!added) return fail(Code::kBadInput, "entry {}: its origin has an entry of the kind already", number);
  }
  return out;
}

std::string_view Logins::authorization_for(const Url& url) const {
  if (basic_.empty()) return {};
  const auto found = basic_.find(url.origin());
  return found == basic_.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace magpie::crawl
