#include "serve/job_json.h"

#include <simdjson.h>

#include <array>

#include "base/utf8.h"
#include "net/url.h"
#include "serve/api_text.h"

namespace magpie {
namespace {

constexpr std::size_t kSeedsMax = 1'000;
constexpr std::size_t kSeedBytesMax = 8'192;

void write_options(JsonWriter& json, const CrawlOptions& options) {
  json.begin_object();
  if (options.delay) json.field("delay_ms", options.delay->count());
  if (options.requests_per_host) json.field("requests_per_host", *options.requests_per_host);
  if (options.pages_per_host_max) json.field("pages_per_host_max", *options.pages_per_host_max);
  if (options.seconds_max) json.field("seconds_max", options.seconds_max->count());
  if (options.agent) json.field("agent", *options.agent);
  if (options.images_off_host) json.field("images_off_host", *options.images_off_host);
  if (options.render) json.field("render", *options.render);
  json.end_object();
}

/// "shop.example/a" and "localhost:8080" get https:// in front: a person types them so, and neither has "://".
std::string with_scheme(std::string_view seed) {
  return seed.find("://") == std::string_view::npos ? "https://" + std::string(seed) : std::string(seed);
}

Outcome<std::vector<std::string>> parse_seeds(const simdjson::dom::element& root) {
  simdjson::dom::array array;
  if (root["seeds"].get(array) != simdjson::SUCCESS || array.size() == 0)
    return problem(400, "request_malformed", "seeds must be a list of at least one address");
  if (array.size() > kSeedsMax) return problem(400, "request_malformed", "seeds has {} addresses; it may have {}", array.size(), kSeedsMax);
  std::vector<std::string> seeds;
  for (const simdjson::dom::element element : array) {
    std::string_view text;
    if (element.get(text) != simdjson::SUCCESS) return problem(400, "request_malformed", "seeds must hold strings only");
    const Result<Url> url = text.size() > kSeedBytesMax ? fail(Code::kTooLarge, "too long") : Url::parse(with_scheme(text));
    if (!url || !url->is_http())
      return problem(400, "seed_invalid", "'{}' is not an http or https address", to_valid_utf8(utf8_prefix(text, 200)));
    seeds.push_back(canonical_url(*url).href());
  }
  return seeds;
}

/// A whole number within bounds, or nothing when the key is absent.
Outcome<std::optional<std::uint64_t>> parse_number(const simdjson::dom::object& options, std::string_view key, std::uint64_t min,
                                                   std::uint64_t max) {
  simdjson::dom::element element;
  if (options[key].get(element) != simdjson::SUCCESS) return std::nullopt;
  std::uint64_t value = 0;
  if (element.get(value) != simdjson::SUCCESS || value < min || value > max) {
    return problem(400, "request_malformed", "options.{} must be a whole number from {} to {}", key, min, max);
  }
  return value;
}

bool is_agent(std::string_view text) {
  constexpr std::size_t kBytesMax = 64;
  const auto fits = [](char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= kBytesMax && std::all_of(text.begin(), text.end(), fits);
}

Outcome<CrawlOptions> parse_options(const simdjson::dom::object& object) {
  constexpr std::array<std::string_view, 7> kKeys = {
      "delay_ms", "requests_per_host", "pages_per_host_max", "seconds_max", "agent", "images_off_host", "render"};
  for (const auto& field : object) {
    if (std::find(kKeys.begin(), kKeys.end(), field.key) == kKeys.end())
      return problem(400, "request_malformed", "there is no option '{}'", field.key);
  }
  CrawlOptions options;
  SERVE_TRY(const auto delay, parse_number(object, kKeys[0], 0, 3'600'000));
  SERVE_TRY(const auto per_host, parse_number(object, kKeys[1], 1, 256));
  SERVE_TRY(const auto pages, parse_number(object, kKeys[2], 1, 100'000'000));
  SERVE_TRY(const auto seconds, parse_number(object, kKeys[3], 1, 31'536'000));
  if (delay) options.delay = std::chrono::milliseconds(*delay);
  if (per_host) options.requests_per_host = static_cast<std::uint32_t>(*per_host);
  options.pages_per_host_max = pages;
  if (seconds) options.seconds_max = std::chrono::seconds(*seconds);
  simdjson::dom::element element;
  if (object["agent"].get(element) == simdjson::SUCCESS) {
    std::string_view agent;
    if (element.get(agent) != simdjson::SUCCESS || !is_agent(agent)) {
      return problem(400, "request_malformed", "options.agent must be one word of letters, digits, '-', '_' and '.'");
    }
    options.agent = agent;
  }
  if (object["images_off_host"].get(element) == simdjson::SUCCESS) {
    bool off_host = false;
    if (element.get(off_host) != simdjson::SUCCESS)
      return problem(400, "request_malformed", "options.images_off_host must be true or false");
    options.images_off_host = off_host;
  }
  if (object["render"].get(element) == simdjson::SUCCESS) {
    std::string_view render;
    if (element.get(render) != simdjson::SUCCESS || (render != "auto" && render != "always" && render != "never"))
      return problem(400, "request_malformed", "options.render must be auto, always or never");
    options.render = render;
  }
  return options;
}

}  // namespace

std::string_view to_string(CrawlState state) {
  constexpr std::array<std::string_view, 6> kNames = {"queued", "running", "cancelling", "finished", "cancelled", "failed"};
  return kNames[static_cast<std::size_t>(state)];
}

void write_progress(JsonWriter& json, const CrawlProgress& progress) {
  json.begin_object().field("job_id", progress.job).field("state", to_string(progress.state));
  json.field("pages_fetched", progress.pages_fetched).field("images_fetched", progress.images_fetched);
  json.field("images_analysed", progress.images_analysed).field("products_found", progress.products_found);
  json.field("products_new", progress.products_new);
  json.field("queued", progress.queued).field("failed", progress.failed).field("bytes", progress.bytes);
  json.field("pages_per_second", progress.pages_per_second).field("images_per_second", progress.images_per_second);
  json.key("seconds_left");
  progress.seconds_left ? json.number(*progress.seconds_left) : json.null();
  write_time_or_null(json, "rests_until", progress.rests_until);
  json.key("failures").begin_array();
  for (const FailureCount& failure : progress.failures)
    json.begin_object().field("cause", failure.cause).field("count", failure.count).end_object();
  json.end_array().key("hosts").begin_array();
  for (const HostProgress& host : progress.hosts) {
    json.begin_object().field("host", host.host).field("fetched", host.fetched).field("queued", host.queued);
    json.field("failed", host.failed).field("waiting_ms", host.waiting.count()).end_object();
  }
  json.end_array().field("hosts_total", progress.hosts_total).end_object();
}

void write_job(JsonWriter& json, const CrawlJobView& job) {
  json.begin_object().field("job_id", job.id).field("state", to_string(job.state)).key("seeds").begin_array();
  for (const std::string& seed : job.seeds) json.string(seed);
  json.end_array().key("options");
  write_options(json, job.options);
  json.field("created_at", api_time(job.created_at));
  write_time_or_null(json, "started_at", job.started_at);
  write_time_or_null(json, "finished_at", job.finished_at);
  write_text_or_null(json, "message", job.message.value_or(""));
  json.key("progress");
  write_progress(json, job.progress);
  json.end_object();
}

std::string progress_text(const CrawlProgress& progress) {
  JsonWriter json;
  write_progress(json, progress);
  return json.take();
}

std::string job_text(const CrawlJobView& job) {
  JsonWriter json;
  write_job(json, job);
  return json.take();
}

Outcome<NewCrawl> parse_new_crawl(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::object object;
  if (const auto error = parser.parse(json).get(root))
    return problem(400, "request_malformed", "the body is not JSON: {}", simdjson::error_message(error));
  if (root.get(object) != simdjson::SUCCESS) return problem(400, "request_malformed", "the body must be a JSON object with 'seeds'");
  for (const auto& field : object) {
    if (field.key != "seeds" && field.key != "options")
      return problem(400, "request_malformed", "there is no key '{}'; a crawl has 'seeds' and 'options'", field.key);
  }
  NewCrawl crawl;
  SERVE_TRY(crawl.seeds, parse_seeds(root));
  simdjson::dom::element options;
  if (object["options"].get(options) != simdjson::SUCCESS) return crawl;
  simdjson::dom::object option_object;
  if (options.get(option_object) != simdjson::SUCCESS) return problem(400, "request_malformed", "options must be an object");
  SERVE_TRY(crawl.options, parse_options(option_object));
  return crawl;
}

Outcome<NewCollect> parse_new_collect(std::string_view json) {
  const auto malformed = [] {
    return problem(400, "request_malformed",
                   "the body must be a JSON object with 'source', and may have 'label', 'pictures_max' and 'options'");
  };
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  NewCollect collect;
  if (parser.parse(json).get(object) != simdjson::SUCCESS) return malformed();
  for (const auto& field : object) {
    std::string_view text;
    std::uint64_t number = 0;
    simdjson::dom::object options;
    if (field.key == "source" && field.value.get(text) == simdjson::SUCCESS) collect.source = text;
    else if (field.key == "label" && field.value.get(text) == simdjson::SUCCESS) collect.label = text;
    else if (field.key == "pictures_max" && field.value.get(number) == simdjson::SUCCESS && number > 0)
      collect.options.pictures_max = number;
    else if (field.key != "options" || field.value.get(options) != simdjson::SUCCESS) return malformed();
    if (field.key != "options") continue;
    const std::optional<std::uint64_t> pictures_max = collect.options.pictures_max;
    SERVE_TRY(collect.options, parse_options(options));
    collect.options.pictures_max = pictures_max;
  }
  if (collect.source.empty() || collect.source.size() > kSeedBytesMax || collect.label.size() > kSeedBytesMax) return malformed();
  return collect;
}

Outcome<std::vector<Cause>> parse_causes(std::string_view json) {
  constexpr std::size_t kCausesMax = 32;
  const auto malformed = [] {
    return problem(400, "request_malformed", "the body must be a JSON object like {{\"causes\": [\"dns\", \"timeout\"]}}");
  };
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  std::vector<Cause> causes;
  if (parser.parse(json).get(object) != simdjson::SUCCESS) return malformed();
  for (const auto& field : object) {
    simdjson::dom::array names;
    if (field.key != "causes" || field.value.get(names) != simdjson::SUCCESS) return malformed();
    for (const simdjson::dom::element one : names) {
      std::string_view name;
      if (one.get(name) != simdjson::SUCCESS || causes.size() == kCausesMax) return malformed();
      const std::optional<Cause> cause = cause_from_string(name);
      if (!cause || *cause == Cause::kNone) return problem(400, "request_malformed", "there is no cause '{}'", name);
      causes.push_back(*cause);
    }
  }
  return causes;
}

Outcome<bool> parse_revisit(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  bool all = false;
  bool good = parser.parse(json).get(object) == simdjson::SUCCESS;
  if (good) {
    for (const auto& field : object) good = good && field.key == "all" && field.value.get(all) == simdjson::SUCCESS;
  }
  if (!good) return problem(400, "request_malformed", "the body must be a JSON object like {{\"all\": false}}");
  return all;
}

Outcome<bool> parse_empty_object(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json).get(object) != simdjson::SUCCESS || object.size() != 0)
    return problem(400, "request_malformed", "the body must be an empty JSON object: {{}}");
  return true;
}

}  // namespace magpie
