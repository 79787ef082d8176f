#include <simdjson.h>

#include <algorithm>
#include <span>

#include "base/json_writer.h"
#include "serve/api_text.h"
#include "serve/query_reader.h"
#include "serve/routes.h"

namespace magpie {
namespace {

constexpr std::uint64_t kGroupsMax = 100, kReviewsMax = 200;
constexpr std::size_t kShownMax = 100;    // pictures of a group
constexpr std::size_t kNamedMax = 1'000;  // pictures in a review, and of a group by their numbers

void write_images(JsonWriter& json, std::span<const ImageId> images) {
  json.begin_array();
  for (const ImageId image : images) json.number(std::uint64_t{image});
  json.end_array();
}

void write_review(JsonWriter& json, const CopyReview& review) {
  json.begin_object().field("review_id", review.id).field("action", to_string(review.action)).key("image_ids");
  write_images(json, review.images);
  json.field("at", api_time(review.at)).field("undone", review.undone).end_object();
}

Outcome<std::string> group_text(ApiState& state, const CopyGroup& group) {
  std::vector<HitScore> hits;
  for (const ImageId image : group.images) {
    if (hits.size() < kShownMax) hits.push_back({.id = image});
  }
  SERVE_TRY(const std::string images, state.cards.array(hits));
  SERVE_TRY(const std::vector<CopyLink> links, state.ports.catalog.copy_links(group.id));
  JsonWriter json;
  json.begin_object().field("group_id", group.id).field("images_total", group.images.size()).field("reviewed", group.is_reviewed);
  json.key("image_ids");
  write_images(json, std::span(group.images).first(std::min(group.images.size(), kNamedMax)));
  json.key("images").raw(images).key("links");
  write_copy_links(json, links);
  json.end_object();
  return json.take();
}

struct ReviewRequest {
  CopyAction action = CopyAction::kKeep;
  std::vector<ImageId> images;
};

Outcome<ReviewRequest> parse_review(std::string_view body) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  std::string_view action;
  simdjson::dom::array images;
  const simdjson::padded_string padded(body);
  if (parser.parse(padded).get(object) != simdjson::SUCCESS) return problem(400, "request_malformed", "the body must be a JSON object");
  for (const auto& field : object) {
    if (field.key != "action" && field.key != "image_ids")
      return problem(400, "request_malformed", "there is no key '{}' of a review; it has action, image_ids", field.key);
  }
  ReviewRequest request;
  const auto known = object["action"].get(action) == simdjson::SUCCESS ? copy_action_from_string(action) : std::nullopt;
  if (!known) return problem(400, "request_malformed", "action must be keep, split or merge");
  request.action = *known;
  if (object["image_ids"].get(images) != simdjson::SUCCESS || images.size() == 0 || images.size() > kNamedMax)
    return problem(400, "request_malformed", "image_ids must be a list of 1 to {} numbers", kNamedMax);
  for (const simdjson::dom::element image : images) {
    std::uint64_t id = 0;
    if (image.get(id) != simdjson::SUCCESS || id == 0 || id > UINT32_MAX)
      return problem(400, "request_malformed", "image_ids must be a list of 1 to {} numbers", kNamedMax);
    request.images.push_back(static_cast<ImageId>(id));
  }
  return request;
}

tl::unexpected<Problem> refused(const Error& error) {
  if (error.code == Code::kBadInput) return problem(400, "review_invalid", "{}", error.message);
  if (error.code == Code::kNotFound) return problem(404, "copies_not_found", "{}", error.message);
  if (error.code == Code::kBusy) return problem(409, "review_superseded", "{}", error.message);
  return problem(error);
}

}  // namespace

RouteReply list_copies(ApiState& state, const HttpServerRequest& request) {
  QueryReader reader(request.query);
  const auto after = static_cast<ImageId>(reader.number("after", 0, UINT32_MAX, 0));
  const std::uint64_t limit = reader.number("limit", 1, kGroupsMax, 20);
  const bool unreviewed = reader.boolean("unreviewed", false);
  if (const auto problem = reader.problem()) return tl::unexpected(*problem);
  SERVE_TRY(std::vector<CopyGroup> groups, state.ports.catalog.copy_groups(after, unreviewed, limit + 1));
  const bool more = groups.size() > limit;
  if (more) groups.pop_back();
  JsonWriter json;
  json.begin_object().key("groups").begin_array();
  for (const CopyGroup& group : groups) {
    SERVE_TRY(const std::string text, group_text(state, group));
    json.raw(text);
  }
  json.end_array().key("next_after");
  more ? json.number(std::uint64_t{groups.back().id}) : json.null();
  return json_reply(json.end_object().take());
}

RouteReply list_copy_reviews(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::vector<CopyReview> reviews, state.ports.catalog.copy_reviews(kReviewsMax));
  JsonWriter json;
  json.begin_object().key("reviews").begin_array();
  for (const CopyReview& review : reviews) write_review(json, review);
  return json_reply(json.end_array().end_object().take());
}

RouteReply review_copies(ApiState& state, const HttpServerRequest& request) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY([[maybe_unused]] const bool json_body, must_be_json(request));
  SERVE_TRY(ReviewRequest wanted, parse_review(request.body));
  for (const ImageId id : wanted.images) {
    SERVE_TRY(const std::optional<Image> image, state.ports.catalog.image(id));
    if (!image) return problem(404, "image_not_found", "no picture has the id {}", id);
  }
  const Result<CopyReview> made = state.ports.copies.review_copies(wanted.action, std::move(wanted.images));
  if (!made) return refused(made.error());
  JsonWriter json;
  write_review(json, *made);
  HttpServerReply reply = json_reply(json.take());
  reply.status = 201;
  return reply;
}

RouteReply undo_copy_review(ApiState& state, const HttpServerRequest& request, std::string_view id) {
  SERVE_TRY([[maybe_unused]] const bool none, no_parameters(request));
  SERVE_TRY(const std::uint64_t number, path_id(id));
  const Result<CopyReview> undone = state.ports.copies.undo_copy_review(number);
  if (!undone) return refused(undone.error());
  JsonWriter json;
  write_review(json, *undone);
  return json_reply(json.take());
}

}  // namespace magpie
