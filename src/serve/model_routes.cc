#include <simdjson.h>

#include "base/json_writer.h"
#include "serve/job_json.h"
#include "serve/routes.h"

namespace magpie {
namespace {

struct NewModelChange {
  std::string model;
  bool dry_run = false;
};

constexpr std::size_t kNameBytesMax = 200;

tl::unexpected<Problem> invalid(std::string_view what) { return problem(400, "body_invalid", "{}", what); }

Outcome<NewModelChange> parse_new_change(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body).get(object) != simdjson::SUCCESS) return invalid("the body must be a JSON object");
  NewModelChange wish;
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (key == "model") {
      if (value.get(text) != simdjson::SUCCESS || text.empty() || text.size() > kNameBytesMax)
        return invalid("model is the name of one, 1 to 200 bytes");
      wish.model = text;
    } else if (key == "dry_run") {
      if (value.get(wish.dry_run) != simdjson::SUCCESS) return invalid("dry_run is true or false");
    } else {
      return problem(400, "body_invalid", "there is no '{}': model, dry_run", key.substr(0, 100));
    }
  }
  if (wish.model.empty()) return invalid("model is needed");
  return wish;
}

HttpServerReply view_reply(int status, const ModelChangeView& view) {
  JsonWriter json;
  json.begin_object().field("change_id", view.id).field("model", view.model).field("dry_run", view.dry_run);
  json.field("state", to_string(view.state)).key("message");
  if (view.message) json.string(*view.message);
  else json.null();
  write_change(json, view.change);
  HttpServerReply reply = json_reply(json.end_object().take());
  reply.status = status;
  if (status == 202) reply.headers.push_back({"Location", fmt::format("/api/v1/model_changes/{}", view.id)});
  return reply;
}

RouteReply reply_of(const Result<ModelChangeView>& view) {
  if (view) return view_reply(200, *view);
  return view.error().code == Code::kNotFound ? problem(404, "model_change_not_found", "{}", view.error().message) : problem(view.error());
}

}  // namespace

RouteReply start_model_change(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const NewModelChange wish, parse_new_change(request.body));
  const Result<ModelChangeView> begun = state.ports.models.change_model(wish.model, wish.dry_run);
  if (begun) return view_reply(202, *begun);
  const Error& error = begun.error();
  if (error.code == Code::kNotFound) return problem(404, "model_not_found", "{}", error.message);
  if (error.code == Code::kBadInput || error.code == Code::kCorrupt) return problem(400, "model_unusable", "{}", error.message);
  if (error.code == Code::kBusy) return problem(409, "model_change_running", "{}", error.message);
  if (error.code == Code::kForbidden) return problem(409, "model_set", "{}", error.message);
  return problem(error);
}

RouteReply model_change(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  return reply_of(state.ports.models.model_change(id));
}

RouteReply cancel_model_change(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY([[maybe_unused]] const bool empty, parse_empty_object(request.body));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  return reply_of(state.ports.models.cancel_model_change(id));
}

}  // namespace magpie
