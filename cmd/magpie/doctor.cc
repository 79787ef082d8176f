#include "app/assets.h"
#include "app/collection_bridge.h"
#include "app/pictures.h"
#include "app/text_tower.h"
#include "base/json_writer.h"
#include "browser/browser_process.h"
#include "command.h"
#include "flags.h"
#include "inspect.h"
#include "model/manifest.h"
#include "process/sandbox.h"

namespace magpie::cmd {
namespace {

struct Finding {
  std::string_view what;
  bool good = false;
  std::string words;  // what was found, or what is missing and how to mend it
  bool optional = false;
};

Finding found(std::string_view what, std::string words) { return {what, true, std::move(words)}; }
Finding missing(std::string_view what, const Error& error) { return {what, false, error.message}; }

Finding check_web() {
  const auto folder = asset("web");
  return folder ? found("web app", folder->string()) : missing("web app", folder.error());
}

Finding check_model(const AppSettings& settings) {
  const auto model = find_embedder(settings, nullptr);
  if (!model) return missing("model", model.error());
  const auto manifest = model::load_manifest(model->folder);
  const auto sums = manifest ? model::verify(*manifest) : Result<void>(Failure(manifest.error()));
  return sums ? found("model", model->space + ", checksums right") : missing("model", sums.error());
}

Finding check_sandbox(const AppSettings& settings) {
  const SandboxSupport support = probe_sandbox();
  if (support.seccomp) return found("sandbox", support.words);
  if (!settings.worker.sandbox()) return found("sandbox", "off by worker.sandbox; " + support.words);
  return {"sandbox", false, support.words + "; run on a kernel with seccomp, or accept the risk with --set worker.sandbox=false"};
}

Finding check_worker(const AppSettings& settings) {
  const auto model = find_embedder(settings, nullptr);
  if (!model) return {"worker", false, "not tried, as the model is missing"};
  const auto ready = start_picture_workers(settings, {.model = &*model, .processes = 1})->wait_ready(Deadline::after(40s));
  const auto pages = start_page_workers(settings, nullptr, /*start_at_once=*/true)->wait_ready(Deadline::after(40s));
  if (!pages) return missing("worker", pages.error());
  return ready ? found("worker", "starts, loads the model and locks itself in") : missing("worker", ready.error());
}

Finding check_browser(const AppSettings& settings) {
  if (settings.crawl.render() == "never") return found("browser", "not used: crawl.render is 'never'");
  const auto program = browser::find_browser(settings.crawl.browser());
  if (!program)
    return {"browser", false, program.error().message + "; until then pages that leave all to scripts are taken as they stand",
            settings.crawl.render() == "auto"};
  const auto version = browser::version_of(*program);
  return version ? found("browser", fmt::format("{}, {}", program->string(), *version)) : missing("browser", version.error());
}

Finding check_bridge(const Common& common, const AppSettings& settings) {
  const auto absent = [](std::string words) { return Finding{"bridge", false, words + "; until then words find words alone", true}; };
  const auto folder = CollectionFolder::choose(common.collection, false);
  const auto collection = folder ? Collection::open_to_read(*folder) : Result<std::unique_ptr<Collection>>(Failure(folder.error()));
  if (!collection) return absent("no collection to have one");
  const auto embedder = find_embedder(settings, &(*collection)->catalog());
  if (embedder && text_tower_of(*embedder)) return found("bridge", fmt::format("not needed: {} takes words, too", embedder->space));
  const auto model = find_text_model(settings);
  if (!model) return missing("bridge", model.error());
  if (!*model) return absent(fmt::format("no text model: ./dev setup installs {}", kDefaultTextModel));
  const auto picture_space = embedding_space_of((*collection)->catalog());
  if (!picture_space) return missing("bridge", picture_space.error());
  const auto bridge = CollectionPlacer(**collection, *picture_space, settings, *model, nullptr).bridge();
  if (!bridge) return absent(bridge.error().message);
  const learn::BridgeFacts& facts = (*bridge)->facts();
  return found("bridge",
               fmt::format("words find by looks, too: learnt from {} texts, recall@10 {:.2f} in its trial", facts.pairs, facts.recall));
}

Finding check_collection(const Common& common) {
  const auto folder = CollectionFolder::choose(common.collection, false);
  if (!folder) return missing("collection", folder.error());
  std::error_code error;
  const fs::space_info space = fs::space(folder->path(), error);
  if (!error && space.available < (std::uintmax_t{1} << 30)) {
    return {"collection", false,
            fmt::format("{}: under 1 GB is free on its disk; make room before the next crawl", folder->path().string())};
  }
  if (!fs::exists(folder->catalog(), error)) return found("collection", folder->path().string() + ", nothing crawled yet");
  const auto collection = Collection::open_to_read(*folder);
  return collection ? found("collection", folder->path().string() + ", readable") : missing("collection", collection.error());
}

Result<int> run(const Common& common) {
  AppSettings settings;
  const auto folder = CollectionFolder::choose(common.collection, false);
  MAGPIE_TRY_DO(read_settings(settings, folder ? &*folder : nullptr, common));
  bool well = true;
  for (const Finding& finding : {check_web(), check_model(settings), check_sandbox(settings), check_worker(settings),
                                 check_browser(settings), check_collection(common), check_bridge(common, settings)}) {
    well = well && (finding.good || finding.optional);
    if (common.json) {
      JsonWriter json;
      json.begin_object().field("what", finding.what).field("good", finding.good).field("words", finding.words);
      json.field("optional", finding.optional).end_object();
      print_line(json.text());
    } else {
      fmt::print("{} {:<11} {}\n", finding.good ? "ok     " : finding.optional ? "absent " : "missing", finding.what, finding.words);
    }
  }
  return well ? kDone : kNothing;
}

}  // namespace

void add_doctor(CLI::App& app, Common& common) {
  Subcommand command(app, "doctor", "Check that everything Magpie needs is there, and say how to mend what is not");
  command.common_flags(common);
  command.runs(common, [&common] { return run(common); });
}

}  // namespace magpie::cmd
