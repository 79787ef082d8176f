#include "base/json_writer.h"
#include "command.h"
#include "flags.h"
#include "inspect.h"

namespace magpie::cmd {
namespace {

void print_text(const SettingsRegistry::Explained& setting) {
  fmt::print("{} = {}\n    {}\n    default {}{}; environment {}\n", setting.key, setting.value.empty() ? "\"\"" : setting.value,
             setting.sentence, setting.preset.empty() ? "\"\"" : setting.preset,
             setting.bounds.empty()
                 ? ""
                 : fmt::format(", {} {}", setting.bounds.find(" | ") == std::string::npos ? "from" : "one of", setting.bounds),
             setting.environment);
}

void print_json(const SettingsRegistry::Explained& setting) {
  JsonWriter json;
  json.begin_object()
      .field("key", setting.key)
      .field("value", setting.value)
      .field("default", setting.preset)
      .field("bounds", setting.bounds);
  json.field("sentence", setting.sentence).field("environment", setting.environment).end_object();
  print_line(json.text());
}

Result<void> run(const Common& common, bool explain) {
  AppSettings settings;
  const auto folder = common.collection.empty() ? CollectionFolder::find() : CollectionFolder::open(common.collection);
  if (!folder && !common.collection.empty()) return Failure(folder.error());
  MAGPIE_TRY_DO(read_settings(settings, folder ? &*folder : nullptr, common));
  SettingsRegistry registry;
  settings.add_to(registry);
  for (const auto& setting : registry.explain()) {
    if (common.json) print_json(setting);
    else if (explain) print_text(setting);
    else fmt::print("{} = {}\n", setting.key, setting.value);
  }
  return {};
}

}  // namespace

void add_config(CLI::App& app, Common& common) {
  Subcommand command(app, "config", "Show every setting with its value, here and now");
  auto explain = std::make_shared<bool>(false);
  command.flag("--explain", *explain, "Also what it means, its default, bounds and environment variable");
  command.common_flags(common);
  command.runs(common, [&common, explain]() -> Result<int> {
    MAGPIE_TRY_DO(run(common, *explain));
    return kDone;
  });
}

}  // namespace magpie::cmd
