// A worker with the analyse stage's handlers only, for the tests of src/analyse. The pool's config is the model's folder.
//   picture_worker --fd N
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
    MAGPIE_TRY_DO(magpie::analyse::add_picture_handlers(handlers, {.model_folder = std::string(config)}));
    return handlers;
  });
}
