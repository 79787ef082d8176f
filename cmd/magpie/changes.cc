#include "app/collection.h"
#include "base/json_writer.h"
#include "command.h"
#include "flags.h"
#include "inspect.h"
#include "time_text.h"

namespace magpie::cmd {
namespace {

constexpr std::size_t kAtOnce = 1'000;

struct ChangesFlags {
  std::uint64_t after = 0;
  std::uint64_t limit = 100;
};

void print_json(const ProductChange& change) {
  JsonWriter json;
  json.begin_object().field("id", change.id).field("at", time_text(change.at)).field("field", change.field);
  json.field("before", change.before).field("after", change.after);
  if (change.product != 0) json.field("product_id", change.product);
  json.field("name", change.name);
  print_line(json.field("url", change.page_url).end_object().text());
}

std::string words_of(const ProductChange& change) {
  if (change.field == "images") return fmt::format("{} pictures", change.after);
  if (change.field == "gone") return fmt::format("gone, last {}", change.before);
  return fmt::format("{} {} → {}", change.field, change.before.empty() ? "unknown" : change.before,
                     change.after.empty() ? "unknown" : change.after);
}

void print_text(const ProductChange& change) {
  fmt::print("{:>6}  {}  {}  {}\n        {}\n", change.id, time_text(change.at), words_of(change), change.name, change.page_url);
}

Result<int> run(const Common& common, ChangesFlags flags) {
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  bool any = false;
  while (flags.limit > 0) {
    MAGPIE_TRY(const std::vector<ProductChange> changes,
               collection->catalog().changes(flags.after, static_cast<std::size_t>(std::min<std::uint64_t>(flags.limit, kAtOnce))));
    if (changes.empty()) break;
    any = true;
    for (const ProductChange& change : changes) common.json ? print_json(change) : print_text(change);
    flags.after = changes.back().id;
    flags.limit -= changes.size();
  }
  if (!any && !common.json)
    fmt::print(stderr, "no product has changed{}\n", flags.after > 0 ? fmt::format(" since change {}", flags.after) : "");
  return any ? kDone : kNothing;
}

}  // namespace

void add_changes(CLI::App& app, Common& common) {
  Subcommand command(app, "changes", "What products' pages say differently since their first visit: price, stock, pictures, gone");
  auto flags = std::make_shared<ChangesFlags>();
  command.option("--after", flags->after, "Only changes behind this number, e.g. the last one read", {.value = "ID"});
  command.option("--limit", flags->limit, "At most so many; oldest first", {.value = "N", .show_default = true});
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
