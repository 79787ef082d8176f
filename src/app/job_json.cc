#include "app/job_json.h"

#include <simdjson.h>

#include "base/json_writer.h"
#include "serve/api_text.h"

namespace magpie {
namespace {

std::optional<std::uint64_t> number(const simdjson::dom::element& object, std::string_view key) {
  std::uint64_t value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

}  // namespace

std::string to_json(const CrawlOptions& options) {
  JsonWriter json;
  json.begin_object();
  if (options.delay) json.field("delay_ms", options.delay->count());
  if (options.requests_per_host) json.field("requests_per_host", *options.requests_per_host);
  if (options.pages_per_host_max) json.field("pages_per_host_max", *options.pages_per_host_max);
  if (options.seconds_max) json.field("seconds_max", options.seconds_max->count());
  if (options.agent) json.field("agent", *options.agent);
  if (options.images_off_host) json.field("images_off_host", *options.images_off_host);
  if (options.render) json.field("render", *options.render);
  if (options.profile) json.field("profile", *options.profile);
  if (options.pictures_max) json.field("pictures_max", *options.pictures_max);
  return json.end_object().take();
}

CrawlOptions options_from_json(std::string_view text) {
  CrawlOptions options;
  simdjson::dom::parser parser;
  simdjson::dom::element object;
  if (parser.parse(simdjson::padded_string(text)).get(object) != simdjson::SUCCESS) return options;
  if (const auto value = number(object, "delay_ms")) options.delay = std::chrono::milliseconds(*value);
  if (const auto value = number(object, "requests_per_host")) options.requests_per_host = static_cast<std::uint32_t>(*value);
  options.pages_per_host_max = number(object, "pages_per_host_max");
  options.pictures_max = number(object, "pictures_max");
  if (const auto value = number(object, "seconds_max")) options.seconds_max = std::chrono::seconds(*value);
  std::string_view agent;
  if (object["agent"].get(agent) == simdjson::SUCCESS) options.agent = agent;
  std::string_view render;
  if (object["render"].get(render) == simdjson::SUCCESS) options.render = render;
  std::string_view profile;
  if (object["profile"].get(profile) == simdjson::SUCCESS) options.profile = profile;
  bool off_host = false;
  if (object["images_off_host"].get(off_host) == simdjson::SUCCESS) options.images_off_host = off_host;
  return options;
}

std::string to_json(const CrawlProgress& progress) {
  JsonWriter json;
  json.begin_object().field("pages_fetched", progress.pages_fetched).field("images_fetched", progress.images_fetched);
  json.field("images_analysed", progress.images_analysed).field("products_found", progress.products_found);
  json.field("products_new", progress.products_new);
  json.field("queued", progress.queued).field("failed", progress.failed).field("bytes", progress.bytes).key("failures").begin_object();
  for (const FailureCount& failure : progress.failures) json.field(failure.cause, failure.count);
  json.end_object();
  if (progress.rests_until) json.field("rests_until", api_time(*progress.rests_until));
  return json.end_object().take();
}

CrawlProgress progress_from_json(std::string_view text) {
  CrawlProgress progress;
  simdjson::dom::parser parser;
  simdjson::dom::element object;
  if (parser.parse(simdjson::padded_string(text)).get(object) != simdjson::SUCCESS) return progress;
  progress.pages_fetched = number(object, "pages_fetched").value_or(0);
  progress.images_fetched = number(object, "images_fetched").value_or(0);
  progress.images_analysed = number(object, "images_analysed").value_or(0);
  progress.products_found = number(object, "products_found").value_or(0);
  progress.products_new = number(object, "products_new").value_or(progress.products_found);  // of before they were counted
  progress.queued = number(object, "queued").value_or(0);
  progress.failed = number(object, "failed").value_or(0);
  progress.bytes = number(object, "bytes").value_or(0);
  std::string_view time;
  if (object["rests_until"].get(time) == simdjson::SUCCESS) progress.rests_until = parse_api_time(time);
  simdjson::dom::object failures;
  if (object["failures"].get(failures) != simdjson::SUCCESS) return progress;
  for (const auto& [cause, count] : failures) {
    std::uint64_t value = 0;
    if (count.get(value) == simdjson::SUCCESS) progress.failures.push_back({std::string(cause), value});
  }
  return progress;
}

}  // namespace magpie
