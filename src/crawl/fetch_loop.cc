#include "crawl/fetch_loop.h"

#include <algorithm>
#include <random>
#include <unordered_map>

#include "base/check.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "base/log.h"
#include "crawl/answer.h"
#include "crawl/cookie_jar.h"
#include "crawl/host_schedule.h"
#include "crawl/robots_state.h"
#include "net/domain.h"

namespace magpie::crawl {
namespace {

constexpr Millis kDrainMax{10'000};            // for what is in flight once the end is decided
constexpr Millis kLookAgain{1'000};            // should a wake() ever be missing
constexpr std::uint32_t kSitemapDepthMax = 5;  // indexes inside indexes
constexpr std::string_view kAcceptPage = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.5";
constexpr std::string_view kAcceptImage = "image/avif,image/webp,image/*;q=0.9,*/*;q=0.5";

using HostId = std::uint32_t;

/// A lease on its way to be asked. `instead` is what is asked for it: an address that sent round in a circle until a cookie was set.
struct Errand {
  Lease lease;
  std::optional<Url> instead;
};

/// Why a host is asked nothing more in this run.
struct GivenUp {
  Cause cause = Cause::kThrottled;
  std::string detail;
};

/// One host of this run: its politeness, the lease that waits for robots.txt, and what was counted.
struct Host {
  explicit Host(std::string host_name) : name(std::move(host_name)) {}
  std::string name;
  HostState* polite = nullptr;   // its own, or that of its group
  std::optional<Errand> parked;  // leased, and not to be fetched before robots.txt is known
  std::vector<Errand> again;     // leased, and to be asked once more; rarely any
  std::optional<GivenUp> given_up;
  Cause last_trouble = Cause::kThrottled;
  std::uint64_t rests_waited_for = 0;  // the ledger's count when a rest was last waited for with nothing else to do
  RobotsState* robots = nullptr;       // of the origin asked last, for reports
  bool images_next = false;            // the two lanes take turns
  std::uint64_t pages = 0;             // fetched in this job, earlier runs included
  std::uint64_t sitemaps = 0;
  std::uint64_t pages_repeated = 0;
  std::uint64_t cookies_changed = 0;                             // answers that set one anew
  std::unordered_map<std::uint64_t, std::uint32_t> pages_alike;  // by a hash of their bytes: how many were kept
  std::uint64_t fetched = 0, failed = 0, bytes = 0, robots_refused = 0;
  std::optional<double> crawl_delay;
  std::map<Cause, std::uint64_t> by_cause;
  std::map<std::uint32_t, RobotsLineReport> robots_lines;
};

/// One request under way.
struct Flight {
  HostId host = 0;                // whose politeness it counts against
  HostState* polite = nullptr;    // that politeness, should the host change its group meanwhile
  HostId waiting_host = 0;        // whose turn it was; differs only for a robots.txt that redirected to another host
  std::optional<Lease> lease;     // nothing for robots.txt
  bool again = false;             // the errand's second request
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
               .backoff_max = settings.backoff_max(),
               .forgiven_after = settings.backoff_forgiven(),
               .delay_factor = settings.delay_factor(),
               .backoffs_max = static_cast<std::uint32_t>(settings.backoffs_max()),
               .failures_max = static_cast<std::uint32_t>(settings.failures_max())};
    grouped_ = settings.politeness_by() != "host";
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
      MAGPIE_TRY_DO(give_up_resting(now));
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
      hosts_.push_back(std::make_unique<Host>(std::string(name)));
      hosts_.back()->polite = group_of(*hosts_.back());
      hosts_.back()->pages = parts_.frontier.host_counts({job_, name}).done_pages;
      shared_.with([](Shared& shared) { ++shared.totals.hosts; });
    }
    return found->second;
  }

  HostState* group(std::string name) {
    std::unique_ptr<HostState>& state = groups_[std::move(name)];
    if (!state) state = std::make_unique<HostState>(polite_);
    return state.get();
  }

  // By address a host is its own group until an answer tells its address.
  HostState* group_of(const Host& one) {
    if (settings_.politeness_by() != "domain") return group(one.name);
    const auto url = Url::parse("http://" + one.name);
    return group(url ? "site " + site_of_host(url->hostname()) : one.name);
  }

  // Hosts of one public address share their politeness. Loopback and private ones are many hosts' in one place: those stay apart.
  void join_address(Host& one, std::string_view peer) {
    if (settings_.politeness_by() != "address" || one.polite->in_flight() > 0) return;
    const auto address = IpAddress::parse(peer);
    if (!address || !check_address(*address, AddressPolicy{})) return;
    HostState* const shared = group(fmt::format("address {}", peer));
    if (shared == one.polite) return;
    shared->hold_until(one.polite->next_start_at());
    shared->raise_crawl_delay(one.crawl_delay);
    one.polite = shared;
  }

  void take_woken(SteadyTime now) {
    for (const std::string& name : parts_.frontier.take_woken_hosts(job_)) {
      const HostId id = host_id(name);
      schedule_.schedule(id, std::max(now, host(id).polite->next_start_at()));
    }
  }

  // When nothing is left but hosts that rest, they are waited for as long as the settings allow, all rests together; then they are given
  // up. Hosts that have nothing left are not waited for at all.
  Result<void> give_up_resting(SteadyTime now) {
    if (!flights_.empty() || parts_.frontier.counts(job_).in_flight > parked_) return {};
    while (const std::optional<HostId> id = schedule_.next_host()) {
      Host& next = host(*id);
      if (next.given_up) {
        schedule_.schedule(*id, now);
        return start_due(now);
      }
      if (!next.polite->resting(now)) return {};
      if (!next.parked && next.again.empty() && left_for(next) == 0) {
        schedule_.remove(*id);
        continue;
      }
      if (next.rests_waited_for == next.polite->ledger().backoffs) return {};
      const bool asked = next.polite->rest_was_asked();
      const Millis most = asked ? settings_.retry_after_wait_max() : settings_.backoff_wait_max();
      Millis& waited = asked ? waited_asked_ : waited_unasked_;
      const Millis rest = std::chrono::ceil<Millis>(next.polite->next_start_at() - now);
      if (waited + rest <= most) {
        waited += rest;
        next.rests_waited_for = next.polite->ledger().backoffs;
        return {};
      }
      give_up(next, fmt::format("it rests for another {} s and nothing else is left; {} allows {} s in all", to_seconds(rest),
                                asked ? "crawl.retry_after_wait_max" : "crawl.backoff_wait_max", to_seconds(most)));
      schedule_.schedule(*id, now);
      return start_due(now);
    }
    return {};
  }

  // What may still be asked of a host: of one that has given all the pages it may, only its pictures.
  std::uint64_t left_for(const Host& one) const {
    const HostCounts counts = parts_.frontier.host_counts({job_, one.name});
    const bool pages_open = one.pages < static_cast<std::uint64_t>(settings_.pages_per_host_max());
    return counts.queued_images + (pages_open ? counts.queued_pages : 0);
  }

  static std::int64_t to_seconds(Millis time) { return std::chrono::ceil<std::chrono::seconds>(time).count(); }

  void give_up(Host& one, const std::string& why) {
    one.given_up = GivenUp{one.last_trouble, fmt::format("the host was given up: {} ({})", why, to_string(one.last_trouble))};
    log::warn("crawl.host_given_up", {{"host", one.name}, {"cause", to_string(one.last_trouble)}, {"why", why}});
  }

  // Of a host that was given up also those addresses come that were put back for later.
  Timestamp lease_time(const Host& from) const {
    constexpr std::chrono::hours kYears{20 * 366 * 24};
    return from.given_up ? parts_.clock.now() + kYears : parts_.clock.now();
  }

  // Trouble that has gone on for too long ends a host, its group's others included.
  void give_up_if_hopeless(Host& one) {
    if (one.given_up || !one.polite->hopeless()) return;
    const bool nobody = *one.polite->hopeless() == HostSignal::kUnreachable;
    if (nobody && one.last_trouble == Cause::kThrottled) one.last_trouble = Cause::kConnect;  // it was others of its group
    give_up(one, nobody ? fmt::format("{} requests in a row reached nobody", settings_.failures_max())
                        : fmt::format("{} rests in a row brought no good answer", settings_.backoffs_max()));
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
    while (may_start_more() && now >= bandwidth_free_at_) {
      const std::optional<HostId> id = schedule_.pop_due(now);
      if (!id) break;
      MAGPIE_TRY_DO(turn(*id, now));
    }
    return {};
  }

  SteadyTime next_look(SteadyTime now) {
    SteadyTime when = std::min(run_end_, now + kLookAgain);
    if (may_start_more()) when = std::min(when, std::max(bandwidth_free_at_, schedule_.next_at().value_or(when)));
    return when;
  }

  // One host's turn: starts at most one request. URLs that robots.txt refuses end here without one.
  Result<void> turn(HostId id, SteadyTime now) {
    Host& turn_host = host(id);
    while (true) {
      if (!has_room()) return later(id, now);
      give_up_if_hopeless(turn_host);
      if (turn_host.given_up) {
        MAGPIE_TRY(const bool any, refuse_next(id, now));
        if (!any) return {};
        continue;
      }
      if (!turn_host.polite->has_slot()) return wait_for_slot(id, now);
      if (now < turn_host.polite->next_start_at()) return later(id, turn_host.polite->next_start_at());
      if (!turn_host.parked) {
        MAGPIE_TRY(const bool leased, lease_next(id, now));
        if (!leased) return {};
      }
      const Errand& errand = *turn_host.parked;
      MAGPIE_TRY(const Url url, errand.instead ? Result<Url>(*errand.instead) : Url::parse(errand.lease.url.url));
      RobotsState& robots = robots_of(url);
      turn_host.robots = &robots;
      switch (robots.need(now)) {
        case RobotsState::Need::kRead: return start_robots(id, robots, now);
        case RobotsState::Need::kWaitForAnswer: return {};
        case RobotsState::Need::kWaitUntil: return later(id, robots.wait_until());
        case RobotsState::Need::kNothing: break;
      }
      const bool again = errand.instead.has_value();
      Lease lease = unpark(turn_host);
      if (robots.phase() == RobotsState::Phase::kUnreachable) {
        refuse(turn_host, std::move(lease), robots.cause(), robots.detail());
        continue;
      }
      if (const RobotsVerdict verdict = robots.rules().judge(url); !verdict.allowed) {
        note_refusal(turn_host, verdict);
        refuse(turn_host, std::move(lease), Cause::kRobots, fmt::format("robots.txt line {}: Disallow: {}", verdict.line, verdict.rule));
        continue;
      }
      start_fetch(id, url, std::move(lease), again, now);
      return later(id, turn_host.polite->next_start_at());
    }
  }

  // Its next answer brings a host back; but not one that waits for another of its group.
  Result<void> wait_for_slot(HostId id, SteadyTime now) {
    return grouped_ ? later(id, now + std::max(Millis(50), host(id).polite->delay())) : Result<void>();
  }

  // Ends the next address of a host that was given up; false when it has none.
  Result<bool> refuse_next(HostId id, SteadyTime now) {
    Host& from = host(id);
    if (!from.parked) {
      MAGPIE_TRY(const bool leased, lease_next(id, now));
      if (!leased) return false;
    }
    refuse(from, unpark(from), from.given_up->cause, from.given_up->detail);
    return true;
  }

  static void note_refusal(Host& of, const RobotsVerdict& verdict) {
    constexpr std::size_t kLinesMax = 1'000;
    ++of.robots_refused;
    if (of.robots_lines.size() >= kLinesMax && !of.robots_lines.contains(verdict.line)) return;
    RobotsLineReport& line = of.robots_lines[verdict.line];
    line.line = verdict.line;
    line.rule = verdict.rule;
    ++line.refused;
  }

  Result<void> later(HostId id, SteadyTime when) {
    schedule_.schedule(id, when);
    return {};
  }

  // Fills `parked`. False when the host has nothing to give now; it is scheduled again if something waits for its time.
  Result<bool> lease_next(HostId id, SteadyTime now) {
    Host& from = host(id);
    if (!from.again.empty()) {
      from.parked = std::move(from.again.back());
      from.again.pop_back();
      return true;
    }
    std::optional<Timestamp> next_at;
    const bool pages_open = from.pages < static_cast<std::uint64_t>(settings_.pages_per_host_max());
    for (int i = 0; i < 2; ++i) {
      const Lane lane = from.images_next ? Lane::kImages : Lane::kPages;
      from.images_next = !from.images_next;
      if (lane == Lane::kPages && !pages_open) continue;
      MAGPIE_TRY(LeaseAnswer answer, parts_.frontier.lease({job_, from.name}, lane, lease_time(from)));
      if (answer.lease) {
        from.parked = Errand{std::move(*answer.lease), std::nullopt};
        ++parked_;
        return true;
      }
      if (answer.next_at && (!next_at || *answer.next_at < *next_at)) next_at = answer.next_at;
    }
    if (next_at) schedule_.schedule(id, now + std::max(Millis(1), *next_at - parts_.clock.now()));
    return false;
  }

  Lease unpark(Host& from) {
    Lease lease = std::move(from.parked->lease);
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
    if (settings_.cookies()) {
      std::string cookies = cookies_.header_for(url, parts_.clock.now());
      if (!cookies.empty()) request.headers.push_back({"Cookie", std::move(cookies)});
    }
    request.limits.body_bytes_max = bytes_max;
    request.limits.total_max = settings_.fetch_max();
    request.limits.connect_max = std::min(request.limits.connect_max, settings_.fetch_max());
    request.limits.speed_bytes_min = static_cast<std::size_t>(settings_.speed_bytes_min());
    // What is held back by the bandwidth limit is not the server's slowness.
    if (const std::int64_t most = settings_.bytes_per_second(); most > 0)
      request.limits.speed_bytes_min = std::min(request.limits.speed_bytes_min, static_cast<std::size_t>(most / settings_.workers()));
    request.limits.speed_period = std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(settings_.speed_period()));
    request.limits.speed_bytes_max = static_cast<std::size_t>(settings_.bytes_per_second());
    return request;
  }

  void submit(HttpRequest request, Flight flight, SteadyTime now) {
    flight.started = now;
    flight.started_at = parts_.clock.now();
    flight.polite = host(flight.host).polite;
    flight.polite->started(now);
    const std::uint64_t tag = request.tag;
    flights_.emplace(tag, std::move(flight));
    parts_.client.submit(std::move(request));
    shared_.with([&](Shared& shared) {
      ++shared.totals.requests;
      shared.totals.in_flight = static_cast<std::uint32_t>(flights_.size());
    });
  }

  void start_fetch(HostId id, const Url& url, Lease lease, bool again, SteadyTime now) {
    const UrlKind kind = lease.url.kind;
    if (kind == UrlKind::kPage && lease.tries == 0) ++host(id).pages;
    const std::size_t bytes_max = kind == UrlKind::kSitemap ? SitemapLimits{}.bytes_max
                                  : kind == UrlKind::kImage ? static_cast<std::size_t>(settings_.image_bytes_max())
                                                            : static_cast<std::size_t>(settings_.page_bytes_max());
    HttpRequest request = request_for(url, bytes_max, kind == UrlKind::kImage ? kAcceptImage : kind == UrlKind::kPage ? kAcceptPage : "");
    Flight flight{.host = id, .waiting_host = id, .lease = std::move(lease), .again = again};
    if (parts_.validators && !again && kind != UrlKind::kSitemap) {
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
    const HostState& polite = *host(asked).polite;
    if (!polite.may_start(now)) return later(id, polite.has_slot() ? polite.next_start_at() : now + std::max(Millis(50), polite.delay()));
    robots.reading();
    HttpRequest request = request_for(robots.next_url(), kRobotsBytesMax, "");
    request.limits.keep_cut_body = true;
    submit(std::move(request), {.host = asked, .waiting_host = id, .robots = &robots}, now);
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
    AnswerVerdict verdict = judge_answer(response, parts_.clock.now());
    judge_signal(flight, verdict);
    note_answer(flight, response, verdict, now);
    give_up_if_hopeless(host(flight.host));
    schedule_.schedule(flight.host, host(flight.host).given_up ? now : std::max(now, host(flight.host).polite->next_start_at()));
    if (flight.robots) return finish_robots(flight, response, verdict, now);
    if (response.cause == HttpCause::kCancelled) return parts_.frontier.release(flight.lease->signature);
    if (verdict.passing && flight.lease->tries < tries_again(verdict)) return retry(flight, verdict);
    if (std::optional<Url> next = once_more_with_cookies(flight, response)) {
      host(flight.host).again.push_back({std::move(*flight.lease), std::move(next)});
      ++parked_;
      return {};
    }
    return hand_over(std::move(flight), std::move(response), verdict);
  }

  // Some sites send a visitor in a circle until a cookie comes back. Once one was set, the address where the circle closes is asked
  // again: once, and in place of the one that pointed there.
  std::optional<Url> once_more_with_cookies(const Flight& flight, const HttpResponse& response) const {
    if (flight.again || !response.complete() || hosts_[flight.host]->cookies_changed == 0) return std::nullopt;
    const auto target = redirect_target(response);
    if (!target || !*target || (*target)->host() != response.url.host()) return std::nullopt;
    const Admission admission = parts_.rules.admit(**target, flight.lease->url.kind, flight.lease->url.depth);
    if (!admission.record) return std::nullopt;
    const std::string& next = admission.record->url;
    const auto chain = chains_.find(flight.lease->url.url);
    const bool closes = next == flight.lease->url.url ||
                        (chain != chains_.end() && std::find(chain->second.begin(), chain->second.end(), next) != chain->second.end());
    if (!closes) return std::nullopt;
    auto url = Url::parse(next);
    return url ? std::optional<Url>(std::move(*url)) : std::nullopt;
  }

  // A time-out costs the most, and tells the most: one more try.
  std::uint32_t tries_again(const AnswerVerdict& verdict) const {
    const auto most = static_cast<std::uint32_t>(settings_.retries_max());
    return verdict.cause == Cause::kTimeout ? std::min(most, 1u) : most;
  }

  // What the answer means for the whole host. robots.txt has its own tries, and nothing else is asked of a host meanwhile. A page that
  // was refused before and is refused again, while its host's others came, is itself broken.
  void judge_signal(const Flight& flight, AnswerVerdict& verdict) const {
    if (verdict.signal == HostSignal::kFine) return;
    const bool troubles_host = verdict.signal == HostSignal::kThrottled || verdict.signal == HostSignal::kTimeout;
    if (flight.robots && troubles_host) verdict.signal = HostSignal::kNeutral;
    if (!flight.lease || verdict.signal != HostSignal::kThrottled || verdict.retry_after) return;
    if (flight.lease->tries > 0 && flight.polite->backoffs_in_row() == 0) verdict.signal = HostSignal::kNeutral;
  }

  void note_answer(const Flight& flight, const HttpResponse& response, const AnswerVerdict& verdict, SteadyTime now) {
    Host& asked = host(flight.host);
    const double jitter = std::uniform_real_distribution<double>(0, 1)(random_);
    flight.polite->ended(flight.started, now, verdict.signal, std::chrono::ceil<Millis>(response.timings.connected), verdict.retry_after,
                         jitter);
    if (verdict.signal != HostSignal::kFine && verdict.signal != HostSignal::kNeutral) asked.last_trouble = verdict.cause;
    asked.bytes += response.body.size();
    join_address(asked, response.peer_address);
    if (settings_.cookies() && cookies_.take(response.url, response.headers, parts_.clock.now())) ++asked.cookies_changed;
    if (const std::int64_t limit = settings_.bytes_per_second(); limit > 0) {
      const std::chrono::duration<double> worth(static_cast<double>(response.body.size()) / static_cast<double>(limit));
      bandwidth_free_at_ = std::max(bandwidth_free_at_, flight.started) + std::chrono::ceil<Millis>(worth);
    }
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
                    [](const Url& target) { return target.is_http(); });  // RFC 9309 §2.3.1.2: across authorities, too
    Host& waiting = host(flight.waiting_host);
    if (robots.phase() == RobotsState::Phase::kRead || robots.phase() == RobotsState::Phase::kAbsent) {
      waiting.crawl_delay = robots.rules().crawl_delay();
      if (grouped_) waiting.polite->raise_crawl_delay(waiting.crawl_delay);
      else waiting.polite->set_crawl_delay(waiting.crawl_delay);
      if (settings_.sitemaps()) MAGPIE_TRY_DO(add_sitemaps(waiting, robots, response.url));
    }
    schedule_.schedule(flight.waiting_host, std::max(now, waiting.polite->next_start_at()));
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
    // Behind the host's rest its other addresses come first: they show whether the host is well again, or this one address is not.
    const SteadyTime now = parts_.clock.steady();
    const Millis rest = std::chrono::ceil<Millis>(std::max(now, flight.polite->next_start_at()) - now);
    const Millis own = settings_.retry_delay() * (std::int64_t{1} << (2 * std::min(flight.lease->tries, 10u)));
    const Millis wait = verdict.signal == HostSignal::kThrottled ? rest + settings_.retry_delay() : own;
    return parts_.frontier.put_back(flight.lease->signature, parts_.clock.now() + wait);
  }

  // ---- what goes to the pipeline ----

  Result<void> hand_over(Flight flight, HttpResponse response, const AnswerVerdict& verdict) {
    FetchedDocument document{.signature = flight.lease->signature, .url = std::move(flight.lease->url)};
    document.kind = document.url.kind;
    document.unchanged = flight.conditional && response.complete() && response.status == 304;
    Fetch& fetch = document.fetch;
    fetch.url = flight.again ? response.url.href() : document.url.url;
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
    document.robots_tag = robots_tag(response.headers);
    if (fetch.cause == Cause::kProtocol && response.complete()) MAGPIE_TRY_DO(judge_redirect(document, response));
    if (fetch.cause == Cause::kNone && fetch.redirect.empty() && !document.unchanged)
      MAGPIE_TRY_DO(classify(document, response, host(flight.host)));
    chains_.erase(document.url.url);
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
    if (*kind == UrlKind::kPage && repeats(response.body, from)) {
      ++from.pages_repeated;
      document.robots_tag = document.robots_tag.empty() ? "nofollow" : "nofollow\n" + document.robots_tag;
    }
    return *kind == UrlKind::kSitemap ? read_sitemap(document, response, from) : Result<void>();
  }

  // Whether so many pages of the host have these very bytes that this one is the work of a trap, or of a server that answers everything.
  // Such a page is kept, as its like are, but leads nowhere.
  bool repeats(std::string_view body, Host& from) const {
    constexpr std::size_t kKnownMax = 200'000;
    const std::uint64_t hash = signature64(body, 0);
    if (from.pages_alike.size() >= kKnownMax && !from.pages_alike.contains(hash)) return false;
    std::uint32_t& alike = from.pages_alike[hash];
    if (alike >= static_cast<std::uint64_t>(settings_.repeats_max())) return true;
    ++alike;
    return false;
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
    if (!good) ++from.by_cause[document.fetch.cause];
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
      if (one->parked) one->again.push_back(std::move(*std::exchange(one->parked, std::nullopt)));
      for (const Errand& errand : std::exchange(one->again, {})) MAGPIE_TRY_DO(parts_.frontier.release(errand.lease.signature));
    }
    parked_ = 0;
    publish(parts_.clock.steady(), /*always=*/true);
    return end;
  }

  HostReport report(const Host& one, SteadyTime now) const {
    const HostLedger& ledger = one.polite->ledger();
    HostReport out{.host = one.name, .fetched = one.fetched, .failed = one.failed};
    out.queued = parts_.frontier.host_counts({job_, one.name}).queued();
    out.bytes = one.bytes;
    out.next_allowed_in = std::max(Millis(0), std::chrono::ceil<Millis>(one.polite->next_start_at() - now));
    out.delay = one.polite->delay();
    out.gap_min = ledger.gap_min;
    out.in_flight = one.polite->in_flight();
    out.parallel_peak = ledger.parallel_peak;
    out.requests = ledger.requests;
    out.backoffs = ledger.backoffs;
    out.robots_refused = one.robots_refused;
    out.robots = one.robots ? one.robots->phase_name() : "unread";
    out.crawl_delay = one.crawl_delay;
    out.pages_repeated = one.pages_repeated;
    for (const auto& [line, report] : one.robots_lines) out.robots_lines.push_back(report);
    const Timestamp wall_now = parts_.clock.now();
    for (const Backoff& rest : ledger.backoffs_kept)
      out.backoffs_latest.push_back({wall_now - std::chrono::round<Millis>(now - rest.at), rest.rest, to_string(rest.reason), rest.asked});
    for (const auto& [cause, count] : one.by_cause) out.by_cause.emplace(to_string(cause), count);
    if (one.given_up) out.given_up = one.given_up->detail;
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
  bool grouped_ = false;                        // politeness is shared by several hosts
  Millis waited_asked_{0}, waited_unasked_{0};  // for hosts that rest, with nothing else to do

  std::vector<std::unique_ptr<Host>> hosts_;
  std::unordered_map<std::string, HostId> host_ids_;
  std::unordered_map<std::string, std::unique_ptr<HostState>> groups_;  // by the group's name
  std::unordered_map<std::string, RobotsState> robots_;                 // by origin; entries never move
  std::unordered_map<std::uint64_t, Flight> flights_;                   // by the request's tag
  std::unordered_map<std::string, std::vector<std::string>> chains_;    // redirect target -> the addresses before it
  CookieJar cookies_;
  HostSchedule schedule_;
  std::size_t parked_ = 0;          // leases that wait in hosts
  SteadyTime bandwidth_free_at_{};  // when what was received is within the limit again
  std::uint64_t last_tag_ = 0;
  std::minstd_rand random_;
  std::optional<SteadyTime> published_;
  mutable Guarded<Shared> shared_;
};

}  // namespace

Result<std::unique_ptr<FetchLoop>> FetchLoop::make(FetchLoopParts parts, const CrawlSettings& settings) {
  const std::string& by = settings.politeness_by();
  if (by != "host" && by != "domain" && by != "address")
    return fail(Code::kBadInput, "crawl.politeness_by is '{}'; it must be host, domain or address", by);
  MAGPIE_TRY_DO([&]() -> Result<void> {
    MAGPIE_TRY([[maybe_unused]] const std::string name, user_agent(settings));
    return {};
  }());
  return std::make_unique<Loop>(parts, settings);
}

}  // namespace magpie::crawl
