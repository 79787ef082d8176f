#pragma once
// The API's answers, one function a route. Each takes what it needs and gives a reply or a problem; api.cc chooses among them.
#include <string>
#include <string_view>

#include "serve/api.h"
#include "serve/event_hub.h"
#include "serve/hit_cards.h"
#include "serve/kept_parts.h"
#include "serve/kept_pictures.h"
#include "serve/problem.h"
#include "serve/shop_counts.h"
#include "serve/uploaded_pictures.h"

namespace magpie {

/// What the routes work on; lives as long as the Api.
struct ApiState {
  ApiState(const ApiPorts& p, const ApiOptions& o)
      : ports(p),
        options(o),
        gate(o.access, p.clock),
        cards(p.catalog, p.text),
        uploads(p.clock),
        shops(p.catalog, p.text, p.clock),
        hub(p.jobs, cards, p.clock, o.event_streams_max) {}
  const ApiPorts ports;
  const ApiOptions& options;
  const AccessGate gate;
  HitCards cards;
  UploadedPictures uploads;
  KeptPictures large;
  KeptParts parts;
  ShopCounts shops;
  EventHub hub;  // last: it is told things from its construction on
};

using RouteReply = Outcome<HttpServerReply>;

// search_routes.cc
RouteReply search(ApiState& state, const HttpServerRequest& request);
RouteReply search_by_body(ApiState& state, const HttpServerRequest& request);

// picture_routes.cc
RouteReply image(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply image_variant(ApiState& state, const HttpServerRequest& request, std::string_view id, std::string_view variant);
RouteReply product(ApiState& state, const HttpServerRequest& request, std::string_view id);

// job_routes.cc
RouteReply list_jobs(ApiState& state, const HttpServerRequest& request);
RouteReply start_job(ApiState& state, const HttpServerRequest& request);
RouteReply start_collect(ApiState& state, const HttpServerRequest& request);
RouteReply job(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply cancel_job(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply retry_job(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply revisit_job(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply events(ApiState& state, const HttpServerRequest& request);

// shop_routes.cc
RouteReply list_shops(ApiState& state, const HttpServerRequest& request);
RouteReply add_shop(ApiState& state, const HttpServerRequest& request);
RouteReply shop(ApiState& state, const HttpServerRequest& request, std::string_view name);
RouteReply change_shop(ApiState& state, const HttpServerRequest& request, std::string_view name);
RouteReply remove_shop(ApiState& state, const HttpServerRequest& request, std::string_view name);
RouteReply run_shop(ApiState& state, const HttpServerRequest& request, std::string_view name);
RouteReply start_preview(ApiState& state, const HttpServerRequest& request);
RouteReply preview(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply cancel_preview(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply preview_thumbnail(ApiState& state, const HttpServerRequest& request, std::string_view id, std::string_view rank);

// copy_routes.cc
RouteReply list_copies(ApiState& state, const HttpServerRequest& request);
RouteReply list_copy_reviews(ApiState& state, const HttpServerRequest& request);
RouteReply review_copies(ApiState& state, const HttpServerRequest& request);
RouteReply undo_copy_review(ApiState& state, const HttpServerRequest& request, std::string_view id);

// forget_routes.cc
RouteReply start_forgetting(ApiState& state, const HttpServerRequest& request);
RouteReply allow_again(ApiState& state, const HttpServerRequest& request);
RouteReply forgetting(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply forget_image(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply forget_product(ApiState& state, const HttpServerRequest& request, std::string_view id);

// model_routes.cc
RouteReply start_model_change(ApiState& state, const HttpServerRequest& request);
RouteReply model_change(ApiState& state, const HttpServerRequest& request, std::string_view id);
RouteReply cancel_model_change(ApiState& state, const HttpServerRequest& request, std::string_view id);

// session_routes.cc
RouteReply session(ApiState& state, const HttpServerRequest& request);
RouteReply open_session(ApiState& state, const HttpServerRequest& request);
RouteReply close_session(ApiState& state, const HttpServerRequest& request);

// server_routes.cc
RouteReply stats(ApiState& state, const HttpServerRequest& request);
RouteReply description(ApiState& state);
RouteReply health();
RouteReply readiness(ApiState& state);
RouteReply metrics(ApiState& state);

/// Told by the first bytes: variants are written by us, as JPEG, PNG or WebP.
std::string_view type_of_variant(std::string_view bytes);
/// 200, application/json, not cached.
HttpServerReply json_reply(std::string json);
/// A path's id; parameter_invalid for anything but 1..2^53 - 1.
Outcome<std::uint64_t> path_id(std::string_view text);
/// parameter_unknown when there are query parameters.
Outcome<bool> no_parameters(const HttpServerRequest& request);
/// Of a request that changes something: a page of another site can send forms and plain text unasked, but not this type.
Outcome<bool> must_be_json(const HttpServerRequest& request);
bool is_json(const HttpServerRequest& request);

}  // namespace magpie
