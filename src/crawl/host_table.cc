#include "crawl/host_table.h"

#include <algorithm>

#include "base/log.h"
#include "net/address_guard.h"
#include "net/domain.h"

namespace magpie::crawl {
namespace {

PolitenessLimits limits_of(const CrawlSettings& settings) {
  return {.delay = settings.host_delay(),
          .delay_max = std::max(settings.host_delay_max(), settings.host_delay()),
          .parallel_max = static_cast<std::uint32_t>(settings.per_host()),
          .backoff_first = settings.backoff_first(),
          .backoff_max = settings.backoff_max(),
          .forgiven_after = settings.backoff_forgiven(),
          .delay_factor = settings.delay_factor(),
          .backoffs_max = static_cast<std::uint32_t>(settings.backoffs_max()),
          .failures_max = static_cast<std::uint32_t>(settings.failures_max())};
}

}  // namespace

void Host::note_refusal(const RobotsVerdict& verdict) {
  constexpr std::size_t kLinesMax = 1'000;
  ++robots_refused;
  if (robots_lines.size() >= kLinesMax && !robots_lines.contains(verdict.line)) return;
  RobotsLineReport& line = robots_lines[verdict.line];
  line.line = verdict.line;
  line.rule = verdict.rule;
  ++line.refused;
}

HostTable::HostTable(JobId job, const CrawlSettings& settings, const Frontier& frontier, const Clock& clock, Guarded<CrawlTotals>& totals,
                     std::map<std::string, Timestamp> resting)
    : job_(job),
      frontier_(frontier),
      clock_(clock),
      totals_(totals),
      limits_(limits_of(settings)),
      user_agent_(user_agent(settings).value_or("")),
      pages_max_(static_cast<std::uint64_t>(settings.pages_per_host_max())),
      resting_(std::move(resting)) {
  if (settings.politeness_by() == "domain") by_ = By::kDomain;
  if (settings.politeness_by() == "address") by_ = By::kAddress;
}

HostId HostTable::id_of(std::string_view name) {
  const auto [found, fresh] = ids_.try_emplace(std::string(name), static_cast<HostId>(hosts_.size()));
  if (fresh) {
    hosts_.push_back(std::make_unique<Host>(std::string(name)));
    Host& one = *hosts_.back();
    choose_group(one);
    one.pages = frontier_.host_counts({job_, name}).done_pages;
    if (const auto rest = resting_.find(one.name); rest != resting_.end())
      one.polite->go_on_resting(clock_.steady() + std::max(Millis(0), rest->second - clock_.now()));
    totals_.with([](CrawlTotals& totals) { ++totals.hosts; });
  }
  return found->second;
}

HostState* HostTable::group(std::string name) {
  std::unique_ptr<HostState>& state = groups_[std::move(name)];
  if (!state) state = std::make_unique<HostState>(limits_);
  return state.get();
}

void HostTable::join(Host& one, std::string group_name) {
  one.polite = group(group_name);
  one.group = std::move(group_name);
}

// By address a host is its own group until an answer tells its address.
void HostTable::choose_group(Host& one) {
  if (by_ == By::kDomain) {
    const auto url = Url::parse("http://" + one.name);
    if (url) return join(one, "site " + site_of_host(url->hostname()));
  }
  one.polite = group(one.name);
}

// Loopback and private addresses are many hosts' in one place: those stay apart.
void HostTable::join_address(Host& one, std::string_view peer) {
  if (by_ != By::kAddress || one.polite->in_flight() > 0) return;
  const auto address = IpAddress::parse(peer);
  if (!address || !check_address(*address, AddressPolicy{})) return;
  const HostState* const own = one.polite;
  join(one, fmt::format("address {}", peer));
  if (one.polite == own) return;
  one.polite->hold_until(own->next_start_at());
  one.polite->raise_crawl_delay(one.crawl_delay);
}

std::uint64_t HostTable::left_for(const Host& one) const {
  const HostCounts counts = frontier_.host_counts({job_, one.name});
  return counts.queued_images + (pages_open(one) ? counts.queued_pages : 0);
}

void HostTable::give_up(Host& one, const std::string& why) {
  one.given_up = GivenUp{one.last_trouble, fmt::format("the host was given up: {} ({})", why, to_string(one.last_trouble))};
  log::warn("crawl.host_given_up", {{"host", one.name}, {"cause", to_string(one.last_trouble)}, {"why", why}});
}

void HostTable::give_up_if_hopeless(Host& one) {
  if (one.given_up || !one.polite->hopeless()) return;
  const bool nobody = *one.polite->hopeless() == HostSignal::kUnreachable;
  if (nobody && one.last_trouble == Cause::kThrottled) one.last_trouble = Cause::kConnect;  // it was others of its group
  give_up(one, nobody ? fmt::format("{} requests in a row reached nobody", limits_.failures_max)
                      : fmt::format("{} rests in a row brought no good answer", limits_.backoffs_max));
}

HostReport HostTable::report(const Host& one, SteadyTime now, Timestamp wall_now) const {
  const HostLedger& ledger = one.polite->ledger();
  HostReport out{.host = one.name, .fetched = one.fetched, .failed = one.failed};
  out.queued = frontier_.host_counts({job_, one.name}).queued();
  out.bytes = one.bytes;
  out.next_allowed_in = std::max(Millis(0), std::chrono::ceil<Millis>(one.polite->next_start_at() - now));
  const auto wall = [&](SteadyTime at) { return wall_now - std::chrono::round<Millis>(now - at); };
  if (ledger.first_start) out.first_request_at = wall(*ledger.first_start);
  if (ledger.last_start) out.last_request_at = wall(*ledger.last_start);
  out.next_allowed_at = wall_now + out.next_allowed_in;
  out.group = one.group;
  out.user_agent = user_agent_;
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
  for (const auto& [line, line_report] : one.robots_lines) out.robots_lines.push_back(line_report);
  for (const Backoff& rest : ledger.backoffs_kept)
    out.backoffs_latest.push_back({wall(rest.at), rest.rest, std::string(to_string(rest.reason)), rest.asked});
  for (const auto& [cause, count] : one.by_cause) out.by_cause.emplace(to_string(cause), count);
  if (one.given_up) out.given_up = one.given_up->detail;
  return out;
}

std::vector<HostReport> HostTable::reports() const {
  const SteadyTime now = clock_.steady();
  const Timestamp wall_now = clock_.now();
  std::vector<HostReport> out;
  out.reserve(hosts_.size());
  for (const auto& one : hosts_) out.push_back(report(*one, now, wall_now));
  std::sort(out.begin(), out.end(), [](const HostReport& a, const HostReport& b) { return a.host < b.host; });
  return out;
}

}  // namespace magpie::crawl
