// A worker with the analyse stage's handlers only, for the tests of src/analyse. The pool's config is the embedder's folder, and the
// detector's on a second line.
//   picture_worker --fd N
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "analyse/analyse_picture.h"

int main(int count, char** words) {
  if (count != 3 || std::string(words[1]) != "--fd") {
    std::fprintf(stderr, "usage: %s --fd N\n", words[0]);
    return 2;
  }
  return magpie::run_worker(std::atoi(words[2]), [](std::string_view config) -> magpie::Result<magpie::WorkerHandlers> {
    magpie::WorkerHandlers handlers;
    const std::size_t line = std::min(config.find('\n'), config.size());
    MAGPIE_TRY_DO(magpie::analyse::add_picture_handlers(
        handlers, {.model_folder = config.substr(0, line), .detector_folder = config.substr(std::min(line + 1, config.size()))}));
    return handlers;
  });
}
