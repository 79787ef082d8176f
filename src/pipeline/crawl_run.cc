#include "pipeline/crawl_run.h"

#include <algorithm>

#include "analyse/analyse_picture.h"
#include "base/log.h"
#include "collect/folder.h"
#include "core/page_wire.h"
#include "crawl/answer.h"
#include "crawl/replay_client.h"
#include "extract/extract_page.h"
#include "extract/robots_meta.h"
#include "pipeline/extract_again.h"
#include "pipeline/listing_sink.h"
#include "pipeline/worker_answers.h"
#include "pipeline/worker_handlers.h"

namespace magpie::pipeline {
namespace {

AddressPolicy address_policy(const crawl::CrawlSettings& settings) {
  AddressPolicy policy;
  policy.allow_loopback = settings.allow_loopback();
  policy.allow_private = settings.allow_private();
  return policy;
}

// A refused page is read, too: it may be a captcha, a login or a call to slow down.
bool may_explain_itself(const crawl::FetchedDocument& document) {
  const Fetch& fetch = document.fetch;
  return fetch.cause == Cause::kStatus && (fetch.status == 401 || fetch.status == 403) && document.url.kind == UrlKind::kPage &&
         document.response && document.response->complete() && crawl::kind_of_answer(*document.response, UrlKind::kPage) == UrlKind::kPage;
}

// Pages count once they were read; a picture may wait in the archive for its analysis.
bool is_kept(const UrlDetails& known) { return known.fetch.place.file != 0 && (known.page != 0 || known.fetch.kind == UrlKind::kImage); }

constexpr std::string_view kPictureSizes = "picture_sizes";  // of the catalog's meta: crawl::PictureSizes

bool has_marked_product(const Page& page) {
  if (page.products.empty()) return false;
  const auto& evidence = page.products.front().evidence;
  return std::any_of(evidence.begin(), evidence.end(),
                     [](const FieldEvidence& one) { return one.field == "price" && one.origin <= FieldOrigin::kOpenGraph; });
}

PictureStage stage_of(const std::string& words) {
  if (words == "archive") return PictureStage::kArchive;
  return words == "describe" ? PictureStage::kDescribe : PictureStage::kEmbed;
}

RevisitPace pace_of(const crawl::CrawlSettings& settings) {
  const auto seconds = [](std::chrono::milliseconds time) { return std::chrono::ceil<std::chrono::seconds>(time); };
  return {seconds(settings.revisit_first()), seconds(settings.revisit_min()), seconds(settings.revisit_max())};
}

}  // namespace

Result<std::unique_ptr<HttpClient>> make_crawl_client(const crawl::CrawlSettings& settings, MetricsRegistry* metrics) {
  HttpClientOptions options;
  MAGPIE_TRY(options.user_agent, crawl::user_agent(settings));
  options.addresses = address_policy(settings);
  options.connections_max = static_cast<std::size_t>(settings.workers());
  options.connections_idle_max = options.connections_max;
  options.proxy = settings.proxy();
  MAGPIE_TRY(options.names, resolver_options(settings.names));
  options.names.metrics = metrics;
  return HttpClient::make(std::move(options));
}

Result<std::unique_ptr<CrawlRun>> CrawlRun::make(CrawlRunParts parts, const crawl::CrawlSettings& settings, JobId job,
                                                 const std::vector<Url>& seeds) {
  std::unique_ptr<CrawlRun> run(new CrawlRun(parts, job, static_cast<std::uint64_t>(settings.repeats_max())));
  MAGPIE_TRY(run->client_, make_crawl_client(settings, parts.metrics));
  MAGPIE_TRY_DO(run->prepare(settings, crawl::CrawlRules(job, settings, seeds)));
  for (const Url& seed : seeds) {
    crawl::Admission admission = run->context_->rules.admit(seed, UrlKind::kPage, 0);
    if (admission.refusal == crawl::Refusal::kForgotten)
      return fail(Code::kForbidden, "seed {} was forgotten; 'magpie forget --allow' takes that back", seed);
    if (!admission.record) return fail(Code::kBadInput, "seed {} is not taken: {}", seed, crawl::to_string(admission.refusal));
    run->seeds_.push_back(std::move(*admission.record));
  }
  return run;
}

Result<std::unique_ptr<CrawlRun>> CrawlRun::make_replay(CrawlRunParts parts, crawl::CrawlSettings settings, JobId job,
                                                        const std::vector<fs::path>& files, std::stop_token stop) {
  constexpr std::size_t kPagesAtOnce = 1'000;
  std::unique_ptr<CrawlRun> run(new CrawlRun(parts, job, static_cast<std::uint64_t>(settings.repeats_max())));
  settings = crawl::local_settings(std::move(settings));
  // A million addresses are not kept here: the frontier has them on the disk.
  std::vector<UrlRecord> pages;
  const auto queue_pages = [&]() -> Result<void> {
    MAGPIE_TRY([[maybe_unused]] const std::size_t added, parts.frontier.add(pages));
    pages.clear();
    return {};
  };
  crawl::ReplayOptions options{.stop = std::move(stop)};
  options.body_bytes_max = static_cast<std::uint64_t>(std::max(settings.page_bytes_max(), settings.image_bytes_max()));
  MAGPIE_TRY(const Refusals refusals, parts.catalog.refusals());
  options.on_page = [&](std::string url) -> Result<void> {
    if (refusals.refuses(url)) return {};
    pages.push_back({.url = std::move(url), .kind = UrlKind::kPage, .job = job, .priority = 0});
    return pages.size() < kPagesAtOnce ? Result<void>() : queue_pages();
  };
  MAGPIE_TRY(run->replay_, crawl::ReplayIndex::build(files, crawl::AddressForm(settings), options));
  MAGPIE_TRY_DO(queue_pages());
  const crawl::ReplayCounts& counts = run->replay_->counts();
  log::info("replay.read", {{"job", job}, {"files", counts.files}, {"records", counts.records}, {"addresses", counts.addresses}});
  MAGPIE_TRY(run->client_, crawl::make_replay_client(run->replay_));
  crawl::CrawlRules rules(job, settings, [held = run->replay_](std::string_view url) { return held->holds(url); });
  MAGPIE_TRY_DO(run->prepare(settings, std::move(rules)));
  return run;
}

Result<std::unique_ptr<CrawlRun>> CrawlRun::make_collect(CrawlRunParts parts, crawl::CrawlSettings settings, JobId job,
                                                         collect::Description description, const collect::ListerOptions& options) {
  std::unique_ptr<CrawlRun> run(new CrawlRun(parts, job, static_cast<std::uint64_t>(settings.repeats_max())));
  settings = collect_settings(std::move(settings), description);
  if (description.is_folder()) {
    const fs::path root = collect::root_of(description);
    MAGPIE_TRY(run->client_, collect::make_folder_client(root));
    MAGPIE_TRY(run->lister_client_, collect::make_folder_client(root));  // a folder's lister asks nothing of it
  } else {
    MAGPIE_TRY(run->client_, make_crawl_client(settings, parts.metrics));
    MAGPIE_TRY(run->lister_client_, make_crawl_client(settings, nullptr));
  }
  run->listing_ = true;
  MAGPIE_TRY_DO(run->prepare(settings, collect_rules(job, settings, description)));
  MAGPIE_TRY(crawl::CrawlWindows windows, crawl::CrawlWindows::parse(settings.windows(), settings.time_zone()));
  run->sink_ = make_listing_sink({parts.frontier, parts.catalog, parts.recorder, parts.clock, run->context_->rules}, description.source);
  run->lister_ = std::make_unique<collect::Lister>(
      std::move(description), collect::ListerParts{*run->lister_client_, parts.clock, *run->sink_, std::move(windows)}, options);
  return run;
}

// What all kinds have in common, once there is a client.
Result<void> CrawlRun::prepare(const crawl::CrawlSettings& settings, crawl::CrawlRules rules) {
  settings_ = settings;
  agent_ = settings.agent();
  pictures_ = stage_of(settings.pictures());
  auto focus = settings.focus() && !replay_ ? std::make_shared<crawl::Focus>(settings.focus_words(), settings.focus_avoid())
                                            : nullptr;  // of a replay every page is read anyway
  MAGPIE_TRY(auto sizes, picture_sizes(settings));
  MAGPIE_TRY(Refusals refusals, parts_.catalog.refusals());
  rules.refuse(std::move(refusals));
  context_ = std::make_shared<const RunContext>(
      RunContext{job_, std::move(rules), pace_of(settings), std::move(focus), [this] { loop_->wake(); }, std::move(sizes)});
  crawl::FetchLoopParts loop{parts_.frontier, *client_, parts_.clock, context_->rules, documents_};
  if (listing_) loop.more_to_come = [this] { return listing_.load(); };
  if (!replay_) {
    MAGPIE_TRY(loop.resting, parts_.catalog.resting_hosts(parts_.clock.now()));
    MAGPIE_TRY(const std::vector<Job> jobs, parts_.catalog.jobs());
    const bool anything_kept = jobs.size() > 1 || parts_.frontier.counts(job_).known > 0;
    if (anything_kept) loop.validators = [this](const UrlRecord& url) { return validators_of(url); };
  }
  MAGPIE_TRY(loop_, crawl::FetchLoop::make(std::move(loop), settings));
  if (replay_ || listing_) return {};
  PageRenderingParts rendering{parts_.archive, context_->rules, parts_.browser_folder, [this](auto one) { loop_->fetch(std::move(one)); }};
  MAGPIE_TRY(rendering_, PageRendering::make(std::move(rendering), settings, browser_missing_));
  return {};
}

// Of a replay and of a list nothing but what was named can be had; and unless pictures are looked at, nobody learns how large they are.
Result<std::shared_ptr<crawl::PictureSizes>> CrawlRun::picture_sizes(const crawl::CrawlSettings& settings) const {
  if (!settings.originals() || replay_ || listing_ || pictures_ == PictureStage::kArchive) return nullptr;
  auto sizes = std::make_shared<crawl::PictureSizes>(std::chrono::floor<std::chrono::days>(parts_.clock.now()).time_since_epoch().count());
  MAGPIE_TRY(const auto known, parts_.catalog.meta(kPictureSizes));
  if (known) sizes->add_text(*known);
  return sizes;
}

CrawlRun::~CrawlRun() = default;

Result<crawl::CrawlEnd> CrawlRun::run(std::stop_token stop) {
  MAGPIE_TRY_DO(parts_.frontier.add(seeds_));
  const std::stop_callback stopped(stop, [this] {
    stop_.request_stop();
    loop_->wake();
  });
  std::jthread dispatcher([this] { dispatch(); });
  std::jthread lister([this] { list(stop_.get_token()); });
  auto end = loop_->run(stop_.get_token());
  if (end && *end != crawl::CrawlEnd::kFinished) stop_.request_stop();  // the lister, too
  if (rendering_ && (!end || *end != crawl::CrawlEnd::kFinished)) rendering_->stop();
  lister.join();
  documents_.close();
  dispatcher.join();
  {
    std::unique_lock lock(mutex_);
    drained_.wait(lock, [this] { return processing_ == 0; });
  }
  MAGPIE_TRY_DO(parts_.recorder.flush());
  MAGPIE_TRY_DO(parts_.frontier.sync());
  finish_learning(end && *end == crawl::CrawlEnd::kFinished && !stop_.stop_requested());
  const std::lock_guard lock(mutex_);
  if (!trouble_.empty()) return fail(Code::kUnavailable, "{}", trouble_);
  return end;
}

CrawlRunCounts CrawlRun::counts() const { return {loop_->totals(), parts_.frontier.counts(job_).queued, processing_, rendered_}; }

std::string CrawlRun::unrendered() const {
  const std::uint64_t count = unrendered_;
  if (count == 0) return "";
  return fmt::format("{} page{} leave{} all to scripts and {} taken as {} stand{}: {}", count, count == 1 ? "" : "s", count == 1 ? "s" : "",
                     count == 1 ? "was" : "were", count == 1 ? "it" : "they", count == 1 ? "s" : "", browser_missing_);
}

std::vector<crawl::HostReport> CrawlRun::hosts() const { return loop_->hosts(); }

void CrawlRun::list(const std::stop_token& stop) {
  if (!lister_) return;
  if (const auto done = lister_->run(stop); !done) give_up(done.error());
  listing_ = false;
  loop_->wake();
}

void CrawlRun::dispatch() {
  while (std::optional<crawl::FetchedDocument> document = documents_.pop()) {
    loop_->wake();  // there is room again
    if (rendering_) rendering_->wait_for_room();
    ++processing_;
    take(std::move(*document));
  }
}

void CrawlRun::take(crawl::FetchedDocument document) {
  auto finished = std::make_shared<Finished>();
  finished->run = context_;
  finished->signature = document.signature;
  finished->login = document.login;
  finished->robots_tag = document.robots_tag;
  finished->url = document.url;
  finished->fetch = document.fetch;
  finished->dated = std::move(document.dated);
  if (document.unchanged) return take_unchanged(std::move(finished), document.robots_tag);
  if (replay_ && take_newer(finished, document)) return;
  const bool good = document.response && document.fetch.cause == Cause::kNone && document.fetch.redirect.empty();
  if (!good && !may_explain_itself(document)) return finish(std::move(*finished));
  finished->fetch.kind = document.kind;  // what came counts, not what was expected
  if (refuse_forgotten(*finished, document.response->body)) return finish(std::move(*finished));

  Exchange exchange;
  exchange.url = document.fetch.url;
  exchange.status = document.fetch.status;
  exchange.header_block = document.response->header_block;
  exchange.body = document.response->body;
  exchange.fetched_at = document.fetch.fetched_at;
  exchange.ip = document.response->peer_address;
  exchange.rendered = replay_ && replay_->is_rendered(document.fetch.url);
  const auto place = [&] {
    const std::lock_guard lock(parts_.archive_writing);
    return parts_.archive.append(exchange);
  }();
  if (!place) {
    if (place.error().code == Code::kUnavailable) abandon(*finished, place.error());
    finished->fetch.cause = Cause::kDisk;
    finished->fetch.detail = place.error().message;
    return finish(std::move(*finished));
  }
  finished->fetch.place = *place;
  hand_out(std::move(finished), document);
}

// 304: the page is read again from the archive, since its links lead on and are kept nowhere else; of a picture nothing is to be done.
void CrawlRun::take_unchanged(std::shared_ptr<Finished> finished, const std::string& robots_tag) {
  Fetch& fetch = finished->fetch;
  const auto before = parts_.catalog.why(fetch.url);
  if (!before) return answered(std::move(finished), Failure(before.error()));
  if (!*before || !is_kept(**before)) {
    fetch.cause = Cause::kProtocol;
    fetch.detail = "answered 304, but nothing is kept of it";
    return finish(std::move(*finished));
  }
  const Fetch& kept = (*before)->fetch;
  fetch.content_type = kept.content_type;
  if (fetch.etag.empty()) fetch.etag = kept.etag;
  if (fetch.last_modified.empty()) fetch.last_modified = kept.last_modified;
  fetch.body_bytes = kept.body_bytes;
  take_kept(std::move(finished), **before, robots_tag);
}

// A record says when it was received. What the collection has of the same moment, or of a later one, is read again from where it lies: so
// the collection's own files, and files that are replayed once more, are not copied, and an old archive takes nothing back.
bool CrawlRun::take_newer(std::shared_ptr<Finished>& finished, crawl::FetchedDocument& document) {
  const std::optional<Timestamp> recorded_at = replay_->recorded_at(document.fetch.url);
  if (!recorded_at) return false;
  document.fetch.fetched_at = finished->fetch.fetched_at = *recorded_at;
  const auto before = parts_.catalog.why(document.fetch.url);
  if (!before || !*before) return false;
  const Fetch& kept = (*before)->fetch;
  if (!is_kept(**before) || kept.cause != Cause::kNone || kept.fetched_at < *recorded_at) return false;
  finished->fetch = kept;
  take_kept(std::move(finished), **before, kept.fetched_at == *recorded_at ? document.robots_tag : std::string());
  return true;
}

// Of what the archive keeps already.
void CrawlRun::take_kept(std::shared_ptr<Finished> finished, const UrlDetails& before, const std::string& robots_tag) {
  Fetch& fetch = finished->fetch;
  fetch.kind = before.fetch.kind;
  fetch.place = before.fetch.place;
  if (fetch.kind == UrlKind::kPage && before.page != 0) {
    const PageContext context = context_of(*finished, robots_tag);
    return submit(std::move(finished), extract_request(parts_.archive, before.fetch.place, context, std::nullopt));
  }
  if (refuse_opted_out(*finished, robots_tag)) return finish(std::move(*finished));
  if (before.image == kNoId || !is_complete(before.image)) return analyse_archived(std::move(finished));
  const auto image = parts_.catalog.image(before.image);
  if (image && *image) finished->outcome = KnownImage{(*image)->sha256};
  finish(std::move(*finished));
}

// An earlier crawl may have described it only.
bool CrawlRun::is_complete(ImageId image) const {
  if (pictures_ != PictureStage::kEmbed) return true;
  const auto embedding = parts_.catalog.embedding(image, parts_.recorder.space());
  return embedding && *embedding;
}

void CrawlRun::analyse_archived(std::shared_ptr<Finished> finished) {
  if (pictures_ == PictureStage::kArchive) return finish(std::move(*finished));
  const ArchivePlace& place = finished->fetch.place;
  auto request = pictures_ == PictureStage::kEmbed ? analyse::analyse_request(parts_.archive, place)
                                                   : analyse::describe_request(parts_.archive, place);
  submit(std::move(finished), std::move(request));
}

// A picture's own X-Robots-Tag keeps it out of the search, whatever its page says.
bool CrawlRun::refuse_opted_out(Finished& finished, const std::string& robots_tag) const {
  RobotsMeta robots;
  add_robots_header(robots, robots_tag, agent_);
  if (!robots.noindex && !robots.noimageindex && !(robots.noai && context_->rules.honours_noai())) return false;
  finished.fetch.cause = Cause::kOptedOut;
  finished.fetch.detail = fmt::format("X-Robots-Tag: {}", robots_tag);
  return true;
}

// Before it is archived: the same bytes under whatever address.
bool CrawlRun::refuse_forgotten(Finished& finished, std::string_view body) const {
  const Refusals& refusals = context_->rules.refusals();
  if (finished.fetch.kind != UrlKind::kImage || refusals.empty() || !refusals.refuses(sha256(body))) return false;
  finished.fetch.cause = Cause::kOptedOut;
  finished.fetch.detail = "this picture was forgotten";
  return true;
}

std::optional<crawl::Validators> CrawlRun::validators_of(const UrlRecord& url) const {
  const auto before = parts_.catalog.why(url.url);
  if (!before || !*before) return std::nullopt;
  const Fetch& fetch = (*before)->fetch;
  if (!is_kept(**before) || fetch.cause != Cause::kNone || (fetch.etag.empty() && fetch.last_modified.empty())) return std::nullopt;
  return crawl::Validators{fetch.etag, fetch.last_modified};
}

void CrawlRun::hand_out(std::shared_ptr<Finished> finished, const crawl::FetchedDocument& document) {
  const ArchivePlace place = finished->fetch.place;
  if (document.kind == UrlKind::kPage && lister_) {  // its pictures are nothing that the source has listed
    finished->fetch.cause = Cause::kContentType;
    finished->fetch.detail = "a page came where a picture was listed";
    return finish(std::move(*finished));
  }
  if (document.kind == UrlKind::kPage) {
    const PageContext context = context_of(*finished, document.repeats ? "nofollow\n" + document.robots_tag : document.robots_tag);
    return submit(std::move(finished), extract_request(parts_.archive, place, context, document.response->body));
  }
  if (document.kind != UrlKind::kImage) return finish(std::move(*finished));
  if (refuse_opted_out(*finished, document.robots_tag)) return finish(std::move(*finished));
  if (pictures_ == PictureStage::kArchive) return finish(std::move(*finished));
  const Sha256 digest = sha256(document.response->body);
  const auto known = parts_.catalog.image_by_sha256(digest);
  if (known && *known && is_complete(**known)) {
    finished->outcome = KnownImage{digest};
    return finish(std::move(*finished));
  }
  analyse_archived(std::move(finished));
}

void CrawlRun::submit(std::shared_ptr<Finished> finished, Result<WorkRequest> request) {
  if (!request) return answered(std::move(finished), Failure(request.error()));
  WorkerPool& workers = finished->fetch.kind == UrlKind::kPage ? parts_.page_workers : parts_.picture_workers;
  workers.submit(std::move(*request), [this, finished](Result<std::string> answer) { answered(finished, std::move(answer)); });
}

void CrawlRun::answered(std::shared_ptr<Finished> finished, Result<std::string> answer) {
  const auto fail_document = [&](const Error& error) {
    if (is_of_the_pool(error)) abandon(*finished, error);
    pipeline::give_up(*finished, error);
  };
  if (!answer) {
    fail_document(answer.error());
  } else if (finished->fetch.kind == UrlKind::kImage) {
    auto analysed = analyse::decode_analysed_image(*answer);
    if (analysed) take_image(*finished, std::move(*analysed));
    else fail_document(analysed.error());
  } else {
    auto page = decode_page(*answer);
    if (page && renders(*finished, *page)) return render(std::move(finished), std::move(*page));
    if (page) take_page(*finished, std::move(*page));
    else fail_document(page.error());
  }
  finish(std::move(*finished));
}

// ---- in a browser ----

bool CrawlRun::renders(const Finished& finished, const Page& page) {
  if (finished.fetch.cause != Cause::kNone || page.verdict.cause != Cause::kNone) return false;
  if (rendering_) return rendering_->wants(page);
  if (page.app_shell && !browser_missing_.empty()) {
    ++unrendered_;
    log::warn_every(std::chrono::minutes(10), "crawl.browser_missing", {{"url", finished.fetch.url}, {"why", browser_missing_}});
  }
  return false;
}

void CrawlRun::render(std::shared_ptr<Finished> finished, Page plain) {
  const std::string url = finished->fetch.url;
  const ArchivePlace place = finished->fetch.place;
  rendering_->submit(url, place, [this, finished = std::move(finished), kept = std::make_shared<Page>(std::move(plain))](auto shown) {
    take_rendered(finished, kept, std::move(shown));
  });
}

// Without what a browser shows the page is taken as its server sent it. At the end of the run it waits for the next.
void CrawlRun::take_rendered(std::shared_ptr<Finished> finished, std::shared_ptr<Page> plain, Result<browser::RenderedPage> shown) {
  const std::string url = finished->fetch.url;
  if (!shown && shown.error().code == Code::kCancelled) {
    (void)parts_.frontier.release(finished->signature);
    finished->signature = 0;
    return finish(std::move(*finished));
  }
  if (!shown) {
    if (shown.error().code != Code::kForbidden)
      log::warn_every(std::chrono::seconds(30), "crawl.not_rendered", {{"url", url}, {"why", shown.error().message}});
    if (shown.error().code == Code::kTimeout) rendering_->note(url, false);  // a kind whose scripts do not end is not to be tried for ever
    take_page(*finished, std::move(*plain));
    return finish(std::move(*finished));
  }
  log::debug("crawl.rendered", {{"url", url}, {"took_ms", shown->took.count()}, {"requests", shown->requests}, {"cut", shown->cut}});
  auto place = archive_rendered(*finished, *shown);
  if (!place) return take_better(std::move(finished), std::move(*plain), {}, Failure(place.error()));
  auto request = extract_request(parts_.archive, *place, context_of(*finished, finished->robots_tag), shown->html);
  if (!request) return take_better(std::move(finished), std::move(*plain), {}, Failure(request.error()));
  parts_.page_workers.submit(std::move(*request), [this, finished, plain, place = *place](Result<std::string> answer) {
    take_better(finished, std::move(*plain), place, std::move(answer));
  });
}

Result<ArchivePlace> CrawlRun::archive_rendered(const Finished& finished, const browser::RenderedPage& shown) {
  MAGPIE_TRY(const ArchivedResponse plain, parts_.archive.read(finished.fetch.place));
  Exchange exchange;
  exchange.url = finished.fetch.url;
  exchange.status = plain.status;
  exchange.header_block = plain.header_block;
  exchange.body = shown.html;
  exchange.fetched_at = finished.fetch.fetched_at;
  exchange.rendered = true;
  const std::lock_guard lock(parts_.archive_writing);
  return parts_.archive.append(exchange);
}

// The validators of an answer say nothing of what scripts fetched behind it, so of a rendered page none are kept, and the next visit reads
// it whole.
void CrawlRun::take_better(std::shared_ptr<Finished> finished, Page plain, const ArchivePlace& place, Result<std::string> answer) {
  if (!answer && is_of_the_pool(answer.error())) {
    abandon(*finished, answer.error());
    return finish(std::move(*finished));
  }
  auto shown = answer ? decode_page(*answer) : Result<Page>(Failure(answer.error()));
  if (!shown)
    log::warn_every(std::chrono::seconds(30), "crawl.not_rendered", {{"url", finished->fetch.url}, {"why", shown.error().message}});
  const bool better = shown && says_more(*shown, plain);
  rendering_->note(finished->fetch.url, better);
  if (better) {
    Fetch& fetch = finished->fetch;
    fetch.place = place;
    fetch.etag.clear();
    fetch.last_modified.clear();
    fetch.detail = "as a browser showed it";
    ++rendered_;
  }
  take_page(*finished, better ? std::move(*shown) : std::move(plain));
  finish(std::move(*finished));
}

PageContext CrawlRun::context_of(Finished& finished, std::string robots_tag) {
  auto lesson = sites_.with([&](SiteSelectors& sites) { return sites.lesson(std::string(host_of_url(finished.fetch.url))); });
  finished.selectors = lesson.edition;
  return {.url = finished.fetch.url,
          .content_type = finished.fetch.content_type,
          .x_robots_tag = std::move(robots_tag),
          .agent = agent_,
          .selectors = std::move(lesson.trusted),
          .candidates = std::move(lesson.candidates),
          .learns = lesson.learns};
}

void CrawlRun::learn_from(const Finished& finished, const Page& page) {
  constexpr std::size_t kOfHostMax = 2'000, kPagesMax = 100'000;
  const std::string host(host_of_url(finished.fetch.url));
  if (!page.selector_trials.empty()) sites_.with([&](SiteSelectors& sites) { sites.note(host, page.selector_trials); });
  if (has_marked_product(page)) return;
  unmarked_.with([&](Unmarked& pages) {
    if (pages.count >= kPagesMax) return;
    auto& of_host = pages.by_host[host];
    if (of_host.size() >= kOfHostMax) return;
    of_host.emplace_back(finished.fetch.url, finished.selectors);
    ++pages.count;
  });
}

// What it cannot do costs the crawl nothing. A run that was stopped reads nothing again, and the next begins with what it has learnt.
void CrawlRun::finish_learning(bool reads_again) {
  if (const auto kept = keep_what_was_learnt(); !kept) log::warn("crawl.not_learnt", {{"job", job_}, {"why", kept.error().message}});
  if (!reads_again) return;
  if (const auto read = read_unmarked_again(stop_.get_token()); !read)
    log::warn("crawl.not_read_again", {{"job", job_}, {"why", read.error().message}});
}

// For the next run. The recorder, whose the sizes are, has nothing left to do by now.
Result<void> CrawlRun::keep_what_was_learnt() {
  const auto news = sites_.with([](SiteSelectors& sites) { return sites.take_news(); });
  const std::string sizes = context_->sizes ? context_->sizes->to_text() : std::string();
  if (news.empty() && sizes.empty()) return {};
  return parts_.recorder.transact([&](CatalogTransaction& transaction) -> Result<void> {
    for (const auto& [host, selectors] : news) MAGPIE_TRY_DO(transaction.set_selectors(host, selectors));
    return sizes.empty() ? Result<void>() : transaction.set_meta(kPictureSizes, sizes);
  });
}

// Those that were read before all was learnt of where their host shows products. They lie in the archive: nothing is fetched for it.
Result<void> CrawlRun::read_unmarked_again(std::stop_token stop) {
  ExtractAgainOptions options{.only = std::vector<PageId>()};
  const Unmarked pages = unmarked_.with([](Unmarked& all) { return std::exchange(all, {}); });
  for (const auto& [host, of_host] : pages.by_host) {
    const std::uint32_t edition = sites_.with([&](SiteSelectors& sites) { return sites.edition(host); });
    for (const auto& [url, read_by] : of_host) {
      if (read_by == edition) continue;
      MAGPIE_TRY(const std::optional<PageId> id, parts_.catalog.page_by_url(url));
      if (id) options.only->push_back(*id);
    }
  }
  if (options.only->empty() || stop.stop_requested()) return {};
  const std::size_t count = options.only->size();
  ExtractAgain again({parts_.archive, parts_.catalog, parts_.page_workers, parts_.recorder, settings_,
                      [this](JobId) { return replay_ ? std::nullopt : std::optional(context_->rules); }},
                     std::move(options));
  MAGPIE_TRY(const ExtractAgainCounts counts, again.run(std::move(stop)));
  log::info("crawl.read_again", {{"job", job_}, {"pages", count}, {"changed", counts.changed}});
  return {};
}

// A page that is no content ends as a failure of its own kind: the archive has what was answered, and nothing else comes of it.
void CrawlRun::take_page(Finished& finished, Page page) {
  Fetch& fetch = finished.fetch;
  const Cause told = page.verdict.cause != Cause::kNone ? page.verdict.cause : fetch.cause;
  if (loop_->note_page(fetch.url, finished.signature, finished.login, told)) return ask_again(finished);
  const auto fail_page = [&](Cause cause, std::string detail) {
    fetch.cause = cause;
    fetch.detail = std::move(detail);
  };
  if (const Cause cause = page.verdict.cause; cause != Cause::kNone) {
    const bool too_fast = cause == Cause::kCaptcha || cause == Cause::kRateLimited;
    if (too_fast && fetch.status != 304) loop_->note_throttled(host_of_url(fetch.url), cause);
    return fail_page(cause, std::move(page.verdict.evidence));
  }
  if (fetch.cause != Cause::kNone) return;  // an error by its status, and by nothing else
  const bool same = same_pages_.with([&](SamePages& pages) { return pages.is_one_too_many(host_of_url(fetch.url), page.shape); });
  if (same) return fail_page(Cause::kSoftError, "its host says the very same to many other addresses");
  learn_from(finished, page);
  finished.outcome = std::move(page);
}

void CrawlRun::finish(Finished finished) {
  const bool abandoned = finished.signature == 0;
  if (!abandoned) parts_.recorder.record(std::move(finished));
  if (const std::string why = parts_.recorder.failure(); !why.empty()) give_up(Error{Code::kUnavailable, why});
  const std::lock_guard lock(mutex_);  // held over both, so that run() cannot return, and this end, in between
  if (--processing_ == 0) drained_.notify_all();
}

// Released, as a lease would outlive the run: the next run of this job, maybe in this process, has to find it.
void CrawlRun::abandon(Finished& finished, const Error& error) {
  give_up(error);
  (void)parts_.frontier.release(finished.signature);
  finished.signature = 0;
}

void CrawlRun::ask_again(Finished& finished) {
  const auto done = parts_.frontier.put_back(finished.signature, parts_.clock.now());
  if (!done) return abandon(finished, done.error());
  finished.signature = 0;
  loop_->wake();
}

void CrawlRun::give_up(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (trouble_.empty()) trouble_ = error.message;
  }
  stop_.request_stop();
  loop_->wake();
}

}  // namespace magpie::pipeline
