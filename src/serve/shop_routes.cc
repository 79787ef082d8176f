#include "base/json_writer.h"
#include "serve/job_json.h"
#include "serve/routes.h"
#include "serve/shop_json.h"

namespace magpie {
namespace {

tl::unexpected<Problem> no_shop(const Error& error) { return problem(404, "shop_not_found", "{}", error.message); }
tl::unexpected<Problem> no_preview(PreviewId id) { return problem(404, "preview_not_found", "no preview has the id {}", id); }

/// For what a shop's words say wrong: it was read well, so what is not found is a profile.
tl::unexpected<Problem> refused(const Error& error) {
  if (error.code == Code::kBadInput || error.code == Code::kNotFound) return problem(400, "shop_invalid", "{}", error.message);
  if (error.code == Code::kBusy) return problem(409, "shop_busy", "{}", error.message);
  if (error.code == Code::kForbidden) return problem(403, "crawl_disabled", "{}", error.message);
  return problem(error);
}

/// The shop as it stands, or the problem that there is none, or that its file does not read.
Outcome<ShopView> known_shop(ApiState& state, std::string_view name) {
  Result<ShopView> found = state.ports.shops.get(std::string(name));
  if (found) return *std::move(found);
  return found.error().code == Code::kNotFound ? no_shop(found.error()) : refused(found.error());
}

HttpServerReply created(std::string body, std::string location) {
  HttpServerReply reply = json_reply(std::move(body));
  reply.status = 201;
  reply.headers.push_back({"Location", std::move(location)});
  return reply;
}

}  // namespace

RouteReply list_shops(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const ShopControl::List list, state.ports.shops.list());
  JsonWriter json;
  json.begin_object().key("shops").begin_array();
  for (const ShopView& shop : list.shops) write_shop(json, shop);
  json.end_array().key("problems").begin_array();
  for (const std::string& problem : list.problems) json.string(problem);
  json.end_array().key("profiles").begin_array();
  for (const ProfileView& profile : list.profiles)
    json.begin_object()
        .field("name", profile.name)
        .field("about", profile.about)
        .field("picture_side_min", profile.picture_side_min)
        .end_object();
  return json_reply(json.end_array().end_object().take());
}

RouteReply add_shop(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const ShopRequest shop, parse_new_shop(request.body));
  const Result<ShopView> added = state.ports.shops.add(shop.name, shop.change);
  if (added) return created(shop_text(*added), fmt::format("/api/v1/shops/{}", added->shop.name));
  if (added.error().code == Code::kBusy) return problem(409, "shop_exists", "{}", added.error().message);
  return refused(added.error());
}

RouteReply shop(ApiState& state, const HttpServerRequest& request, std::string_view name) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const ShopView found, known_shop(state, name));
  return json_reply(shop_text(found));
}

RouteReply change_shop(ApiState& state, const HttpServerRequest& request, std::string_view name) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const ShopRequest wish, parse_shop_change(request.body));
  SERVE_TRY([[maybe_unused]] const ShopView known, known_shop(state, name));
  const Result<ShopView> changed = state.ports.shops.change(std::string(name), wish.change);
  if (changed) return json_reply(shop_text(*changed));
  return refused(changed.error());
}

RouteReply remove_shop(ApiState& state, const HttpServerRequest& request, std::string_view name) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY([[maybe_unused]] const bool empty, parse_empty_object(request.body));
  SERVE_TRY(const ShopView known, known_shop(state, name));
  const Result<void> removed = state.ports.shops.remove(std::string(name));
  if (removed) return json_reply(shop_text(known));
  return removed.error().code == Code::kNotFound ? no_shop(removed.error()) : problem(removed.error());
}

RouteReply run_shop(ApiState& state, const HttpServerRequest& request, std::string_view name) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const ShopRequest wish, parse_shop_run(request.body));
  SERVE_TRY([[maybe_unused]] const ShopView known, known_shop(state, name));
  if (!state.ports.jobs.can_start()) return problem(403, "crawl_disabled", "this server does not start crawls; use 'magpie shop run'");
  const Result<CrawlJobView> job = state.ports.shops.run(std::string(name), wish.change, wish.agent);
  if (job) return created(job_text(*job), fmt::format("/api/v1/jobs/{}", job->id));
  if (job.error().code == Code::kBusy) return problem(409, "job_running", "{}", job.error().message);
  return refused(job.error());
}

RouteReply start_preview(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY(const ShopRequest wish, parse_new_preview(request.body));
  if (!wish.name.empty()) { SERVE_TRY([[maybe_unused]] const ShopView known, known_shop(state, wish.name)); }
  if (!state.ports.jobs.can_start()) return problem(403, "crawl_disabled", "this server does not start crawls; use 'magpie shop preview'");
  const Result<PreviewView> begun = state.ports.shops.start_preview({wish.name, wish.change, wish.count, wish.agent});
  if (begun) return created(preview_text(*begun), fmt::format("/api/v1/previews/{}", begun->id));
  return refused(begun.error());
}

RouteReply preview(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  const Result<PreviewView> found = state.ports.shops.preview(id);
  if (found) return json_reply(preview_text(*found));
  return found.error().code == Code::kNotFound ? no_preview(id) : problem(found.error());
}

RouteReply cancel_preview(ApiState& state, const HttpServerRequest& request, std::string_view id_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json, must_be_json(request));
  SERVE_TRY([[maybe_unused]] const bool empty, parse_empty_object(request.body));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  const Result<PreviewView> cancelled = state.ports.shops.cancel_preview(id);
  if (cancelled) return json_reply(preview_text(*cancelled));
  return cancelled.error().code == Code::kNotFound ? no_preview(id) : problem(cancelled.error());
}

RouteReply preview_thumbnail(ApiState& state, const HttpServerRequest& request, std::string_view id_text, std::string_view rank_text) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t id, path_id(id_text));
  SERVE_TRY(const std::uint64_t rank, path_id(rank_text));
  const Result<PreviewView> found = state.ports.shops.preview(id);
  if (!found) return found.error().code == Code::kNotFound ? no_preview(id) : problem(found.error());
  if (rank > found->products.size() || !found->products[rank - 1].thumbnail)
    return problem(404, "variant_not_found", "product {} of preview {} has no thumbnail", rank, id);
  // Not kept for ever, as the next preview may show other products at this rank.
  return HttpServerReply{
      .headers = {{"Content-Type", std::string(type_of_variant(*found->products[rank - 1].thumbnail))}, {"Cache-Control", "no-store"}},
      .body = found->products[rank - 1].thumbnail};
}

}  // namespace magpie
