#include "pipeline/extract_again.h"

#include <set>

#include "base/log.h"
#include "core/page_wire.h"
#include "pipeline/page_images.h"
#include "pipeline/recorder.h"
#include "pipeline/worker_answers.h"
#include "pipeline/worker_handlers.h"

namespace magpie::pipeline {
namespace {

std::uint64_t count_new_pictures(const PageDetails& before, const Page& after) {
  std::set<std::string_view> known;
  for (const StoredRef& ref : before.refs) {
    known.insert(ref.ref.url);
    known.insert(ref.ref.alternatives.begin(), ref.ref.alternatives.end());
  }
  std::uint64_t count = 0;
  for (const ImageRef& ref : after.images) count += known.insert(ref.url).second ? 1u : 0u;
  return count;
}

// A header of a later visit, which changed nothing else, is not in the archive.
void keep_refusals(const RobotsMeta& before, RobotsMeta& now) {
  now.noindex |= before.noindex;
  now.nofollow |= before.nofollow;
  now.noimageindex |= before.noimageindex;
  now.noai |= before.noai;
}

}  // namespace

/// One page with all that its comparison needs.
struct ExtractAgain::PageAtHand {
  PageDetails before;
  Fetch fetch;
  std::shared_ptr<const RunContext> context;
};

ExtractAgain::ExtractAgain(ExtractAgainParts parts, ExtractAgainOptions options)
    : parts_(std::move(parts)), options_(std::move(options)), selectors_(selectors_from(parts_.catalog)) {}

Result<ExtractAgainCounts> ExtractAgain::run(std::stop_token stop) {
  std::vector<PageId> ids;
  if (options_.only) {
    ids = *options_.only;
  } else {
    MAGPIE_TRY_DO(parts_.catalog.each_page([&](PageId id, const std::string&) -> Result<void> {
      ids.push_back(id);
      return {};
    }));
  }
  counts_.with([&](ExtractAgainCounts& counts) { counts.of = ids.size(); });
  Result<std::shared_ptr<PageAtHand>> at_hand;
  for (const PageId id : ids) {
    at_hand = page_at_hand(id);
    if (!at_hand || stop.stop_requested()) break;
    if (!*at_hand) continue;
    if (!under_way_.begin()) break;
    submit(std::move(*at_hand));
  }
  MAGPIE_TRY_DO(under_way_.wait());
  if (!at_hand) return Failure(at_hand.error());
  MAGPIE_TRY_DO(parts_.recorder.flush());
  return counts();
}

Result<std::shared_ptr<ExtractAgain::PageAtHand>> ExtractAgain::page_at_hand(PageId id) {
  auto at_hand = std::make_shared<PageAtHand>();
  MAGPIE_TRY(std::optional<PageDetails> page, parts_.catalog.page(id));
  if (!page) return nullptr;
  at_hand->before = std::move(*page);
  MAGPIE_TRY(std::optional<UrlDetails> known, parts_.catalog.why(at_hand->before.page.url));
  if (!known || known->fetch.cause != Cause::kNone) {  // the story of the failure is kept; the next visit that succeeds reads the page
    counts_.with([](ExtractAgainCounts& counts) { ++counts.left; });
    return nullptr;
  }
  at_hand->fetch = std::move(known->fetch);
  at_hand->context = context_of(known->job, at_hand->before);
  return at_hand;
}

void ExtractAgain::submit(std::shared_ptr<PageAtHand> at_hand) {
  const PageContext context{.url = at_hand->fetch.url,
                            .content_type = at_hand->fetch.content_type,
                            .x_robots_tag = "",
                            .agent = parts_.settings.agent(),
                            .selectors = selectors_.lesson(std::string(host_of_url(at_hand->fetch.url))).trusted,
                            .candidates = {},
                            .learns = false};
  auto request = extract_request(parts_.archive, at_hand->fetch.place, context, std::nullopt);
  if (!request) return answered(*at_hand, Failure(request.error()));
  parts_.workers.submit(std::move(*request), [this, at_hand](Result<std::string> answer) { answered(*at_hand, std::move(answer)); });
}

// The pictures of a replay's page are those its archive held: what they were is read off the page as it stands.
std::shared_ptr<const RunContext> ExtractAgain::context_of(JobId job, const PageDetails& page) {
  auto known = contexts_.find(job);
  if (known == contexts_.end()) {
    std::optional<crawl::CrawlRules> rules = parts_.rules(job);
    auto context = rules ? std::make_shared<const RunContext>(RunContext{job, std::move(*rules), {}, {}, {}}) : nullptr;
    known = contexts_.emplace(job, std::move(context)).first;
  }
  if (known->second) return known->second;
  auto held = std::make_shared<std::set<std::string, std::less<>>>();
  for (const StoredRef& ref : page.refs) held->insert(ref.ref.url);
  crawl::CrawlRules rules(job, parts_.settings, [held](std::string_view url) { return held->contains(url); });
  return std::make_shared<const RunContext>(RunContext{job, std::move(rules), {}, {}, {}});
}

void ExtractAgain::answered(PageAtHand& at_hand, Result<std::string> answer) {
  auto page = answer ? decode_page(*answer) : Result<Page>(Failure(answer.error()));
  if (page) {
    compare(at_hand, std::move(*page));
  } else {
    log::warn("rebuild.unreadable", {{"url", at_hand.fetch.url}, {"why", page.error().message}});
    if (is_of_the_pool(page.error())) under_way_.fail(page.error());
    else counts_.with([](ExtractAgainCounts& counts) { ++counts.unreadable; });
  }
  under_way_.end();
}

void ExtractAgain::compare(PageAtHand& at_hand, Page page) {
  const crawl::CrawlRules& rules = at_hand.context->rules;
  page.links.clear();  // they lead on from where the page was found, which is kept nowhere
  name_images(page, rules);
  prefer_known_originals(page, at_hand.before.refs);
  if (options_.only) keep_refusals(at_hand.before.page.robots, page.robots);
  if (page.robots.noai && rules.honours_noai()) page.robots.noimageindex = true;
  PageChange change{at_hand.fetch.url, page_differences(at_hand.before, page)};
  counts_.with([&](ExtractAgainCounts& counts) {
    ++counts.pages;
    if (change.fields.empty()) return;
    ++counts.changed;
    counts.pictures_new += count_new_pictures(at_hand.before, page);
    for (const FieldChange& field : change.fields) ++counts.by_field[field.field];
    if (options_.on_change) options_.on_change(change);
  });
  if (options_.dry_run || change.fields.empty()) return;
  Finished finished;
  finished.run = at_hand.context;
  finished.url = {.url = at_hand.fetch.url, .kind = UrlKind::kPage, .job = at_hand.context->job};
  finished.fetch = at_hand.fetch;
  finished.is_reread = true;
  finished.outcome = std::move(page);
  parts_.recorder.record(std::move(finished));
}

}  // namespace magpie::pipeline
