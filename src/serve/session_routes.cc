// A browser's key. The server keeps it for the page, as a cookie that no script can read: what a script of the page could read, any script
// that ever got into the page could send away.
#include <simdjson.h>

#include <algorithm>

#include "base/json_writer.h"
#include "serve/api_text.h"
#include "serve/routes.h"

namespace magpie {
namespace {

constexpr std::size_t kBodyBytesMax = 4 * 1024;
constexpr std::chrono::seconds kRemembered = std::chrono::days(90);

struct NewSession {
  std::string key;
  bool remember = false;
};

// Its words never repeat what was sent: it may be a key with a slip in it.
Outcome<NewSession> parse_new_session(std::string_view body) {
  if (body.size() > kBodyBytesMax) return problem(413, "request_too_large", "a session has at most {} bytes of JSON", kBodyBytesMax);
  const auto malformed = [] {
    return problem(400, "request_malformed", "the body must be a JSON object with key, a text, and if wanted remember, true or false");
  };
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body.data(), body.size()).get(object) != simdjson::SUCCESS) return malformed();
  NewSession wish;
  std::string_view key;
  for (const auto& field : object) {
    const bool reads = field.key == "key" ? field.value.get(key) == simdjson::SUCCESS
                                          : field.key == "remember" && field.value.get(wish.remember) == simdjson::SUCCESS;
    if (!reads) return malformed();
  }
  if (key.empty()) return malformed();
  wish.key = key;
  return wish;
}

/// Secure where the page came over TLS, though a proxy may have asked us without; its browser says so itself.
std::string cookie(const HttpServerRequest& request, std::string_view key, std::optional<std::chrono::seconds> age_max) {
  std::string text = fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict", kKeyCookie, key);
  if (request.header("origin").starts_with("https://")) text += "; Secure";
  if (age_max) text += fmt::format("; Max-Age={}", age_max->count());
  return text;
}

HttpServerReply session_reply(const std::optional<AccessKey>& key) {
  JsonWriter json;
  json.begin_object();
  write_text_or_null(json, "key", key ? key->name : "");
  write_text_or_null(json, "scope", key ? to_string(key->scope) : "");
  write_time_or_null(json, "expires_at", key ? key->expires_at : std::nullopt);
  return json_reply(json.end_object().take());
}

}  // namespace

RouteReply session(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  const std::string_view key = key_of(request);
  if (key.empty()) return session_reply(std::nullopt);
  SERVE_TRY(const AccessKey known, state.gate.find(key, request));
  return session_reply(known);
}

RouteReply open_session(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const NewSession wish, parse_new_session(request.body));
  SERVE_TRY(const AccessKey known, state.gate.find(wish.key, request));
  std::optional<std::chrono::seconds> age_max;
  if (wish.remember) age_max = kRemembered;
  if (wish.remember && known.expires_at) {
    const auto left = std::chrono::duration_cast<std::chrono::seconds>(*known.expires_at - state.ports.clock.now());
    age_max = std::min(kRemembered, left);
  }
  HttpServerReply reply = session_reply(known);
  reply.headers.push_back({"Set-Cookie", cookie(request, wish.key, age_max)});
  return reply;
}

RouteReply close_session(ApiState&, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  HttpServerReply reply = session_reply(std::nullopt);
  reply.headers.push_back({"Set-Cookie", cookie(request, "", std::chrono::seconds(0))});
  return reply;
}

}  // namespace magpie
