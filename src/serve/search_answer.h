#pragma once
// From a request to the answer's JSON, for the server and for `magpie search` alike.
#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "core/archive.h"
#include "core/catalog.h"
#include "serve/hit_cards.h"
#include "serve/picture_analyser.h"
#include "serve/search_request.h"

namespace magpie {

/// What was computed from an uploaded picture; nothing for a token that is unknown or no longer kept.
using FindUpload = std::function<std::optional<Embedding>(const std::string& token)>;

/// What is in a part of a picture of the collection.
using EmbedPart = std::function<Outcome<Embedding>(ImageId id, const PicturePart& part)>;

/// Whether all pictures that are asked with are there: what is cheap to refuse, before one is decoded. `image_not_found`,
/// `picture_expired`.
Outcome<bool> find_pictures(const SearchRequest& request, const Catalog& catalog, const FindUpload& find);

/// Writes into request.query what its pictures stand for, and the scope that follows from them. `picture_expired`, and what `embed_part`
/// answers.
Outcome<bool> look_up_pictures(SearchRequest& request, const Catalog& catalog, const FindUpload& find, const EmbedPart& embed_part);

/// The embedding of a part of a picture out of its archived bytes, which take a worker. `image_not_found`, `picture_unreadable`.
Outcome<Embedding> embed_archived_part(const Catalog& catalog, const Archive& archive, PictureAnalyser& pictures, ImageId id,
                                       const PicturePart& part, Deadline deadline);
/// What a picture could not be understood for.
tl::unexpected<Problem> picture_problem(const Error& error);

/// Asks for the counts of dates, too, where the request wants facets; to the minute, so that ranges can be chosen again.
void count_dates_until(Timestamp now, SearchRequest& request);

/// A picture that is not there is the caller's problem; everything else the searcher says is ours.
tl::unexpected<Problem> search_problem(const Error& error);

/// `SearchAnswer`. `took` is what the caller has measured.
Outcome<std::string> search_answer_text(HitCards& cards, const Catalog& catalog, const SearchRequest& request, const SearchAnswer& answer,
                                        std::chrono::microseconds took);

}  // namespace magpie
