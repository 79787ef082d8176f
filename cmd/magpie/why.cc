#include "app/collection.h"
#include "base/json_writer.h"
#include "command.h"
#include "flags.h"
#include "inspect.h"
#include "net/url.h"
#include "time_text.h"

namespace magpie::cmd {
namespace {

void print_json(const UrlDetails& known) {
  JsonWriter json;
  json.begin_object().field("url", known.fetch.url).field("fetched", known.fetched);
  if (known.fetched) {
    json.field("fetched_at", time_text(known.fetch.fetched_at)).field("status", known.fetch.status);
    json.field("cause", to_string(known.fetch.cause)).field("detail", known.fetch.detail).field("content_type", known.fetch.content_type);
    json.field("bytes", known.fetch.body_bytes).field("redirect", known.fetch.redirect);
  }
  if (known.page != 0) json.field("page_id", known.page);
  if (known.image != kNoId) json.field("image_id", known.image);
  json.key("shown_by").begin_array();
  for (const std::string& page : known.shown_by) json.string(page);
  print_line(json.end_array().end_object().text());
}

void print_text(const UrlDetails& known) {
  fmt::print("{}\n", known.fetch.url);
  if (!known.fetched) fmt::print("  seen on a page, not fetched\n");
  if (known.fetched) {
    fmt::print("  fetched {} by job {}: status {}, {} bytes, {}\n", time_text(known.fetch.fetched_at), known.job, known.fetch.status,
               known.fetch.body_bytes, known.fetch.content_type.empty() ? "no content type" : known.fetch.content_type);
  }
  if (known.fetch.cause == Cause::kNone && !known.fetch.detail.empty()) fmt::print("  {}\n", known.fetch.detail);
  if (known.fetch.cause != Cause::kNone) fmt::print("  failed: {} ({})\n", to_string(known.fetch.cause), known.fetch.detail);
  if (!known.fetch.redirect.empty()) fmt::print("  leads to {}\n", known.fetch.redirect);
  if (known.page != 0) fmt::print("  kept as page {}\n", known.page);
  if (known.image != kNoId) fmt::print("  kept as picture {}\n", known.image);
  for (const std::string& page : known.shown_by) fmt::print("  shown by {}\n", page);
}

Result<int> run(const Common& common, const std::string& address) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  const auto url = Url::parse(address);
  if (!url) return fail(Code::kBadInput, "'{}' is no address", address);
  MAGPIE_TRY(const std::optional<UrlDetails> known, collection->catalog().why(canonical_url(*url).href()));
  if (!known) return fail(Code::kNotFound, "{} was never met: no page links to it as a picture, and it was not fetched", *url);
  common.json ? print_json(*known) : print_text(*known);
  return kDone;
}

}  // namespace

void add_why(CLI::App& app, Common& common) {
  Subcommand command(app, "why", "Tell the story of one address: fetched, failed, kept, shown where");
  auto address = std::make_shared<std::string>();
  command.option("url", *address, "The address", {.value = "URL", .required = true});
  command.common_flags(common);
  command.runs(common, [&common, address] { return run(common, *address); });
}

}  // namespace magpie::cmd
