#include "command.h"

namespace magpie::cmd {

void add_init(CLI::App& app, Common& common) {
  CLI::App* command = app.add_subcommand("init", "Make a collection: the folder that holds all that is crawled");
  auto path = std::make_shared<std::string>(".");
  command->add_option("folder", *path, "Where; the current folder by default")->type_name("DIR");
  command->callback([&common, path] {
    const auto folder = CollectionFolder::create(*path);
    if (!folder) {
      common.exit_code = report(folder.error());
      return;
    }
    fmt::print(stderr, "Made a collection in {}.\nNext: magpie crawl --collection {} --agent NAME https://…\n", folder->path().string(),
               *path);
  });
}

}  // namespace magpie::cmd
