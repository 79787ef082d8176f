#pragma once
// What comes out of the stages for one URL: the fetch, and what was made of its bytes. The recorder writes it down.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "analyse/analysed_image.h"
#include "core/catalog.h"
#include "core/records.h"
#include "crawl/fetched_document.h"
#include "crawl/focus.h"
#include "crawl/picture_sizes.h"
#include "crawl/rules.h"

namespace magpie::pipeline {

/// What every document of one crawl shares. Immutable but for `focus` and `wake`'s effect; kept alive by the documents under way.
struct RunContext {
  JobId job = 0;
  crawl::CrawlRules rules;
  RevisitPace pace;
  std::shared_ptr<crawl::Focus> focus;                   // the recorder's alone; null: links are followed by their depth
  std::function<void()> wake;                            // tells the fetch loop that the frontier has changed; thread-safe
  std::shared_ptr<crawl::PictureSizes> sizes = nullptr;  // as `focus`; null: pictures are asked for as pages name them
};

/// Bytes that are known already: nothing was analysed.
struct KnownImage {
  Sha256 sha256{};
};

/// What a kept picture lacked; the fetch is not looked at.
struct SecondLook {
  ImageId image = kNoId;
  std::string space;
  Embedding vector;
  std::string detector;                 // empty: nobody looked for regions, and
  std::vector<EmbeddedRegion> regions;  // these are the kept ones with vectors in `space`
};

/// A kept picture was compared with those like it; the fetch is not looked at.
struct Compared {
  ImageId image = kNoId;
  std::string sketch;  // analyse/copy_sketch.h; empty: none was made
  std::vector<CopyLink> links;
};

/// What is around a kept picture was looked at; the fetch is not.
struct Surrounded {
  Onlooker from;
  Surroundings found;
};

/// monostate: nothing to keep but the fetch itself (redirect, sitemap, failure).
using Outcome = std::variant<std::monostate, Page, analyse::AnalysedImage, KnownImage, SecondLook, Compared, Surrounded>;

struct Finished {
  std::shared_ptr<const RunContext> run;
  std::uint64_t signature = 0;  // of the frontier's lease; 0: none to end
  UrlRecord url;
  Fetch fetch;
  std::uint64_t login = 0;  // the document's, as the next (crawl/fetched_document.h)
  std::string robots_tag;
  Outcome outcome;
  bool is_reread = false;           // a page read again from the archive: no visit, so its next one stays when it is
  std::uint32_t selectors = 0;      // the edition of its host's that the page was read by (pipeline/site_selectors.h)
  std::vector<crawl::Dated> dated;  // of a sitemap: what it says when its pages last changed
};

}  // namespace magpie::pipeline
