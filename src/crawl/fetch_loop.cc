#include "crawl/fetch_loop.h"

#include <algorithm>
#include <random>
#include <unordered_map>

#include "base/check.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "base/log.h"
#include "crawl/answer.h"
#include "crawl/host_schedule.h"
#include "crawl/robots_state.h"

namespace magpie::crawl {
namespace {

constexpr Millis kDrainMax{10'000};            // for what is in flight once the end is decided
constexpr Millis kLookAgain{1'000};            // should a wake() ever be missing
constexpr std::uint32_t kSitemapDepthMax = 5;  // indexes inside indexes
constexpr std::string_view kAcceptPage = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5";
constexpr std::string_view kAcceptImage = "image/avif,image/webp,image/*;q=0.9,*/*;q=0.5";

using HostId = std::uint32_t;

/// One host of this run: its politeness, the lease that waits for robots.txt, and what was counted.
struct Host {
  Host(std::string host_name, const PolitenessLimits& limits) : name(std::move(host_name)), polite(limits) {}
  std::string name;
  HostState polite;
  std::optional<Lease> parked;    // leased, and not to be fetched before robots.txt is known
  RobotsState* robots = nullptr;  // of the origin asked last, for reports
  bool images_next = false;       // the two lanes take turns
  std::uint64_t pages = 0;        // fetched in this job, earlier runs included
  std::uint64_t sitemaps = 0;
  std::uint64_t fetched = 0, failed = 0, bytes = 0, robots_refused = 0;
};

/// One request under way.
struct Flight {
  HostId host = 0;                // whose politeness it counts against
  HostId waiting_host = 0;        // whose turn it was; differs only for a robots.txt that redirected to another host
  std::optional<Lease> lease;     // nothing for robots.txt
  RobotsState* robots = nullptr;  // of a robots.txt
  bool conditional = false;       // the request named what is kept of an earlier visit
  SteadyTime started{};
  Timestamp started_at{};
};

class Loop final : public FetchLoop {
 public:
  Loop(FetchLoopParts parts, const CrawlSettings& settings)
      : parts_(parts), settings_(settings), job_(parts.rules.job()), random_(static_cast<std::uint32_t>(random_u64())) {
    polite_ = {.delay = settings.host_delay(),
               .delay_max = std::max(settings.host_delay_max(), settings.host_delay()),
               .parallel_max = static_cast<std::uint32_t>(settings.per_host()),
               .backoff_first = settings.backoff_first(),
               .backoff_max = settings.backoff_max()};
    robots_limits_ = {.ttl = settings.robots_ttl(),
                      .retry_delay = settings.retry_delay(),
                      .retries_max = static_cast<std::uint32_t>(settings.retries_max())};
  }

  Result<CrawlEnd> run(std::stop_token stop) override {
    const SteadyTime begin = parts_.clock.steady();
    run_end_ = settings_.run_max().count() > 0 ? begin + settings_.run_max() : SteadyTime::max();
    // The frontier wakes a host once. What an earlier run of this job, stopped in this process, left waiting has to be looked for.
    for (const HostCounts& left : parts_.frontier.hosts(job_)) {
      if (left.queued() > 0) schedule_.schedule(host_id(left.host), begin);
    }
    while (true) {
      const SteadyTime now = parts_.clock.steady();
      if (stop.stop_requested()) return drain(CrawlEnd::kStopped);
      if (now >= run_end_) return drain(CrawlEnd::kTimeOver);
      take_woken(now);
      MAGPIE_TRY_DO(start_due(now));
      if (finished(now)) {
        publish(parts_.clock.steady(), /*always=*/true);
        return CrawlEnd::kFinished;
      }
      MAGPIE_TRY_DO(finish_some(Deadline::at(next_look(now))));
      publish(parts_.clock.steady(), /*always=*/false);
    }
  }

  void wake() override { parts_.client.wake(); }
  CrawlTotals totals() const override {
    return shared_.with([](const Shared& shared) { return shared.totals; });
  }
  std::vector<HostReport> hosts() const override {
    return shared_.with([](const Shared& shared) { return shared.hosts; });
  }

 private:
  struct Shared {
    CrawlTotals totals;
    std::vector<HostReport> hosts;
  };

  // ---- choosing what starts ----

  Host& host(HostId id) { return *hosts_[id]; }

  HostId host_id(std::string_view name) {
    const auto [found, fresh] = host_ids_.try_emplace(std::string(name), static_cast<HostId>(hosts_.size()));
    if (fresh) {
      hosts_.push_back(std::make_unique<Host>(std::string(name), polite_));
      hosts_.back()->pages = parts_.frontier.host_counts({job_, name}).done_pages;
      shared_.with([](Shared& shared) { ++shared.totals.hosts; });
    }
    return found->second;
  }

  void take_woken(SteadyTime now) {
    for (const std::string& name : parts_.frontier.take_woken_hosts(job_)) {
      const HostId id = host_id(name);
      schedule_.schedule(id, std::max(now, host(id).polite.next_start_at()));
    }
  }

  // The pipeline adds a document's links before it acknowledges it. So once nothing is leased, all that will ever be added stands in the
  // list of woken hosts: count first, look there after.
  bool finished(SteadyTime now) {
    if (!flights_.empty() || parked_ > 0 || schedule_.next_at()) return false;
    if (parts_.frontier.counts(job_).in_flight > 0) return false;
    take_woken(now);
    return !schedule_.next_at();
  }

  // Documents that are under way have their room in the queue reserved, so handing over never waits.
  bool has_room() const { return parts_.documents.size() + flights_.size() < parts_.documents.size_max(); }
  bool may_start_more() const { return flights_.size() < static_cast<std::size_t>(settings_.workers()) && has_room(); }

  Result<void> start_due(SteadyTime now) {
    while (may_start_more()) {
      const std::optional<HostId> id = schedule_.pop_due(now);
      if (!id) break;
      MAGPIE_TRY_DO(turn(*id, now));
    }
    return {};
  }

  SteadyTime next_look(SteadyTime now) {
    SteadyTime when = std::min(run_end_, now + kLookAgain);
    if (may_start_more()) when = std::min(when, schedule_.next_at().value_or(when));
    return when;
  }

  // One host's turn: starts at most one request. URLs that robots.txt refuses end here without one.
  Result<void> turn(HostId id, SteadyTime now) {
    Host& turn_host = host(id);
    while (true) {
      if (!turn_host.polite.has_slot()) return {};  // its next answer brings it back
      if (now < turn_host.polite.next_start_at()) return later(id, turn_host.polite.next_start_at());
      if (!has_room()) return later(id, now);
      if (!turn_host.parked) {
        MAGPIE_TRY(const bool leased, lease_next(id, now));
        if (!leased) return {};
      }
      MAGPIE_TRY(const Url url, Url::parse(turn_host.parked->url.url));
      RobotsState& robots = robots_of(url);
      turn_host.robots = &robots;
      switch (robots.need(now)) {
        case RobotsState::Need::kRead: return start_robots(id, robots, now);
        case RobotsState::Need::kWaitForAnswer: return {};
        case RobotsState::Need::kWaitUntil: return later(id, robots.wait_until());
        case RobotsState::Need::kNothing: break;
      }
      Lease lease = unpark(turn_host);
      if (robots.phase() == RobotsState::Phase::kUnreachable) {
        refuse(turn_host, std::move(lease), robots.cause(), robots.detail());
        continue;
      }
      if (const RobotsVerdict verdict = robots.rules().judge(url); !verdict.allowed) {
        ++turn_host.robots_refused;
        refuse(turn_host, std::move(lease), Cause::kRobots, fmt::format("robots.txt line {}: Disallow: {}", verdict.line, verdict.rule));
        continue;
      }
      start_fetch(id, url, std::move(lease), now);
      return later(id, turn_host.polite.next_start_at());
    }
  }

  Result<void> later(HostId id, SteadyTime when) {
    schedule_.schedule(id, when);
    return {};
  }

  // Fills `parked`. False when the host has nothing to give now; it is scheduled again if something waits for its time.
  Result<bool> lease_next(HostId id, SteadyTime now) {
    Host& from = host(id);
    std::optional<Timestamp> next_at;
    const bool pages_open = from.pages < static_cast<std::uint64_t>(settings_.pages_per_host_max());
    for (int i = 0; i < 2; ++i) {
      const Lane lane = from.images_next ? Lane::kImages : Lane::kPages;
      from.images_next = !from.images_next;
      if (lane == Lane::kPages && !pages_open) continue;
      MAGPIE_TRY(LeaseAnswer answer, parts_.frontier.lease({job_, from.name}, lane, parts_.clock.now()));
      if (answer.lease) {
        from.parked = std::move(answer.lease);
        ++parked_;
        return true;
      }
      if (answer.next_at && (!next_at || *answer.next_at < *next_at)) next_at = answer.next_at;
    }
    if (next_at) schedule_.schedule(id, now + std::max(Millis(1), *next_at - parts_.clock.now()));
    return false;
  }

  Lease unpark(Host& from) {
    Lease lease = std::move(*from.parked);
    from.parked.reset();
    --parked_;
    return lease;
  }

  RobotsState& robots_of(const Url& url) {
    std::string origin = url.origin();
    const auto found = robots_.find(origin);
    if (found != robots_.end()) return found->second;
    auto robots_url = Url::parse(origin + "/robots.txt");
    MAGPIE_CHECK(robots_url, "an origin is a URL: {}", origin);
    return robots_.try_emplace(std::move(origin), std::move(*robots_url)).first->second;
  }

  // ---- requests ----

  HttpRequest request_for(const Url& url, std::size_t bytes_max, std::string_view accept) {
    HttpRequest request{.url = url, .tag = ++last_tag_};
    if (!accept.empty()) request.headers.push_back({"Accept", std::string(accept)});
    request.limits.body_bytes_max = bytes_max;
    request.limits.total_max = settings_.fetch_max();
    request.limits.connect_max = std::min(request.limits.connect_max, settings_.fetch_max());
    return request;
  }

  void submit(HttpRequest request, Flight flight, SteadyTime now) {
    flight.started = now;
    flight.started_at = parts_.clock.now();
    host(flight.host).polite.started(now);
    const std::uint64_t tag = request.tag;
    flights_.emplace(tag, std::move(flight));
    parts_.client.submit(std::move(request));
    shared_.with([&](Shared& shared) {
      ++shared.totals.requests;
      shared.totals.in_flight = static_cast<std::uint32_t>(flights_.size());
    });
  }

  void start_fetch(HostId id, const Url& url, Lease lease, SteadyTime now) {
    const UrlKind kind = lease.url.kind;
    if (kind == UrlKind::kPage && lease.tries == 0) ++host(id).pages;
    const std::size_t bytes_max = kind == UrlKind::kSitemap ? SitemapLimits{}.bytes_max
                                  : kind == UrlKind::kImage ? static_cast<std::size_t>(settings_.image_bytes_max())
                                                            : static_cast<std::size_t>(settings_.page_bytes_max());
    HttpRequest request = request_for(url, bytes_max, kind == UrlKind::kImage ? kAcceptImage : kind == UrlKind::kPage ? kAcceptPage : "");
    Flight flight{.host = id, .waiting_host = id, .lease = std::move(lease)};
    if (parts_.validators && kind != UrlKind::kSitemap) {
      if (std::optional<Validators> kept = parts_.validators(flight.lease->url)) {
        request.etag = std::move(kept->etag);
        request.last_modified = std::move(kept->last_modified);
        flight.conditional = true;
      }
    }
    submit(std::move(request), std::move(flight), now);
  }

  Result<void> start_robots(HostId id, RobotsState& robots, SteadyTime now) {
    // A robots.txt that moved to another host keeps that host's rules, too.
    const HostId asked = host_id(robots.next_url().host());
    const HostState& polite = host(asked).polite;
    if (!polite.may_start(now)) return later(id, polite.has_slot() ? polite.next_start_at() : now + std::max(Millis(50), polite.delay()));
    robots.reading();
    submit(request_for(robots.next_url(), kRobotsBytesMax, ""), {.host = asked, .waiting_host = id, .robots = &robots}, now);
    return {};
  }

  // ---- answers ----

  Result<void> finish_some(Deadline deadline) {
    for (HttpResponse& response : parts_.client.poll(deadline)) MAGPIE_TRY_DO(finish(std::move(response)));
    return {};
  }

  Result<void> finish(HttpResponse response) {
    auto node = flights_.extract(response.tag);
    MAGPIE_CHECK(!node.empty(), "every answer belongs to a request");
    Flight flight = std::move(node.mapped());
    const SteadyTime now = parts_.clock.steady();
    const AnswerVerdict verdict = judge_answer(response, parts_.clock.now());
    note_answer(flight, response, verdict, now);
    schedule_.schedule(flight.host, std::max(now, host(flight.host).polite.next_start_at()));
    if (flight.robots) return finish_robots(flight, response, verdict, now);
    if (response.cause == HttpCause::kCancelled) return parts_.frontier.release(flight.lease->signature);
    if (verdict.passing && flight.lease->tries < static_cast<std::uint32_t>(settings_.retries_max())) return retry(flight, verdict);
    return hand_over(std::move(flight), std::move(response), verdict);
  }

  void note_answer(const Flight& flight, const HttpResponse& response, const AnswerVerdict& verdict, SteadyTime now) {
    Host& asked = host(flight.host);
    const double jitter = std::uniform_real_distribution<double>(0, 1)(random_);
    asked.polite.ended(flight.started, now, verdict.signal, std::chrono::ceil<Millis>(response.timings.connected), verdict.retry_after,
                       jitter);
    asked.bytes += response.body.size();
    shared_.with([&](Shared& shared) {
      shared.totals.bytes += response.body.size();
      shared.totals.in_flight = static_cast<std::uint32_t>(flights_.size());
    });
  }

  Result<void> finish_robots(const Flight& flight, const HttpResponse& response, const AnswerVerdict& verdict, SteadyTime now) {
    RobotsState& robots = *flight.robots;
    if (response.cause == HttpCause::kCancelled) {
      robots.abandoned();
      return {};
    }
    robots.answered(response, verdict, settings_.agent(), robots_limits_, now,
                    [&](const Url& target) { return parts_.rules.scope().allows(target, UrlKind::kPage); });
    Host& waiting = host(flight.waiting_host);
    if (robots.phase() == RobotsState::Phase::kRead || robots.phase() == RobotsState::Phase::kAbsent) {
      waiting.polite.set_crawl_delay(robots.rules().crawl_delay());
      if (settings_.sitemaps()) MAGPIE_TRY_DO(add_sitemaps(waiting, robots, response.url));
    }
    schedule_.schedule(flight.waiting_host, std::max(now, waiting.polite.next_start_at()));
    return {};
  }

  Result<void> add_sitemaps(Host& of, const RobotsState& robots, const Url& robots_url) {
    std::vector<UrlRecord> records;
    for (const std::string& text : robots.rules().sitemaps()) {
      const auto url = Url::parse(text, robots_url);
      if (url) admit(*url, UrlKind::kSitemap, 0, of, records);
    }
    return add(records);
  }

  Result<void> add(std::span<const UrlRecord> records) {
    if (records.empty()) return {};
    const auto added = parts_.frontier.add(records);
    return added ? Result<void>() : Result<void>(Failure(added.error()));
  }

  void admit(const Url& url, UrlKind kind, std::uint32_t depth, Host& from, std::vector<UrlRecord>& records) {
    if (kind == UrlKind::kSitemap && from.sitemaps >= static_cast<std::uint64_t>(settings_.sitemaps_per_host_max())) return;
    Admission admission = parts_.rules.admit(url, kind, depth);
    if (admission.record) {
      if (kind == UrlKind::kSitemap) ++from.sitemaps;
      records.push_back(std::move(*admission.record));
      return;
    }
    count_refusal(admission.refusal);
  }

  void count_refusal(Refusal refusal) {
    shared_.with([&](Shared& shared) {
      ++(refusal == Refusal::kScope || refusal == Refusal::kScheme ? shared.totals.refused_by_scope : shared.totals.refused_by_trap);
    });
  }

  Result<void> retry(const Flight& flight, const AnswerVerdict& verdict) {
    shared_.with([](Shared& shared) { ++shared.totals.retries; });
    // What throttles rests the whole host, so the URL itself need not wait on top.
    const Millis wait = verdict.signal == HostSignal::kThrottled
                            ? Millis(0)
                            : settings_.retry_delay() * (std::int64_t{1} << (2 * std::min(flight.lease->tries, 10u)));
    return parts_.frontier.put_back(flight.lease->signature, parts_.clock.now() + wait);
  }

  // ---- what goes to the pipeline ----

  Result<void> hand_over(Flight flight, HttpResponse response, const AnswerVerdict& verdict) {
    FetchedDocument document{.signature = flight.lease->signature, .url = std::move(flight.lease->url)};
    document.kind = document.url.kind;
    document.unchanged = flight.conditional && response.complete() && response.status == 304;
    Fetch& fetch = document.fetch;
    fetch.url = document.url.url;
    fetch.status = response.status;
    fetch.cause = verdict.cause;
    fetch.detail = verdict.detail;
    fetch.content_type = response.header("Content-Type").value_or("");
    fetch.etag = response.header("ETag").value_or("");
    fetch.last_modified = response.header("Last-Modified").value_or("");
    fetch.fetched_at = flight.started_at;
    fetch.took = std::chrono::duration_cast<Millis>(parts_.clock.steady() - flight.started);
    fetch.body_bytes = response.body.size();
    if (document.unchanged) {
      fetch.cause = Cause::kNone;
      fetch.detail.clear();
    }
    if (fetch.cause == Cause::kProtocol && response.complete()) MAGPIE_TRY_DO(judge_redirect(document, response));
    if (fetch.cause == Cause::kNone && fetch.redirect.empty() && !document.unchanged)
      MAGPIE_TRY_DO(classify(document, response, host(flight.host)));
    chains_.erase(fetch.url);
    document.response = std::move(response);
    document.fetch.kind = document.kind;
    push(host(flight.host), std::move(document));
    return {};
  }

  // A 3xx answer: its target is judged like any link and goes into the frontier, so that it is fetched once and in its host's turn.
  Result<void> judge_redirect(FetchedDocument& document, const HttpResponse& response) {
    const auto target = redirect_target(response);
    if (!target) return {};
    Fetch& fetch = document.fetch;
    if (!*target) {
      fetch.detail = target->error().message;
      return {};
    }
    const Admission admission = parts_.rules.admit(**target, document.url.kind, document.url.depth);
    if (!admission.record) {
      count_refusal(admission.refusal);
      fetch.cause = Cause::kScope;
      fetch.detail = fmt::format("redirects to {}, which is refused ({})", (*target)->href(), to_string(admission.refusal));
      return {};
    }
    std::vector<std::string> chain;
    if (const auto before = chains_.find(fetch.url); before != chains_.end()) chain = before->second;
    chain.push_back(fetch.url);
    const std::string& next = admission.record->url;
    const bool loops = std::find(chain.begin(), chain.end(), next) != chain.end();
    if (loops || chain.size() > static_cast<std::size_t>(settings_.redirects_max())) {
      fetch.cause = Cause::kRedirects;
      fetch.detail =
          loops ? fmt::format("redirects in a loop to {}", next) : fmt::format("over {} redirects in a row", settings_.redirects_max());
      return {};
    }
    MAGPIE_TRY(const std::size_t added, parts_.frontier.add(std::span(&*admission.record, 1)));
    if (added > 0) chains_.emplace(next, std::move(chain));
    fetch.cause = Cause::kNone;
    fetch.detail.clear();
    fetch.redirect = (*target)->href();
    return {};
  }

  Result<void> classify(FetchedDocument& document, const HttpResponse& response, Host& from) {
    const std::optional<UrlKind> kind = kind_of_answer(response, document.url.kind);
    if (!kind) {
      document.fetch.cause = Cause::kContentType;
      document.fetch.detail = fmt::format("'{}' is neither page nor picture", document.fetch.content_type);
      return {};
    }
    if (document.url.kind == UrlKind::kImage && *kind == UrlKind::kPage) {
      // A page in place of a picture is a soft 404 or a hot-link block: no page of the site, and the picture's next candidate is due.
      document.fetch.cause = Cause::kContentType;
      document.fetch.detail = "a page came in place of a picture";
      return {};
    }
    document.kind = *kind;
    return *kind == UrlKind::kSitemap ? read_sitemap(document, response, from) : Result<void>();
  }

  Result<void> read_sitemap(FetchedDocument& document, const HttpResponse& response, Host& from) {
    auto sitemap = parse_sitemap(response.body, response.url);
    if (!sitemap) {
      document.fetch.cause = Cause::kContentType;
      document.fetch.detail = sitemap.error().message;
      return {};
    }
    std::vector<UrlRecord> records;
    const bool index = sitemap->kind == SitemapKind::kIndex;
    if (!index || document.url.depth < kSitemapDepthMax) {
      for (const SitemapEntry& entry : sitemap->entries) {
        const auto url = Url::parse(entry.loc);
        if (url) admit(*url, index ? UrlKind::kSitemap : UrlKind::kPage, index ? document.url.depth + 1u : 1u, from, records);
        for (const std::string& image : entry.images) {
          if (const auto image_url = Url::parse(image)) admit(*image_url, UrlKind::kImage, 1, from, records);
        }
      }
    }
    document.sitemap = std::move(*sitemap);
    return add(records);
  }

  // Ends a URL without a request.
  void refuse(Host& from, Lease lease, Cause cause, std::string detail) {
    FetchedDocument document{.signature = lease.signature, .url = std::move(lease.url)};
    document.kind = document.url.kind;
    document.fetch.url = document.url.url;
    document.fetch.kind = document.kind;
    document.fetch.cause = cause;
    document.fetch.detail = std::move(detail);
    document.fetch.fetched_at = parts_.clock.now();
    chains_.erase(document.fetch.url);
    push(from, std::move(document));
  }

  void push(Host& from, FetchedDocument document) {
    count(from, document);
    const bool taken = parts_.documents.try_push(document);
    // A queue that was closed early loses nothing: what is not acknowledged waits in the frontier.
    if (!taken) log::debug("fetch.queue_closed", {{"host", from.name}});
  }

  void count(Host& from, const FetchedDocument& document) {
    const bool good = document.fetch.cause == Cause::kNone;
    ++(good ? from.fetched : from.failed);
    shared_.with([&](Shared& shared) {
      CrawlTotals& totals = shared.totals;
      totals.unchanged += document.unchanged;
      if (!good) {
        ++totals.failures;
        ++totals.failures_by_cause[std::min(static_cast<std::size_t>(document.fetch.cause), kCauseCount - 1)];
      } else if (!document.fetch.redirect.empty()) {
        ++totals.redirects;
      } else {
        ++(document.kind == UrlKind::kPage ? totals.pages : document.kind == UrlKind::kImage ? totals.images : totals.sitemaps);
      }
    });
  }

  // ---- the end, and reports ----

  Result<CrawlEnd> drain(CrawlEnd end) {
    const SteadyTime last = parts_.clock.steady() + kDrainMax;
    while (!flights_.empty() && parts_.clock.steady() < last) MAGPIE_TRY_DO(finish_some(Deadline::at(last)));
    if (!flights_.empty()) parts_.client.cancel_all();
    while (!flights_.empty()) MAGPIE_TRY_DO(finish_some(Deadline::at(parts_.clock.steady() + kDrainMax)));
    for (const auto& one : hosts_) {
      if (!one->parked) continue;
      const Lease lease = unpark(*one);
      MAGPIE_TRY_DO(parts_.frontier.release(lease.signature));
    }
    publish(parts_.clock.steady(), /*always=*/true);
    return end;
  }

  HostReport report(const Host& one, SteadyTime now) const {
    const HostLedger& ledger = one.polite.ledger();
    HostReport out{.host = one.name, .fetched = one.fetched, .failed = one.failed};
    out.queued = parts_.frontier.host_counts({job_, one.name}).queued();
    out.bytes = one.bytes;
    out.next_allowed_in = std::max(Millis(0), std::chrono::ceil<Millis>(one.polite.next_start_at() - now));
    out.delay = one.polite.delay();
    out.gap_min = ledger.gap_min;
    out.in_flight = one.polite.in_flight();
    out.parallel_peak = ledger.parallel_peak;
    out.requests = ledger.requests;
    out.backoffs = ledger.backoffs;
    out.robots_refused = one.robots_refused;
    out.robots = one.robots ? one.robots->phase_name() : "unread";
    return out;
  }

  // The more hosts, the rarer, so that reports never cost more than a small share of the loop.
  void publish(SteadyTime now, bool always) {
    const auto period = Millis(200) + std::chrono::microseconds(100) * hosts_.size();
    if (!always && published_ && now - *published_ < period) return;
    published_ = now;
    std::vector<HostReport> reports;
    reports.reserve(hosts_.size());
    for (const auto& one : hosts_) reports.push_back(report(*one, now));
    std::sort(reports.begin(), reports.end(), [](const HostReport& a, const HostReport& b) { return a.host < b.host; });
    shared_.with([&](Shared& shared) { shared.hosts = std::move(reports); });
  }

  FetchLoopParts parts_;
  CrawlSettings settings_;
  JobId job_;
  PolitenessLimits polite_;
  RobotsLimits robots_limits_;
  SteadyTime run_end_ = SteadyTime::max();

  std::vector<std::unique_ptr<Host>> hosts_;
  std::unordered_map<std::string, HostId> host_ids_;
  std::unordered_map<std::string, RobotsState> robots_;               // by origin; entries never move
  std::unordered_map<std::uint64_t, Flight> flights_;                 // by the request's tag
  std::unordered_map<std::string, std::vector<std::string>> chains_;  // redirect target -> the addresses before it
  HostSchedule schedule_;
  std::size_t parked_ = 0;
  std::uint64_t last_tag_ = 0;
  std::minstd_rand random_;
  std::optional<SteadyTime> published_;
  mutable Guarded<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<FetchLoop>> FetchLoop::make(FetchLoopParts parts, const CrawlSettings& settings) {
  MAGPIE_TRY_DO([&]() -> Result<void> {
    MAGPIE_TRY([[maybe_unused]] const std::string name, user_agent(settings));
    return {};
  }());
  return std::make_unique<Loop>(parts, settings);
}

}  // namespace magpie::crawl
