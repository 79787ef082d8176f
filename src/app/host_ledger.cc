#include "app/host_ledger.h"

#include <simdjson.h>

#include <algorithm>

#include "base/json_writer.h"

namespace magpie {
namespace {

using simdjson::dom::element;

constexpr std::size_t kRobotsLinesMax = 1'000;
constexpr std::size_t kBackoffsMax = 1'000;

std::int64_t millis(Timestamp time) { return time.time_since_epoch().count(); }

void write_backoffs(JsonWriter& json, const std::vector<crawl::BackoffReport>& backoffs) {
  json.key("backoffs_latest").begin_array();
  for (const crawl::BackoffReport& one : backoffs) {
    json.begin_object().field("at", millis(one.at)).field("rest_ms", one.rest.count()).field("reason", one.reason);
    json.field("asked", one.asked).end_object();
  }
  json.end_array();
}

void write_robots_lines(JsonWriter& json, const std::vector<crawl::RobotsLineReport>& lines) {
  json.key("robots_lines").begin_array();
  for (const crawl::RobotsLineReport& one : lines)
    json.begin_object().field("line", one.line).field("rule", one.rule).field("refused", one.refused).end_object();
  json.end_array();
}

std::int64_t number(const element& object, std::string_view key, std::int64_t otherwise = 0) {
  std::int64_t value = 0;
  return object[key].get(value) == simdjson::SUCCESS ? value : otherwise;
}
std::uint64_t count(const element& object, std::string_view key) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, number(object, key)));
}
std::string text(const element& object, std::string_view key) {
  std::string_view value;
  return object[key].get(value) == simdjson::SUCCESS ? std::string(value) : std::string();
}
Timestamp time(const element& object, std::string_view key) { return Timestamp(std::chrono::milliseconds(number(object, key))); }

template <class Each>
void each_of(const element& object, std::string_view key, Each&& each) {
  simdjson::dom::array array;
  if (object[key].get(array) != simdjson::SUCCESS) return;
  for (const element one : array) each(one);
}

template <class T>
std::optional<T> smaller(const std::optional<T>& a, const std::optional<T>& b) {
  if (!a || !b) return a ? a : b;
  return std::min(*a, *b);
}

// `later` is the report of a later run.
void add(crawl::HostReport& total, const crawl::HostReport& later) {
  if (total.requests == 0) total.first_request_at = later.first_request_at;
  else total.gap_min = smaller(total.gap_min, std::optional(std::max(crawl::Millis(0), later.first_request_at - total.last_request_at)));
  total.fetched += later.fetched;
  total.failed += later.failed;
  total.bytes += later.bytes;
  total.requests += later.requests;
  total.backoffs += later.backoffs;
  total.robots_refused += later.robots_refused;
  total.pages_repeated += later.pages_repeated;
  total.gap_min = smaller(total.gap_min, later.gap_min);
  total.parallel_peak = std::max(total.parallel_peak, later.parallel_peak);
  for (const auto& [cause, times] : later.by_cause) total.by_cause[cause] += times;
  total.backoffs_latest.insert(total.backoffs_latest.end(), later.backoffs_latest.begin(), later.backoffs_latest.end());
  if (total.backoffs_latest.size() > kBackoffsMax) {
    const auto surplus = static_cast<std::ptrdiff_t>(total.backoffs_latest.size() - kBackoffsMax);
    total.backoffs_latest.erase(total.backoffs_latest.begin(), total.backoffs_latest.begin() + surplus);
  }
  for (const crawl::RobotsLineReport& line : later.robots_lines) {
    const auto same = std::find_if(total.robots_lines.begin(), total.robots_lines.end(),
                                   [&](const auto& one) { return one.line == line.line && one.rule == line.rule; });
    if (same != total.robots_lines.end()) same->refused += line.refused;
    else if (total.robots_lines.size() < kRobotsLinesMax) total.robots_lines.push_back(line);
  }
  total.last_request_at = later.last_request_at;
  total.next_allowed_at = later.next_allowed_at;
  total.delay = later.delay;
  total.robots = later.robots;
  total.crawl_delay = later.crawl_delay;
  total.user_agent = later.user_agent;
  total.group = later.group;
  total.given_up = later.given_up;
}

}  // namespace

std::string to_json(const crawl::HostReport& report) {
  JsonWriter json;
  json.begin_object().field("host", report.host).field("user_agent", report.user_agent).field("group", report.group);
  json.field("fetched", report.fetched).field("failed", report.failed).field("bytes", report.bytes).field("requests", report.requests);
  json.field("first_request_at", millis(report.first_request_at)).field("last_request_at", millis(report.last_request_at));
  json.field("next_allowed_at", millis(report.next_allowed_at)).field("delay_ms", report.delay.count());
  if (report.gap_min) json.field("gap_min_ms", report.gap_min->count());
  json.field("parallel_peak", report.parallel_peak).field("backoffs", report.backoffs).field("robots", report.robots);
  if (report.crawl_delay) json.field("crawl_delay", *report.crawl_delay);
  json.field("robots_refused", report.robots_refused).field("pages_repeated", report.pages_repeated);
  json.field("given_up", report.given_up);
  write_robots_lines(json, report.robots_lines);
  write_backoffs(json, report.backoffs_latest);
  json.key("by_cause").begin_object();
  for (const auto& [cause, times] : report.by_cause) json.field(cause, times);
  return json.end_object().end_object().take();
}

crawl::HostReport host_report_from_json(std::string_view json) {
  crawl::HostReport report;
  simdjson::dom::parser parser;
  element object;
  if (parser.parse(simdjson::padded_string(json)).get(object) != simdjson::SUCCESS) return report;
  report.host = text(object, "host");
  report.user_agent = text(object, "user_agent");
  report.group = text(object, "group");
  report.fetched = count(object, "fetched");
  report.failed = count(object, "failed");
  report.bytes = count(object, "bytes");
  report.requests = count(object, "requests");
  report.first_request_at = time(object, "first_request_at");
  report.last_request_at = time(object, "last_request_at");
  report.next_allowed_at = time(object, "next_allowed_at");
  report.delay = std::chrono::milliseconds(number(object, "delay_ms"));
  if (const std::int64_t gap = number(object, "gap_min_ms", -1); gap >= 0) report.gap_min = std::chrono::milliseconds(gap);
  report.parallel_peak = static_cast<std::uint32_t>(count(object, "parallel_peak"));
  report.backoffs = count(object, "backoffs");
  report.robots = text(object, "robots");
  double crawl_delay = 0;
  if (object["crawl_delay"].get(crawl_delay) == simdjson::SUCCESS) report.crawl_delay = crawl_delay;
  report.robots_refused = count(object, "robots_refused");
  report.pages_repeated = count(object, "pages_repeated");
  report.given_up = text(object, "given_up");
  each_of(object, "robots_lines", [&](const element& one) {
    report.robots_lines.push_back({static_cast<std::uint32_t>(count(one, "line")), text(one, "rule"), count(one, "refused")});
  });
  each_of(object, "backoffs_latest", [&](const element& one) {
    bool asked = false;
    if (one["asked"].get(asked) != simdjson::SUCCESS) asked = false;
    report.backoffs_latest.push_back({time(one, "at"), std::chrono::milliseconds(number(one, "rest_ms")), text(one, "reason"), asked});
  });
  simdjson::dom::object causes;
  if (object["by_cause"].get(causes) == simdjson::SUCCESS) {
    for (const auto& [cause, times] : causes) {
      std::uint64_t value = 0;
      if (times.get(value) == simdjson::SUCCESS) report.by_cause.emplace(cause, value);
    }
  }
  return report;
}

Result<HostLedger> read_host_ledger(const Catalog& catalog, std::string_view host) {
  MAGPIE_TRY(const std::vector<HostVisit> visits, catalog.host_visits(host));
  HostLedger ledger;
  ledger.host = host;
  ledger.total.host = host;
  MAGPIE_TRY(ledger.kept, catalog.host_summary(host));
  for (const HostVisit& visit : visits) {
    crawl::HostReport report = host_report_from_json(visit.report_json);
    if (report.requests == 0) continue;
    add(ledger.total, report);
    ledger.visits.push_back({visit.job, visit.run_started_at, std::move(report)});
  }
  if (ledger.visits.empty()) return fail(Code::kNotFound, "no crawl of this collection has asked '{}' anything", host);
  return ledger;
}

}  // namespace magpie
