#include <algorithm>

#include "app/collection.h"
#include "app/collection_bridge.h"
#include "app/job_json.h"
#include "base/json_writer.h"
#include "command.h"
#include "flags.h"
#include "host_proof.h"
#include "inspect.h"
#include "net/url.h"
#include "time_text.h"

namespace magpie::cmd {
namespace {

/// What the collection's bridge says of itself, whatever models it is of.
std::optional<learn::BridgeFacts> bridge_of(const CollectionFolder& folder) {
  const auto bridge = learn::Bridge::load(bridge_file(folder));
  return bridge ? std::optional(bridge->facts()) : std::nullopt;
}

std::string learnt_at(const learn::BridgeFacts& facts) { return time_text(Timestamp(std::chrono::seconds(facts.trained_at_seconds))); }

void write_bridge(JsonWriter& json, const std::optional<learn::BridgeFacts>& facts) {
  json.key("bridge");
  if (!facts) return void(json.null());
  json.begin_object().field("learnt_at", learnt_at(*facts)).field("texts", facts->pairs).field("pictures", facts->pictures);
  json.field("held_back", facts->held_back).field("recall_at_10", facts->recall).end_object();
}

void print_json(const CatalogStats& stats, std::uint64_t archived, const std::optional<learn::BridgeFacts>& bridge,
                const std::vector<Job>& jobs) {
  JsonWriter json;
  json.begin_object().field("pages", stats.pages).field("products", stats.products).field("images", stats.images);
  json.field("image_urls", stats.image_urls).field("urls", stats.urls).field("to_index", stats.to_index).field("bytes_archived", archived);
  json.key("failures").begin_array();
  for (const auto& [cause, count] : stats.failures_by_cause)
    json.begin_object().field("cause", to_string(cause)).field("count", count).end_object();
  json.end_array().key("shops").begin_array();
  for (const auto& [shop, pages] : stats.pages_by_shop) json.begin_object().field("shop", shop).field("pages", pages).end_object();
  json.end_array();
  write_bridge(json, bridge);
  json.key("jobs").begin_array();
  for (const Job& job : jobs) {
    json.begin_object().field("job_id", job.id).field("state", to_string(job.state)).field("created_at", time_text(job.created_at));
    json.field("detail", job.detail).key("seeds").begin_array();
    for (const std::string& seed : job.seeds) json.string(seed);
    json.end_array().key("progress").raw(job.counters_json).end_object();
  }
  print_line(json.end_array().end_object().text());
}

void print_shops(const CatalogStats& stats) {
  std::vector<std::pair<std::string, std::uint64_t>> shops(stats.pages_by_shop.begin(), stats.pages_by_shop.end());
  std::stable_sort(shops.begin(), shops.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  for (const auto& [shop, pages] : std::span(shops).first(std::min<std::size_t>(shops.size(), 10)))
    fmt::print("  {:>9} pages  {}\n", pages, shop);
  if (shops.size() > 10) fmt::print("  {:>9} more shops\n", shops.size() - 10);
}

void print_text(const CollectionFolder& folder, const CatalogStats& stats, std::uint64_t archived,
                const std::optional<learn::BridgeFacts>& bridge, const std::vector<Job>& jobs) {
  fmt::print("{}\n  {:>9} pages, {} products\n  {:>9} pictures, seen at {} addresses", folder.path().string(), stats.pages, stats.products,
             stats.images, stats.image_urls);
  if (stats.to_index > 0) fmt::print(", {} waiting for the index", stats.to_index);
  fmt::print("\n  {:>9} archived\n", bytes_text(archived));
  if (bridge) {
    fmt::print("  {:>9} texts lead from words to pictures: the bridge of {}, recall@10 {:.2f} of {} held back\n", bridge->pairs,
               learnt_at(*bridge), bridge->recall, bridge->held_back);
  }
  print_shops(stats);
  if (!stats.failures_by_cause.empty()) fmt::print("failures\n");
  for (const auto& [cause, count] : stats.failures_by_cause) fmt::print("  {:>9} {}\n", count, to_string(cause));
  if (!jobs.empty()) fmt::print("crawls\n");
  for (const Job& job : std::span(jobs).first(std::min<std::size_t>(jobs.size(), 5))) {
    const auto rest = job.state == JobState::kRunning ? progress_from_json(job.counters_json).rests_until : std::nullopt;
    fmt::print("  {:>9} {}  {}{}{}{}\n", fmt::format("job {}", job.id), to_string(job.state), job.name,
               job.seeds.size() > 1 ? fmt::format(" and {} more", job.seeds.size() - 1) : "", job.detail.empty() ? "" : ": " + job.detail,
               rest ? fmt::format(", rests until {} (crawl.windows)", time_text(*rest)) : "");
  }
}

struct StatusFlags {
  std::string host;
  bool proof = false;
};

/// A host as the catalog names it, from itself or from an address on it.
Result<std::string> host_named(const std::string& text) {
  const auto url = Url::parse(text.find("://") == std::string::npos ? "http://" + text : text);
  if (!url || url->host().empty()) return fail(Code::kBadInput, "'{}' is no host; name one as in shop.example or 127.0.0.1:8080", text);
  return std::string(url->host());
}

Result<int> run_host(const Common& common, Collection& collection, const StatusFlags& flags) {
  MAGPIE_TRY(const std::string host, host_named(flags.host));
  const auto ledger = read_host_ledger(collection.catalog(), host);
  if (!ledger && ledger.error().code == Code::kNotFound) {
    fmt::print(stderr, "{}\n", ledger.error().message);
    return kNothing;
  }
  if (!ledger) return Failure(ledger.error());
  common.json ? print_line(host_json(*ledger)) : fmt::print("{}", host_text(*ledger, flags.proof));
  return kDone;
}

Result<int> run(const Common& common, const StatusFlags& flags) {
  if (flags.proof && flags.host.empty()) return fail(Code::kBadInput, "--proof is about one host: add --host HOST");
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  if (!flags.host.empty()) return run_host(common, *collection, flags);
  MAGPIE_TRY(const CatalogStats stats, collection->catalog().stats());
  MAGPIE_TRY(const std::vector<Job> jobs, collection->catalog().jobs());
  const std::uint64_t archived = collection->archive().bytes();
  const auto bridge = bridge_of(folder);
  common.json ? print_json(stats, archived, bridge, jobs) : print_text(folder, stats, archived, bridge, jobs);
  return kDone;
}

}  // namespace

void add_status(CLI::App& app, Common& common) {
  Subcommand command(app, "status", "What the collection holds, what failed, and the last crawls");
  auto flags = std::make_shared<StatusFlags>();
  command.option("--host", flags->host, "Only about this host: requests, gaps, rests, what robots.txt forbade", {.value = "HOST"});
  command.flag("--proof", flags->proof, "With --host: the whole ledger, to be sent to the site's owner");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
