#include <malloc.h>

#include "app/server.h"
#include "base/log.h"
#include "command.h"
#include "flags.h"
#include "signals.h"

namespace magpie::cmd {
namespace {

struct ServeFlags {
  std::string host;
  std::int64_t port = 0;
  std::vector<std::string> names;
};

// glibc gives memory at the end of a heap back to the kernel at each 128 KB and fetches it again for the next answers: a tenth of what
// they cost (tools/bench_http.py). Setting that alone would have it map and unmap each block of 128 KB, such as a search's scores, anew.
void keep_freed_memory() {
  ::mallopt(M_MMAP_THRESHOLD, 16 << 20);
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
}

Result<int> run(const Common& common, const ServeFlags& flags) {
  keep_freed_memory();
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, &folder, common));
  if (!flags.host.empty()) settings.server.host.value = flags.host;
  if (flags.port != 0) settings.server.port.value = flags.port;
  StopSignals signals;
  MAGPIE_TRY(const auto server, Server::start(folder, settings, flags.names));
  fmt::print(stderr, "Serving {}\nOpen    {}\nStop    Ctrl-C; a running crawl goes on with the next start\n", folder.path().string(),
             server->address());
  while (!signals.wait(Deadline::after(24h))) {}
  log::info("server.stopping");
  server->stop();
  return kDone;
}

}  // namespace

void add_serve(CLI::App& app, Common& common) {
  Subcommand command(app, "serve", "Serve the web app and the HTTP API, and run crawls");
  auto flags = std::make_shared<ServeFlags>();
  command.option("--port", flags->port, "Port (setting serve.port, 8080)", {.least = 1, .most = 65535});
  command.option("--host,--bind", flags->host, "Address to listen on (setting serve.host, 127.0.0.1)");
  command.option("--name", flags->names, "A further host name the server is reached by; others are refused",
                 {.value = "NAME", .one_each = true});
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
