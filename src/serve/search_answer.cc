#include "serve/search_answer.h"

#include <algorithm>

#include "serve/hit_why.h"

namespace magpie {
namespace {

tl::unexpected<Problem> no_such_picture(std::uint64_t id) { return problem(404, "image_not_found", "no picture has the id {}", id); }

Outcome<Embedding> find_upload(const std::string& token, const FindUpload& find) {
  if (auto embedding = find(token)) return *std::move(embedding);
  return problem(410, "picture_expired", "the uploaded picture is no longer kept; upload it again");
}

Outcome<std::vector<QueryPicture>> look_up(const std::vector<AskedPicture>& asked, const FindUpload& find, const EmbedPart& embed_part) {
  std::vector<QueryPicture> pictures;
  for (const AskedPicture& one : asked) {
    // Pictures have ids of 32 bits; a larger one is well-formed and names none.
    if (one.id > UINT32_MAX) return no_such_picture(one.id);
    QueryPicture picture{.id = static_cast<ImageId>(one.id), .region = one.region, .weight = one.weight()};
    if (one.id == 0) { SERVE_TRY(picture.vector, find_upload(one.token, find)); }
    if (one.part) { SERVE_TRY(picture.vector, embed_part(picture.id, *one.part)); }
    pictures.push_back(std::move(picture));
  }
  return pictures;
}

/// Where everything asked with is a region, only regions are compared, unless that is not wanted: those of its class, where it is one.
Result<VectorScope> scope_of(const SearchRequest& request, const Catalog& catalog) {
  const auto is_region = [](const AskedPicture& picture) { return picture.region != 0; };
  if (!request.same_class || request.like.empty() || !std::ranges::all_of(request.like, is_region)) return VectorScope();
  VectorScope scope{VectorPart::kRegion, ""};
  for (const AskedPicture& picture : request.like) {
    if (picture.id > UINT32_MAX) return VectorScope();
    MAGPIE_TRY(const auto details, catalog.image_details(static_cast<ImageId>(picture.id)));
    const bool is_known = details && picture.region <= details->regions.size();
    if (!is_known) return VectorScope();  // the searcher says so
    const std::string& label = details->regions[picture.region - 1U].label;
    if (&picture == &request.like.front()) scope.region_class = label;
    else if (scope.region_class != label) scope.region_class.clear();
  }
  return scope;
}

Outcome<std::string> hits_text(HitCards& cards, const Catalog& catalog, const SearchRequest& request, const SearchAnswer& answer) {
  std::vector<HitScore> scores;
  scores.reserve(answer.hits.size());
  for (const SearchHit& hit : answer.hits) {
    HitScore score{.id = hit.id, .score = hit.score, .copies = hit.copies_total, .by_looks = hit.by_looks, .region = hit.region};
    score.more_of_shop = hit.more_of_shop;
    score.more_of_brand = hit.more_of_brand;
    if (request.query.why) { SERVE_TRY(score.why, hit_why(catalog, request, answer, hit)); }
    scores.push_back(std::move(score));
  }
  SERVE_TRY(std::string hits, cards.array(scores));
  return hits;
}

}  // namespace

Outcome<bool> find_pictures(const SearchRequest& request, const Catalog& catalog, const FindUpload& find) {
  for (const auto* pictures : {&request.like, &request.unlike}) {
    for (const AskedPicture& one : *pictures) {
      if (one.id == 0) {
        SERVE_TRY([[maybe_unused]] const Embedding found, find_upload(one.token, find));
        continue;
      }
      if (one.id > UINT32_MAX) return no_such_picture(one.id);
      SERVE_TRY(const auto image, catalog.image(static_cast<ImageId>(one.id)));
      if (!image) return no_such_picture(one.id);
    }
  }
  return true;
}

Outcome<bool> look_up_pictures(SearchRequest& request, const Catalog& catalog, const FindUpload& find, const EmbedPart& embed_part) {
  SERVE_TRY(request.query.like, look_up(request.like, find, embed_part));
  SERVE_TRY(request.query.unlike, look_up(request.unlike, find, embed_part));
  SERVE_TRY(request.query.scope, scope_of(request, catalog));
  return true;
}

tl::unexpected<Problem> picture_problem(const Error& error) {
  if (error.code == Code::kBadInput || error.code == Code::kTooLarge) return problem(422, "picture_unreadable", "{}", error.message);
  return problem(error);
}

Outcome<Embedding> embed_archived_part(const Catalog& catalog, const Archive& archive, PictureAnalyser& pictures, ImageId id,
                                       const PicturePart& part, Deadline deadline) {
  SERVE_TRY(const auto image, catalog.image(id));
  if (!image) return no_such_picture(id);
  SERVE_TRY(const ArchivedResponse original, archive.read(image->original));
  Result<Embedding> embedding = pictures.embed_part(original.body, part, deadline);
  if (!embedding) return picture_problem(embedding.error());
  return *std::move(embedding);
}

void count_dates_until(Timestamp now, SearchRequest& request) {
  if (!request.wants_facets) return;
  const auto minute = std::chrono::floor<std::chrono::minutes>(now);
  request.query.dates_at_seconds = std::chrono::duration_cast<std::chrono::seconds>(minute.time_since_epoch()).count();
}

tl::unexpected<Problem> search_problem(const Error& error) {
  if (error.code == Code::kNotFound) return problem(404, "image_not_found", "{}", error.message);
  if (error.code == Code::kBadInput || error.code == Code::kTooLarge) return problem(400, "parameter_invalid", "{}", error.message);
  return problem(error);
}

Outcome<std::string> search_answer_text(HitCards& cards, const Catalog& catalog, const SearchRequest& request, const SearchAnswer& answer,
                                        std::chrono::microseconds took) {
  SERVE_TRY(const std::string hits, hits_text(cards, catalog, request, answer));
  JsonWriter json;
  json.begin_object()
      .field("total", answer.total)
      .field("listed", answer.listed)
      .field("total_is_exact", answer.exactness == Exactness::kExact)
      .field("any_word", answer.any_word);
  json.key("meant").begin_array();
  for (const auto& [typed, meant] : answer.meant) json.begin_object().field("typed", typed).field("meant", meant).end_object();
  json.end_array();
  json.field("offset", request.query.offset).field("limit", request.query.limit).key("query");
  write_query_echo(json, request);
  const auto uploaded = std::ranges::find(request.like, 0U, &AskedPicture::id);
  if (uploaded != request.like.end() && !uploaded->token.empty()) json.field("picture_token", uploaded->token);
  if (request.wants_facets) {
    json.key("facets");
    write_facets(json, answer);
  }
  json.key("hits").raw(hits).field("took_ms", static_cast<double>(took.count()) / 1'000).end_object();
  return json.take();
}

}  // namespace magpie
