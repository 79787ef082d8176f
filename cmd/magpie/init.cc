#include "command.h"
#include "flags.h"

namespace magpie::cmd {

void add_init(CLI::App& app, Common& common) {
  Subcommand command(app, "init", "Make a collection: the folder that holds all that is crawled");
  auto path = std::make_shared<std::string>(".");
  command.option("folder", *path, "Where; the current folder by default", {.value = "DIR"});
  command.runs(common, [path]() -> Result<int> {
    MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::create(*path));
    fmt::print(stderr, "Made a collection in {}.\nNext: magpie crawl --collection {} --agent NAME https://…\n", folder.path().string(),
               *path);
    return kDone;
  });
}

}  // namespace magpie::cmd
