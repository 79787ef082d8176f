#pragma once
// The addresses of a page's pictures, as its job knows them.
#include "core/catalog.h"
#include "core/records.h"
#include "crawl/picture_sizes.h"
#include "crawl/rules.h"

namespace magpie::pipeline {

/// Gives each picture of the page and of its products the name under which the frontier will fetch it, so that what comes back is known.
/// In a replay a candidate that the archive holds goes before those it does not, as nothing else can be fetched.
void name_images(Page& page, const crawl::CrawlRules& rules);

/// Puts the originals of pictures whose addresses spell a smaller size before those; after name_images().
void prefer_originals(Page& page, const crawl::CrawlRules& rules, crawl::PictureSizes& sizes);

/// Does so for those pictures that had their originals before.
void prefer_known_originals(Page& page, const std::vector<StoredRef>& before);

/// Takes out what was forgotten: pictures of which any candidate was, entries for products that were, and addresses that name them.
void drop_forgotten(Page& page, const Refusals& refusals);

}  // namespace magpie::pipeline
