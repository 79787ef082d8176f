#include "search_server.h"

#include <simdjson.h>

#include <algorithm>

#include "base/json_writer.h"
#include "net/http_client.h"
#include "search_spellings.h"
#include "serve/search_json.h"

namespace magpie::cmd {
namespace {

/// Of an answer or a problem document.
std::string text_in(const std::string& json, std::string_view key) {
  simdjson::dom::parser parser;
  std::string_view text;
  return parser.parse(json).at_key(key).get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

class SearchServer {
 public:
  static Result<SearchServer> open(const std::string& address, const std::string& key) {
    MAGPIE_TRY(Url base, Url::parse(address));
    if (!base.is_http()) return fail(Code::kBadInput, "--server wants an http or https address, not '{}'", address);
    // The user names the server, so it may be anywhere.
    MAGPIE_TRY(auto client,
               HttpClient::make({.user_agent = "magpie-search", .addresses = {.allow_loopback = true, .allow_private = true}}));
    return SearchServer(std::move(base), key, std::move(client));
  }

  Result<std::string> post(std::string_view target, std::string type, std::string body) {
    MAGPIE_TRY(const Url url, Url::parse(target, base_));
    HttpRequest request{.url = url, .headers = {{"Content-Type", std::move(type)}}, .post = std::move(body)};
    if (!key_.empty()) request.headers.push_back({"Authorization", "Bearer " + key_});
    client_->submit(std::move(request));
    std::vector<HttpResponse> ended;
    while (ended.empty()) ended = client_->poll(Deadline::after(std::chrono::seconds(70)));
    HttpResponse& response = ended.front();
    if (!response.complete()) return fail(*response.error, base_.href());
    if (response.status == 200) return std::move(response.body);
    std::string said = text_in(response.body, "detail");
    if (said.empty()) said = fmt::format("{} answered {}", base_.href(), response.status);
    return Failure(error_of({response.status, "", std::move(said)}));
  }

 private:
  SearchServer(Url base, std::string key, std::unique_ptr<HttpClient> client)
      : base_(std::move(base)), key_(std::move(key)), client_(std::move(client)) {}

  Url base_;
  std::string key_;
  std::unique_ptr<HttpClient> client_;
};

/// Of parameters that were understood: a number is one.
std::string json_of(SearchParameters parameters) {
  std::ranges::stable_sort(parameters, {}, &SearchParameters::value_type::first);  // values of a name follow each other
  JsonWriter json;
  write_search_json(json, parameters);
  return json.take();
}

}  // namespace

Result<std::string> ask_server(const std::string& server, const std::string& key, SearchParameters parameters,
                               const std::vector<std::string>& pictures, const std::optional<PicturePart>& part) {
  MAGPIE_TRY(SearchServer asked, SearchServer::open(server, key));
  const std::string box = part ? "&box=" + to_text(*part) : "";
  for (const std::string& picture : pictures) {
    MAGPIE_TRY(const std::string uploaded, asked.post("/api/v1/search?limit=0" + box, "image/*", picture));
    parameters.emplace_back("like", text_in(uploaded, "picture_token"));
  }
  if (const auto request = parse_search_request(parameters); !request) return Failure(error_of(request.error()));
  return asked.post("/api/v1/search", "application/json", json_of(std::move(parameters)));
}

}  // namespace magpie::cmd
