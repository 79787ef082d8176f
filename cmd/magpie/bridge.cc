// magpie bridge: lets words find pictures by looks.
#include <unistd.h>

#include "app/collection_bridge.h"
#include "app/text_tower.h"
#include "base/json_writer.h"
#include "command.h"
#include "flags.h"
#include "inspect.h"
#include "signals.h"
#include "time_text.h"

namespace magpie::cmd {
namespace {

void say(const learn::BridgeFacts& facts, bool json) {
  if (json) {
    JsonWriter out;
    out.begin_object().field("texts", facts.pairs).field("held_back", facts.held_back).field("pool", facts.pool);
    out.field("recall_at_10", facts.recall).field("text_space", facts.text_space).field("picture_space", facts.picture_space);
    out.field("pictures", facts.pictures).field("alike_min", double{facts.alike_min}).field("closeness_min", double{facts.closeness_min});
    print_line(out.end_object().text());
    return;
  }
  const double chance = std::min(1.0, 10.0 / static_cast<double>(std::max<std::uint64_t>(1, facts.pool)));
  fmt::print(
      "learnt from {} texts, {} to {}\nof {} texts of pictures left out in a trial, {:.0f} % found theirs among the ten nearest of {} "
      "(by chance: {:.0f} %)\n",
      facts.pairs, facts.text_space, facts.picture_space, facts.held_back, 100 * facts.recall, facts.pool, 100 * chance);
}

Result<PictureModel> text_model_of(const AppSettings& settings) {
  MAGPIE_TRY(const auto model, find_text_model(settings));
  if (model) return *model;
  return fail(Code::kNotFound, "there is no text model; ./dev setup installs {}, and bridge.text_model may name another",
              kDefaultTextModel);
}

Result<int> train(Collection& collection, const AppSettings& settings, bool json) {
  MAGPIE_TRY(const PictureModel model, text_model_of(settings));
  Texts texts(settings, model, 0, nullptr);
  std::stop_source stop;
  StopSignals signals;
  std::jthread watch([&](const std::stop_token& done) {
    while (!done.stop_requested()) {
      if (signals.wait(Deadline::after(std::chrono::milliseconds(100)))) stop.request_stop();
    }
  });
  const bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  MAGPIE_TRY(const BridgeEnds ends, bridge_ends(collection, model.space));
  const auto learnt = train_bridge(collection, texts, ends, settings, stop.get_token(), [&](const BridgeProgress& progress) {
    if (is_terminal) fmt::print(stderr, "\r{} of {} texts", progress.embedded, progress.texts);
  });
  if (is_terminal) fmt::print(stderr, "\r\x1b[K");
  if (!learnt && learnt.error().code == Code::kNotFound) {
    fmt::print(stderr, "no bridge: {}\n", learnt.error().message);
    return kNothing;
  }
  if (!learnt) return Failure(learnt.error());
  say(*learnt, json);
  return kDone;
}

Result<int> show(Collection& collection, const AppSettings& settings, bool json) {
  MAGPIE_TRY(const auto model, find_text_model(settings));
  MAGPIE_TRY(const std::string picture_space, embedding_space_of(collection.catalog()));
  const CollectionPlacer placer(collection, picture_space, settings, model, nullptr);
  const auto bridge = placer.bridge();
  if (!bridge && bridge.error().code != Code::kCorrupt) {
    fmt::print(stderr, "{}\n", bridge.error().message);
    return kNothing;
  }
  if (!bridge) return Failure(bridge.error());
  say((*bridge)->facts(), json);
  return kDone;
}

Result<int> run(const Common& common, const std::string& action) {
  if (action != "train" && action != "show") return fail(Code::kBadInput, "the action is train or show, not '{}'", action);
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  const auto embedder = find_embedder(settings, &collection->catalog());
  if (embedder && text_tower_of(*embedder)) {
    fmt::print(stderr, "no bridge is needed: {} takes words, too, and places them by itself\n", embedder->space);
    return kNothing;
  }
  return action == "train" ? train(*collection, settings, common.json) : show(*collection, settings, common.json);
}

}  // namespace

void add_bridge(CLI::App& app, Common& common) {
  Subcommand command(app, "bridge", "Let words find pictures by looks: learn what is called how");
  auto action = std::make_shared<std::string>("show");
  command.option("action", *action, "train, or show how good it is", {.value = "ACTION", .show_default = true});
  command.footer(
      "A bridge is learnt from what the collection's pages say of their pictures. With it words of any language also find pictures whose\n"
      "pages never used them. magpie serve learns it by itself (bridge.train), and again when the collection has grown by half.");
  command.common_flags(common);
  command.runs(common, [&common, action] { return run(common, *action); });
}

}  // namespace magpie::cmd
