#include <simdjson.h>

#include "base/json_writer.h"
#include "serve/routes.h"

namespace magpie {
namespace {

struct NewForgetting {
  ForgetTarget target;
  bool dry_run = false;
};

tl::unexpected<Problem> invalid(std::string_view what) { return problem(400, "body_invalid", "{}", what); }

Outcome<NewForgetting> parse_new_forgetting(const std::string& body) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(body).get(object) != simdjson::SUCCESS) return invalid("the body must be a JSON object");
  NewForgetting wish;
  bool has_kind = false;
  for (const auto& [key, value] : object) {
    std::string_view text;
    if (key == "kind") {
      const auto kind = value.get(text) == simdjson::SUCCESS ? forget_kind_from(text) : std::nullopt;
      if (!kind) return invalid("kind is one of picture, page, host, label, artist");
      wish.target.kind = *kind;
      has_kind = true;
    } else if (key == "name") {
      if (value.get(text) != simdjson::SUCCESS || text.empty() || text.size() > 4'096) return invalid("name is a text of 1 to 4096 bytes");
      wish.target.name = text;
    } else if (key == "copies") {
      if (value.get(wish.target.copies) != simdjson::SUCCESS) return invalid("copies is true or false");
    } else if (key == "dry_run") {
      if (value.get(wish.dry_run) != simdjson::SUCCESS) return invalid("dry_run is true or false");
    } else {
      return problem(400, "body_invalid", "there is no '{}': kind, name, copies, dry_run", key.substr(0, 100));
    }
  }
  if (!has_kind || wish.target.name.empty()) return invalid("kind and name are needed");
  return wish;
}

HttpServerReply view_reply(int status, const ForgetView& view) {
  JsonWriter json;
  json.begin_object().key("forget_id");
  if (view.id > 0) json.number(view.id);
  else json.null();
  json.field("kind", to_string(view.target.kind)).field("name", view.target.name);
  json.field("state", to_string(view.state)).key("message");
  if (view.message) json.string(*view.message);
  else json.null();
  json.key("report");
  if (view.report) write_report(json, *view.report);
  else json.null();
  HttpServerReply reply = json_reply(json.end_object().take());
  reply.status = status;
  if (status == 202) reply.headers.push_back({"Location", fmt::format("/api/v1/forgettings/{}", view.id)});
  return reply;
}

tl::unexpected<Problem> refused(const Error& error) {
  if (error.code == Code::kNotFound) return problem(404, "nothing_known", "{}", error.message);
  if (error.code == Code::kBadInput) return problem(400, "body_invalid", "{}", error.message);
  if (error.code == Code::kBusy) return problem(409, "forgetting_running", "{}", error.message);
  return problem(error);
}

RouteReply begin_forgetting(ApiState& state, const ForgetTarget& target) {
  const Result<ForgetView> begun = state.ports.forget.forget(target);
  return begun ? RouteReply(view_reply(202, *begun)) : refused(begun.error());
}

}  // namespace

RouteReply start_forgetting(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const NewForgetting wish, parse_new_forgetting(request.body));
  if (!wish.dry_run) return begin_forgetting(state, wish.target);
  const Result<ForgetReport> report = state.ports.forget.preview(wish.target);
  if (!report) return refused(report.error());
  return view_reply(200, {.target = wish.target, .state = ForgetState::kFinished, .report = *report});
}

RouteReply allow_again(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const NewForgetting wish, parse_new_forgetting(request.body));
  const Result<std::uint64_t> allowed = state.ports.forget.allow(wish.target);
  if (!allowed) return refused(allowed.error());
  JsonWriter out;
  return json_reply(out.begin_object().field("allowed", *allowed).end_object().take());
}

RouteReply forgetting(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  const Result<ForgetView> view = state.ports.forget.forgetting(id);
  if (view) return view_reply(200, *view);
  return view.error().code == Code::kNotFound ? problem(404, "forgetting_not_found", "{}", view.error().message) : problem(view.error());
}

RouteReply forget_image(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  SERVE_TRY(const auto known, id <= UINT32_MAX ? state.ports.catalog.image(static_cast<ImageId>(id)) : std::optional<Image>());
  if (!known) return problem(404, "image_not_found", "no picture has the id {}", id);
  return begin_forgetting(state, {.kind = ForgetKind::kPicture, .name = std::to_string(id)});
}

RouteReply forget_product(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  SERVE_TRY(const auto stored, state.ports.catalog.product(id));
  if (!stored) return problem(404, "product_not_found", "no product has the id {}", id);
  SERVE_TRY(const auto page, state.ports.catalog.page(stored->page));
  if (!page) return problem(404, "product_not_found", "the product {} has no page any more", id);
  return begin_forgetting(state, {.kind = ForgetKind::kPage, .name = page->page.url});
}

}  // namespace magpie
