#include "crawl/fetch_loop.h"

#include <algorithm>
#include <deque>
#include <iterator>
#include <map>
#include <random>
#include <unordered_map>

#include "base/check.h"
#include "base/guarded.h"
#include "base/hash.h"
#include "base/log.h"
#include "crawl/answer.h"
#include "crawl/answer_reader.h"
#include "crawl/crawl_windows.h"
#include "crawl/form_logins.h"
#include "crawl/host_schedule.h"
#include "crawl/host_table.h"
#include "crawl/request_builder.h"
#include "crawl/robots_state.h"
#include "crawl/tdm_file.h"

namespace magpie::crawl {
namespace {

constexpr Millis kDrainMax{10'000};  // for what is in flight once the end is decided
constexpr std::string_view kTdmPath = "/.well-known/tdmrep.json";
constexpr Millis kLookAgain{1'000};  // should a wake() ever be missing

/// One request under way.
struct Flight {
  HostId host = 0;                // whose politeness it counts against
  HostState* polite = nullptr;    // that politeness, should the host change its group meanwhile
  HostId waiting_host = 0;        // whose turn it was; differs only for a robots.txt or tdmrep.json that redirected to another host
  std::optional<Lease> lease;     // nothing for robots.txt
  bool again = false;             // the errand's second request
  RobotsState* robots = nullptr;  // of a robots.txt
  TdmFile* tdm = nullptr;         // of a tdmrep.json
  bool login = false;             // a step of a login by form
  std::optional<Subresource> subresource;
  std::uint64_t behind = 0;  // of a page of a site with a login form: that of its LoginStep
  bool set_cookies = false;  // the answer has set a cookie of its host anew
  bool conditional = false;  // the request named what is kept of an earlier visit
  SteadyTime started{};
  Timestamp started_at{};
};

class Loop final : public FetchLoop {
 public:
  Loop(FetchLoopParts parts, const CrawlSettings& settings, Credentials credentials, CrawlWindows windows)
      : parts_(std::move(parts)),
        settings_(settings),
        job_(parts_.rules.job()),
        hosts_(job_, settings, parts_.frontier, parts_.clock, totals_, std::exchange(parts_.resting, {})),
        logins_(credentials.logins.forms(), {.every = settings.login_every(), .retry_delay = settings.retry_delay()}),
        requests_(settings, std::move(credentials)),
        answers_(parts_.frontier, parts_.rules, settings, totals_),
        windows_(std::move(windows)),
        random_(static_cast<std::uint32_t>(random_u64())) {
    robots_limits_ = {.ttl = settings.robots_ttl(),
                      .retry_delay = settings.retry_delay(),
                      .retries_max = static_cast<std::uint32_t>(settings.retries_max())};
  }

  Result<CrawlEnd> run(std::stop_token stop) override {
    const SteadyTime begin = parts_.clock.steady();
    run_end_ = settings_.run_max().count() > 0 ? begin + settings_.run_max() : SteadyTime::max();
    // The frontier wakes a host once. What an earlier run of this job, stopped in this process, left waiting has to be looked for.
    for (const HostCounts& left : parts_.frontier.hosts(job_)) {
      if (left.queued() > 0) schedule_.schedule(hosts_.id_of(left.host), begin);
    }
    while (true) {
      const SteadyTime now = parts_.clock.steady();
      if (stop.stop_requested()) return drain(CrawlEnd::kStopped);
      if (now >= run_end_) return drain(CrawlEnd::kTimeOver);
      take_woken(now);
      take_throttled(now);
      if (may_ask()) {
        MAGPIE_TRY_DO(start_subresources(now));
        MAGPIE_TRY_DO(start_due(now));
        MAGPIE_TRY_DO(give_up_resting(now));
      }
      if (finished(now)) {
        take_throttled(now);  // of the last pages
        end_subresources();
        publish(parts_.clock.steady(), /*always=*/true);
        return CrawlEnd::kFinished;
      }
      MAGPIE_TRY_DO(finish_some(Deadline::at(next_look(now))));
      publish(parts_.clock.steady(), /*always=*/false);
    }
  }

  void wake() override { parts_.client.wake(); }
  void fetch(Subresource subresource) override {
    const bool taken = subresources_.with([&](Asked& asked) {
      if (!asked.ended) asked.waiting.push_back(std::move(subresource));
      return !asked.ended;
    });
    if (taken) return wake();
    subresource.done(fail(Code::kCancelled, "the crawl has ended"));
  }
  void note_throttled(std::string_view host, Cause cause) override {
    throttled_.with([&](auto& hosts) { hosts[std::string(host)] = cause; });
    wake();
  }
  bool note_page(std::string_view url, std::uint64_t signature, std::uint64_t login, Cause cause) override {
    return logins_.note_page(url, signature, login, cause);
  }
  CrawlTotals totals() const override {
    return totals_.with([](const CrawlTotals& totals) { return totals; });
  }
  std::vector<HostReport> hosts() const override {
    return reports_.with([](const auto& reports) { return reports; });
  }

 private:
  // ---- choosing what starts ----

  void take_woken(SteadyTime now) {
    for (const std::string& name : parts_.frontier.take_woken_hosts(job_)) {
      const HostId id = hosts_.id_of(name);
      schedule_.schedule(id, std::max(now, hosts_[id].polite->next_start_at()));
    }
  }

  // A host's place in the schedule stays: its turn finds that it rests.
  void take_throttled(SteadyTime now) {
    for (const auto& [name, cause] : throttled_.with([](auto& hosts) { return std::exchange(hosts, {}); })) {
      Host& one = hosts_[hosts_.id_of(name)];
      one.polite->throttled_after_all(now, jitter());
      one.last_trouble = cause;
    }
  }

  // When nothing is left but hosts that rest, they are waited for as long as the settings allow, all rests together; then they are given
  // up. Hosts that have nothing left are not waited for at all.
  Result<void> give_up_resting(SteadyTime now) {
    if (!flights_.empty() || parts_.frontier.counts(job_).in_flight > parked_) return {};
    while (const std::optional<HostId> id = schedule_.next_host()) {
      Host& next = hosts_[*id];
      if (next.given_up) {
        schedule_.schedule(*id, now);
        return start_due(now);
      }
      if (!next.polite->resting(now)) return {};
      if (!next.parked && next.again.empty() && hosts_.left_for(next) == 0) {
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
      hosts_.give_up(next, fmt::format("it rests for another {} s and nothing else is left; {} allows {} s in all", to_seconds(rest),
                                       asked ? "crawl.retry_after_wait_max" : "crawl.backoff_wait_max", to_seconds(most)));
      schedule_.schedule(*id, now);
      return start_due(now);
    }
    return {};
  }

  static std::int64_t to_seconds(Millis time) { return std::chrono::ceil<std::chrono::seconds>(time).count(); }

  // Of a host that was given up also those addresses come that were put back for later.
  Timestamp lease_time(const Host& from) const {
    constexpr std::chrono::hours kYears{20 * 366 * 24};
    return from.given_up ? parts_.clock.now() + kYears : parts_.clock.now();
  }

  // The pipeline adds a document's links before it acknowledges it. So once nothing is leased, all that will ever be added stands in the
  // list of woken hosts: count first, look there after.
  bool finished(SteadyTime now) {
    if (!flights_.empty() || parked_ > 0 || schedule_.next_at()) return false;
    if (parts_.more_to_come && parts_.more_to_come()) return false;  // asked before the list of woken hosts is looked at
    if (parts_.frontier.counts(job_).in_flight > 0) return false;
    take_woken(now);
    return !schedule_.next_at();
  }

  // Documents that are under way have their room in the queue reserved, so handing over never waits.
  bool has_room() const { return parts_.documents.size() + flights_.size() - subresources_flying_ < parts_.documents.size_max(); }
  bool may_start_more() const { return flights_.size() < static_cast<std::size_t>(settings_.workers()) && has_room(); }

  Result<void> start_due(SteadyTime now) {
    while (may_start_more() && now >= bandwidth_free_at_) {
      const std::optional<HostId> id = schedule_.pop_due(now, [this](HostId host) { return head_start_of(hosts_[host]); });
      if (!id) break;
      MAGPIE_TRY_DO(turn(*id, now));
    }
    return {};
  }

  // Whether documents have room or not: a page that is waited for may be what fills their queue.
  Result<void> start_subresources(SteadyTime now) {
    for (Subresource& one : subresources_.with([](Asked& asked) { return std::exchange(asked.waiting, {}); }))
      subresources_waiting_[hosts_.id_of(one.url.host())].push_back(std::move(one));
    for (auto host = subresources_waiting_.begin(); host != subresources_waiting_.end();) {
      MAGPIE_TRY_DO(start_subresources_of(host->first, host->second, now));
      host = host->second.empty() ? subresources_waiting_.erase(host) : std::next(host);
    }
    return {};
  }

  Result<void> start_subresources_of(HostId id, std::deque<Subresource>& waiting, SteadyTime now) {
    while (!waiting.empty() && flights_.size() < static_cast<std::size_t>(settings_.workers()) && now >= bandwidth_free_at_) {
      Host& asked = hosts_[id];
      const bool left_alone = asked.given_up || asked.polite->resting(now);  // nobody waits that long for a part of a page
      if (!left_alone && !asked.polite->may_start(now)) return {};
      RobotsState& robots = robots_of(waiting.front().url);
      if (!left_alone && robots.need(now) == RobotsState::Need::kRead) return start_robots(id, robots, now);
      if (!left_alone && robots.need(now) != RobotsState::Need::kNothing) return {};
      Subresource one = std::move(waiting.front());
      waiting.pop_front();
      if (left_alone) {
        one.done(fail(Code::kUnavailable, "{} is left alone for now", asked.name));
      } else if (!may_be_asked(one.url, robots)) {
        one.done(fail(Code::kForbidden, "robots.txt refuses {}", one.url));
      } else {
        HttpRequest request = requests_.build(one, parts_.clock.now());
        ++subresources_flying_;
        submit(std::move(request), {.host = id, .waiting_host = id, .subresource = std::move(one)}, now);
      }
    }
    return {};
  }

  void end_subresources() {
    std::vector<Subresource> left = subresources_.with([](Asked& asked) {
      asked.ended = true;
      return std::exchange(asked.waiting, {});
    });
    for (auto& [host, waiting] : std::exchange(subresources_waiting_, {}))
      std::move(waiting.begin(), waiting.end(), std::back_inserter(left));
    for (Subresource& one : left) one.done(fail(Code::kCancelled, "the crawl has ended"));
  }

  // The time its queue takes: who is done last begins first.
  Millis head_start_of(const Host& one) const {
    constexpr Millis kMost{5'000};
    const auto queued = std::min<std::uint64_t>(hosts_.left_for(one), 1'000'000);
    return std::min(kMost, one.polite->delay() * static_cast<std::int64_t>(queued));
  }

  SteadyTime next_look(SteadyTime now) {
    SteadyTime when = std::min(run_end_, now + kLookAgain);
    if (window_open_) {
      for (const auto& [host, waiting] : subresources_waiting_)
        when = std::min(when, std::max(now + Millis(1), hosts_[host].polite->next_start_at()));
    }
    if (window_open_ && may_start_more()) when = std::min(when, std::max(bandwidth_free_at_, schedule_.next_at().value_or(when)));
    return when;
  }

  // One host's turn: starts at most one request. URLs that robots.txt refuses end here without one.
  Result<void> turn(HostId id, SteadyTime now) {
    Host& turn_host = hosts_[id];
    while (true) {
      if (!has_room()) return later(id, now);
      hosts_.give_up_if_hopeless(turn_host);
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
      if (errand.lease.url.kind == UrlKind::kPage && settings_.tdm_file()) {
        TdmFile& tdm = tdm_of(url);
        const TdmFile::Need need = may_be_asked(url, robots) ? tdm.need(now) : TdmFile::Need::kNothing;
        if (need == TdmFile::Need::kWaitForAnswer) return {};
        if (need == TdmFile::Need::kRead) return start_tdm(id, tdm, now);
      }
      const LoginStep login = may_be_asked(url, robots) ? logins_.step(url, robots.rules(), now) : LoginStep{};
      if (login.waits) return login.until ? later(id, *login.until) : Result<void>();
      if (login.request) {
        submit(requests_.build_login(*login.request, parts_.clock.now()), {.host = id, .waiting_host = id, .login = true}, now);
        return {};
      }
      const bool again = errand.instead.has_value();
      Lease lease = unpark(turn_host);
      if (robots.phase() == RobotsState::Phase::kUnreachable) {
        refuse(turn_host, std::move(lease), robots.cause(), robots.detail());
        continue;
      }
      if (const RobotsVerdict verdict = robots.rules().judge(url); !verdict.allowed) {
        turn_host.note_refusal(verdict);
        refuse(turn_host, std::move(lease), Cause::kRobots, fmt::format("robots.txt line {}: Disallow: {}", verdict.line, verdict.rule));
        continue;
      }
      if (!login.refused.empty()) {
        refuse(turn_host, std::move(lease), Cause::kLoginWall, login.refused);
        continue;
      }
      start_fetch(id, url, {.lease = std::move(lease), .again = again, .behind = login.login}, now);
      return later(id, turn_host.polite->next_start_at());
    }
  }

  // Its next answer brings a host back; but not one that waits for another of its group.
  Result<void> wait_for_slot(HostId id, SteadyTime now) {
    return hosts_.grouped() ? later(id, now + std::max(Millis(50), hosts_[id].polite->delay())) : Result<void>();
  }

  // Ends the next address of a host that was given up; false when it has none.
  Result<bool> refuse_next(HostId id, SteadyTime now) {
    Host& from = hosts_[id];
    if (!from.parked) {
      MAGPIE_TRY(const bool leased, lease_next(id, now));
      if (!leased) return false;
    }
    refuse(from, unpark(from), from.given_up->cause, from.given_up->detail);
    return true;
  }

  Result<void> later(HostId id, SteadyTime when) {
    schedule_.schedule(id, when);
    return {};
  }

  // Fills `parked`. False when the host has nothing to give now; it is scheduled again if something waits for its time.
  Result<bool> lease_next(HostId id, SteadyTime now) {
    Host& from = hosts_[id];
    if (!from.again.empty()) {
      from.parked = std::move(from.again.back());
      from.again.pop_back();
      return true;
    }
    std::optional<Timestamp> next_at;
    for (int i = 0; i < 2; ++i) {
      const Lane lane = from.images_next ? Lane::kImages : Lane::kPages;
      from.images_next = !from.images_next;
      if (lane == Lane::kPages && !hosts_.pages_open(from)) continue;
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
    auto robots_url = Url::parse("/robots.txt", url);
    MAGPIE_CHECK(robots_url, "an origin is a URL: {}", origin);
    return robots_.try_emplace(std::move(origin), std::move(*robots_url)).first->second;
  }

  static bool may_be_asked(const Url& url, const RobotsState& robots) {
    return robots.phase() != RobotsState::Phase::kUnreachable && robots.rules().allows(url);
  }

  TdmFile& tdm_of(const Url& url) {
    std::string origin = url.origin();
    const auto found = tdm_.find(origin);
    if (found != tdm_.end()) return found->second;
    auto tdm_url = Url::parse(kTdmPath, url);
    MAGPIE_CHECK(tdm_url, "an origin is a URL: {}", origin);
    return tdm_.try_emplace(std::move(origin), std::move(*tdm_url)).first->second;
  }

  // What the file says of this answer; the answer's own header has the last word, being the narrower one.
  bool reserved(const HttpResponse& response) const {
    const auto tdm = tdm_.find(response.url.origin());
    return tdm != tdm_.end() && !response.header("tdm-reservation") && tdm->second.rules().reserve(response.url);
  }

  // Whether a request may start, by the clock on the wall; asked anew where the answer changes.
  bool may_ask() {
    const Timestamp now = parts_.clock.now();
    if (windows_.always_open() || (window_until_ && now < *window_until_)) return window_open_;
    window_open_ = windows_.open_at(now);
    window_until_ = windows_.next_change(now).value_or(now + std::chrono::days(1));
    totals_.with([&](CrawlTotals& totals) { totals.rests_until = window_open_ ? std::nullopt : window_until_; });
    if (!window_open_)
      log::info("crawl.rests", {{"job", job_}, {"seconds", to_seconds(*window_until_ - now)}, {"setting", "crawl.windows"}});
    return window_open_;
  }

  // ---- requests ----

  void submit(HttpRequest request, Flight flight, SteadyTime now) {
    flight.started = now;
    flight.started_at = parts_.clock.now();
    flight.polite = hosts_[flight.host].polite;
    flight.polite->started(now);
    const std::uint64_t tag = request.tag;
    flights_.emplace(tag, std::move(flight));
    parts_.client.submit(std::move(request));
    totals_.with([&](CrawlTotals& totals) {
      ++totals.requests;
      totals.in_flight = static_cast<std::uint32_t>(flights_.size());
    });
  }

  void start_fetch(HostId id, const Url& url, Flight flight, SteadyTime now) {
    const UrlKind kind = flight.lease->url.kind;
    if (kind == UrlKind::kPage && flight.lease->tries == 0) ++hosts_[id].pages;
    HttpRequest request = requests_.build(url, kind, parts_.clock.now());
    flight.host = flight.waiting_host = id;
    if (parts_.validators && !flight.again && kind != UrlKind::kSitemap) {
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
    const HostId asked = hosts_.id_of(robots.next_url().host());
    const HostState& polite = *hosts_[asked].polite;
    if (!polite.may_start(now)) return later(id, polite.has_slot() ? polite.next_start_at() : now + std::max(Millis(50), polite.delay()));
    robots.reading();
    HttpRequest request = requests_.build_robots(robots.next_url(), parts_.clock.now());
    submit(std::move(request), {.host = asked, .waiting_host = id, .robots = &robots}, now);
    return {};
  }

  // Where the file has moved to, that origin's robots.txt and that host's politeness count.
  Result<void> start_tdm(HostId id, TdmFile& tdm, SteadyTime now) {
    const Url& url = tdm.next_url();
    const HostId asked = hosts_.id_of(url.host());
    const HostState& polite = *hosts_[asked].polite;
    RobotsState& robots = robots_of(url);
    switch (robots.need(now)) {
      case RobotsState::Need::kRead: return start_robots(id, robots, now);
      case RobotsState::Need::kWaitForAnswer: return later(id, now + std::max(Millis(50), polite.delay()));
      case RobotsState::Need::kWaitUntil: return later(id, robots.wait_until());
      case RobotsState::Need::kNothing: break;
    }
    if (!may_be_asked(url, robots) || hosts_[asked].given_up) {
      tdm.forbidden(settings_.robots_ttl(), now);
      return later(id, now);
    }
    if (!polite.may_start(now)) return later(id, polite.has_slot() ? polite.next_start_at() : now + std::max(Millis(50), polite.delay()));
    tdm.reading();
    submit(requests_.build_tdm(url, parts_.clock.now()), {.host = asked, .waiting_host = id, .tdm = &tdm}, now);
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
    hosts_.give_up_if_hopeless(hosts_[flight.host]);
    schedule_.schedule(flight.host, hosts_[flight.host].given_up ? now : std::max(now, hosts_[flight.host].polite->next_start_at()));
    if (flight.robots) return finish_robots(flight, response, verdict, now);
    if (flight.tdm) {
      if (response.cause == HttpCause::kCancelled) flight.tdm->abandoned();
      else flight.tdm->answered(response, settings_.robots_ttl(), now);
      return later(flight.waiting_host, std::max(now, hosts_[flight.waiting_host].polite->next_start_at()));
    }
    if (flight.subresource) {
      --subresources_flying_;
      flight.subresource->done(std::move(response));
      return {};
    }
    if (flight.login) {
      logins_.answered({response, verdict, flight.set_cookies}, now);
      return {};
    }
    if (response.cause == HttpCause::kCancelled) return parts_.frontier.release(flight.lease->signature);
    if (logins_.leads_to_form(response, flight.lease->signature, flight.behind))
      return parts_.frontier.put_back(flight.lease->signature, parts_.clock.now());
    if (verdict.passing && flight.lease->tries < tries_again(verdict)) return retry(flight, verdict);
    // Some sites send a visitor in a circle until a cookie comes back. Once one was set, the address where the circle closes is asked
    // again: once, and in place of the one that pointed there.
    const bool may_ask_again = !flight.again && response.complete() && hosts_[flight.host].cookies_changed > 0;
    if (std::optional<Url> next = may_ask_again ? answers_.circle_of(flight.lease->url, response) : std::nullopt) {
      hosts_[flight.host].again.push_back({std::move(*flight.lease), std::move(next)});
      ++parked_;
      return {};
    }
    const Millis took = std::chrono::duration_cast<Millis>(parts_.clock.steady() - flight.started);
    const bool reservation = reserved(response);
    requests_.hide_session(response);
    Exchange exchange{std::move(*flight.lease), flight.again, flight.conditional, flight.started_at, took};
    MAGPIE_TRY(FetchedDocument document, answers_.read(std::move(exchange), std::move(response), verdict, hosts_[flight.host]));
    document.login = flight.behind;
    if (reservation) document.robots_tag = document.robots_tag.empty() ? "noai" : "noai\n" + document.robots_tag;
    push(hosts_[flight.host], std::move(document));
    return {};
  }

  // A time-out costs the most, and tells the most: one more try.
  std::uint32_t tries_again(const AnswerVerdict& verdict) const {
    const auto most = static_cast<std::uint32_t>(settings_.retries_max());
    return verdict.cause == Cause::kTimeout ? std::min(most, 1u) : most;
  }

  // What the answer means for the whole host. robots.txt has its own tries, and nothing else is asked of a host meanwhile. A tdmrep.json
  // that fails costs the host one request and nothing more. A page that was refused before and is refused again, while its host's others
  // came, is itself broken.
  void judge_signal(const Flight& flight, AnswerVerdict& verdict) const {
    if (verdict.signal == HostSignal::kFine) return;
    const bool troubles_host = verdict.signal == HostSignal::kThrottled || verdict.signal == HostSignal::kTimeout;
    if (flight.tdm || (flight.robots && troubles_host)) verdict.signal = HostSignal::kNeutral;
    if (!flight.lease || verdict.signal != HostSignal::kThrottled || verdict.retry_after) return;
    if (flight.lease->tries > 0 && flight.polite->backoffs_in_row() == 0) verdict.signal = HostSignal::kNeutral;
  }

  double jitter() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  void note_answer(Flight& flight, const HttpResponse& response, const AnswerVerdict& verdict, SteadyTime now) {
    Host& asked = hosts_[flight.host];
    flight.polite->ended(flight.started, now, verdict.signal, std::chrono::ceil<Millis>(response.timings.connected), verdict.retry_after,
                         jitter());
    if (verdict.signal != HostSignal::kFine && verdict.signal != HostSignal::kNeutral) asked.last_trouble = verdict.cause;
    asked.bytes += response.body.size();
    hosts_.join_address(asked, response.peer_address);
    flight.set_cookies = requests_.take_cookies(response, parts_.clock.now());
    asked.cookies_changed += flight.set_cookies;
    if (const std::int64_t limit = settings_.bytes_per_second(); limit > 0) {
      const std::chrono::duration<double> worth(static_cast<double>(response.body.size()) / static_cast<double>(limit));
      bandwidth_free_at_ = std::max(bandwidth_free_at_, flight.started) + std::chrono::ceil<Millis>(worth);
    }
    totals_.with([&](CrawlTotals& totals) {
      totals.bytes += response.body.size();
      totals.in_flight = static_cast<std::uint32_t>(flights_.size());
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
    if (robots.phase() == RobotsState::Phase::kRead || robots.phase() == RobotsState::Phase::kAbsent) {
      Host& ruled = hosts_[hosts_.id_of(robots.home_url().host())];
      ruled.crawl_delay = robots.rules().crawl_delay();
      if (hosts_.grouped()) ruled.polite->raise_crawl_delay(ruled.crawl_delay);
      else ruled.polite->set_crawl_delay(ruled.crawl_delay);
      if (settings_.sitemaps()) MAGPIE_TRY_DO(answers_.add_sitemaps(ruled, robots.rules(), response.url));
    }
    return later(flight.waiting_host, std::max(now, hosts_[flight.waiting_host].polite->next_start_at()));
  }

  Result<void> retry(const Flight& flight, const AnswerVerdict& verdict) {
    totals_.with([](CrawlTotals& totals) { ++totals.retries; });
    // Behind the host's rest its other addresses come first: they show whether the host is well again, or this one address is not.
    const SteadyTime now = parts_.clock.steady();
    const Millis rest = std::chrono::ceil<Millis>(std::max(now, flight.polite->next_start_at()) - now);
    const Millis own = settings_.retry_delay() * (std::int64_t{1} << (2 * std::min(flight.lease->tries, 10u)));
    const Millis wait = verdict.signal == HostSignal::kThrottled ? rest + settings_.retry_delay() : own;
    return parts_.frontier.put_back(flight.lease->signature, parts_.clock.now() + wait);
  }

  // ---- what goes to the pipeline ----

  // Ends a URL without a request.
  void refuse(Host& from, Lease lease, Cause cause, std::string detail) {
    push(from, answers_.refused(std::move(lease), cause, std::move(detail), parts_.clock.now()));
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
    totals_.with([&](CrawlTotals& totals) {
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
    end_subresources();
    for (const auto& one : hosts_) {
      if (one->parked) one->again.push_back(std::move(*std::exchange(one->parked, std::nullopt)));
      for (const Errand& errand : std::exchange(one->again, {})) MAGPIE_TRY_DO(parts_.frontier.release(errand.lease.signature));
    }
    parked_ = 0;
    take_throttled(parts_.clock.steady());
    publish(parts_.clock.steady(), /*always=*/true);
    return end;
  }

  // The more hosts, the rarer, so that reports never cost more than a small share of the loop.
  void publish(SteadyTime now, bool always) {
    const auto period = Millis(200) + std::chrono::microseconds(100) * hosts_.size();
    if (!always && published_ && now - *published_ < period) return;
    published_ = now;
    reports_.with([&](auto& reports) { reports = hosts_.reports(); });
  }

  FetchLoopParts parts_;
  CrawlSettings settings_;
  JobId job_;
  RobotsLimits robots_limits_;
  SteadyTime run_end_ = SteadyTime::max();
  Millis waited_asked_{0}, waited_unasked_{0};  // for hosts that rest, with nothing else to do

  Guarded<CrawlTotals> totals_;
  Guarded<std::vector<HostReport>> reports_;
  Guarded<std::map<std::string, Cause>> throttled_;  // what note_throttled() was told
  struct Asked {
    std::vector<Subresource> waiting;
    bool ended = false;
  };
  Guarded<Asked> subresources_;  // what fetch() was told
  std::map<HostId, std::deque<Subresource>> subresources_waiting_;
  std::size_t subresources_flying_ = 0;
  HostTable hosts_;
  FormLogins logins_;
  RequestBuilder requests_;
  AnswerReader answers_;
  std::unordered_map<std::string, RobotsState> robots_;  // by origin; entries never move
  std::unordered_map<std::string, TdmFile> tdm_;         // by origin; entries never move
  std::unordered_map<std::uint64_t, Flight> flights_;    // by the request's tag
  HostSchedule schedule_;
  CrawlWindows windows_;
  bool window_open_ = true;
  std::optional<Timestamp> window_until_;  // what window_open_ says holds till then
  std::size_t parked_ = 0;                 // leases that wait in hosts
  SteadyTime bandwidth_free_at_{};         // when what was received is within the limit again
  std::minstd_rand random_;
  std::optional<SteadyTime> published_;
};

struct Prepared {
  Credentials credentials;
  CrawlWindows windows;
};

Result<Prepared> prepare(const CrawlSettings& settings) {
  const std::string& by = settings.politeness_by();
  if (by != "host" && by != "domain" && by != "address")
    return fail(Code::kBadInput, "crawl.politeness_by is '{}'; it must be host, domain or address", by);
  MAGPIE_TRY_DO([&]() -> Result<void> {
    MAGPIE_TRY([[maybe_unused]] const std::string name, user_agent(settings));
    return {};
  }());
  Prepared out;
  MAGPIE_TRY(out.credentials, load_credentials(settings));
  MAGPIE_TRY(out.windows, CrawlWindows::parse(settings.windows(), settings.time_zone()));
  return out;
}

}  // namespace

Result<void> FetchLoop::check(const CrawlSettings& settings) {
  if (const auto prepared = prepare(settings); !prepared) return fail(Code::kBadInput, "{}", prepared.error().message);
  return {};
}

Result<std::unique_ptr<FetchLoop>> FetchLoop::make(FetchLoopParts parts, const CrawlSettings& settings) {
  MAGPIE_TRY(Prepared prepared, prepare(settings));
  return std::make_unique<Loop>(std::move(parts), settings, std::move(prepared.credentials), std::move(prepared.windows));
}

}  // namespace magpie::crawl
