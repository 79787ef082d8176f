#include "host_proof.h"

#include <algorithm>
#include <iterator>

#include "base/json_writer.h"
#include "time_text.h"

namespace magpie::cmd {
namespace {

using crawl::HostReport;

std::string seconds(std::chrono::milliseconds time) { return fmt::format("{:.3f} s", static_cast<double>(time.count()) / 1'000); }

std::string robots_words(const HostReport& total) {
  if (total.robots == "read") {
    return total.crawl_delay ? fmt::format("read and obeyed, Crawl-delay {} s", *total.crawl_delay) : "read and obeyed, no Crawl-delay";
  }
  if (total.robots == "none") return "there is none (answered 4xx), so nothing is forbidden (RFC 9309, 2.3.1.3)";
  if (total.robots == "unreachable") return "could not be read, so nothing was asked (RFC 9309, 2.3.1.4)";
  return "not read yet";
}

// What was not asked, or not kept, because the site says so.
std::vector<std::pair<std::string, std::uint64_t>> refusals(const HostLedger& ledger) {
  const auto failed = [&](Cause cause) {
    const auto found = ledger.kept.failures_by_cause.find(cause);
    return found == ledger.kept.failures_by_cause.end() ? 0 : found->second;
  };
  return {{"addresses that robots.txt forbids, not asked", ledger.total.robots_refused},
          {"pages that say noindex, not to be found", ledger.kept.noindex},
          {"pages that say nofollow, links not followed", ledger.kept.nofollow},
          {"pages that say noimageindex, pictures not to be found", ledger.kept.noimageindex},
          {"pages that say noai or reserve text and data mining, pictures not to be found", ledger.kept.noai},
          {"pictures whose own answer opts out, not kept", failed(Cause::kOptedOut)}};
}

void add_refusals(std::string& out, const HostLedger& ledger, bool proof) {
  out += "left out because the site says so\n";
  for (const auto& [words, count] : refusals(ledger))
    if (count > 0 || proof) out += fmt::format("  {:>9} {}\n", count, words);
  const auto& lines = ledger.total.robots_lines;
  const std::size_t shown = proof ? lines.size() : std::min<std::size_t>(lines.size(), 5);
  for (const crawl::RobotsLineReport& line : std::span(lines).first(shown))
    out += fmt::format("  {:>9} by robots.txt line {}: Disallow: {}\n", line.refused, line.line, line.rule);
  if (shown < lines.size()) out += fmt::format("            and {} more lines of robots.txt (--proof lists them)\n", lines.size() - shown);
}

void add_backoffs(std::string& out, const HostReport& total, bool proof) {
  out += fmt::format("rests after trouble: {}\n", total.backoffs);
  const auto& all = total.backoffs_latest;
  const std::size_t shown = proof ? all.size() : std::min<std::size_t>(all.size(), 3);
  for (const crawl::BackoffReport& one : std::span(all).last(shown)) {
    out += fmt::format("  {}  {} for {}{}\n", time_text(one.at), one.reason, seconds(one.rest), one.asked ? ", as Retry-After asked" : "");
  }
}

void add_visits(std::string& out, const HostLedger& ledger) {
  out += "visits\n";
  for (const HostLedger::Visit& visit : ledger.visits) {
    const HostReport& report = visit.report;
    out += fmt::format("  {} to {}  job {}: {} requests, {}, smallest gap {}, at most {} at once\n", time_text(report.first_request_at),
                       time_text(report.last_request_at), visit.job, report.requests, bytes_text(report.bytes),
                       report.gap_min ? seconds(*report.gap_min) : "none", report.parallel_peak);
  }
}

void write_total(JsonWriter& json, const HostReport& report) {
  json.field("requests", report.requests).field("bytes", report.bytes).field("first_request_at", time_text(report.first_request_at));
  json.field("last_request_at", time_text(report.last_request_at)).field("delay_s", static_cast<double>(report.delay.count()) / 1'000);
  json.key("smallest_gap_s");
  report.gap_min ? json.number(static_cast<double>(report.gap_min->count()) / 1'000) : json.null();
  json.field("parallel_peak", report.parallel_peak).field("backoffs", report.backoffs);
}

}  // namespace

std::string host_text(const HostLedger& ledger, bool proof) {
  const HostReport& total = ledger.total;
  std::string out = fmt::format("{}\n", ledger.host);
  out += fmt::format("  asked as \"{}\"{}\n", total.user_agent, total.group.empty() ? "" : fmt::format(", together with {}", total.group));
  out += fmt::format("  {} requests from {} to {}, {} received\n", total.requests, time_text(total.first_request_at),
                     time_text(total.last_request_at), bytes_text(total.bytes));
  out += fmt::format("  kept: {} pages, {} pictures\n", ledger.kept.pages, ledger.kept.images);
  out += fmt::format("  smallest gap between two requests: {} (in force: {})\n", total.gap_min ? seconds(*total.gap_min) : "none",
                     seconds(total.delay));
  out += fmt::format("  most requests at once: {}\n", total.parallel_peak);
  out += fmt::format("  robots.txt: {}\n", robots_words(total));
  if (!total.given_up.empty()) out += fmt::format("  {}\n", total.given_up);
  add_refusals(out, ledger, proof);
  add_backoffs(out, total, proof);
  if (!ledger.kept.failures_by_cause.empty()) out += "failures\n";
  for (const auto& [cause, count] : ledger.kept.failures_by_cause) out += fmt::format("  {:>9} {}\n", count, to_string(cause));
  if (proof) add_visits(out, ledger);
  return out;
}

std::string host_json(const HostLedger& ledger) {
  const HostReport& total = ledger.total;
  JsonWriter json;
  json.begin_object().field("host", ledger.host).field("user_agent", total.user_agent).field("shares_politeness_with", total.group);
  write_total(json, total);
  json.field("pages", ledger.kept.pages).field("images", ledger.kept.images).key("robots").begin_object().field("state", total.robots);
  if (total.crawl_delay) json.field("crawl_delay", *total.crawl_delay);
  json.field("refused", total.robots_refused).key("lines").begin_array();
  for (const crawl::RobotsLineReport& line : total.robots_lines)
    json.begin_object().field("line", line.line).field("rule", line.rule).field("refused", line.refused).end_object();
  json.end_array().end_object().key("left_out").begin_object();
  json.field("noindex", ledger.kept.noindex).field("nofollow", ledger.kept.nofollow).field("noimageindex", ledger.kept.noimageindex);
  json.field("noai", ledger.kept.noai).end_object().key("rests").begin_array();
  for (const crawl::BackoffReport& one : total.backoffs_latest) {
    json.begin_object().field("at", time_text(one.at)).field("seconds", static_cast<double>(one.rest.count()) / 1'000);
    json.field("reason", one.reason).field("asked", one.asked).end_object();
  }
  json.end_array().key("failures").begin_object();
  for (const auto& [cause, count] : ledger.kept.failures_by_cause) json.field(to_string(cause), count);
  json.end_object().field("given_up", total.given_up).key("visits").begin_array();
  for (const HostLedger::Visit& visit : ledger.visits) {
    json.begin_object().field("job_id", visit.job).field("run_started_at", time_text(visit.run_started_at));
    write_total(json, visit.report);
    json.end_object();
  }
  return json.end_array().end_object().take();
}

}  // namespace magpie::cmd
