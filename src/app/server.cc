#include "app/server.h"

#include <thread>

#include "app/assets.h"
#include "app/collection_bridge.h"
#include "app/forget_desk.h"
#include "app/manager.h"
#include "app/shop_desk.h"
#include "app/text_tower.h"
#include "base/log.h"
#include "net/http_server.h"
#include "search/recall_monitor.h"
#include "search/searcher.h"
#include "serve/api.h"

namespace magpie {

struct Server::State {
  AppSettings settings;
  SystemClock clock;
  MetricsRegistry metrics;
  std::unique_ptr<Collection> collection;
  std::unique_ptr<Manager> manager;
  std::unique_ptr<ShopDesk> shops;
  RecallMonitor recall{metrics};
  std::unique_ptr<ForgetDesk> forget;
  std::unique_ptr<WordsPlacer> placer;
  std::unique_ptr<Searcher> searcher;
  std::unique_ptr<BridgeKeeper> bridge;
  std::unique_ptr<Api> api;
  std::unique_ptr<HttpServer> http;  // last: ends first
};

namespace {

/// The folder of the web app, or nothing when it was not built: the API serves without it and says so at "/".
fs::path web_folder() {
  const auto folder = asset("web");
  if (!folder) log::warn("server.no_web_app", {{"why", folder.error().message}});
  return folder ? *folder : fs::path();
}

bool is_loopback(const std::string& host) { return host == "::1" || host == "localhost" || host.starts_with("127."); }

/// Who listens to the network says who may ask.
Result<AccessOptions> access_of(const CollectionFolder& folder, const ServerSettings& settings) {
  AccessOptions access{.key_file = folder.keys(),
                       .keys_needed = settings.keys() || !is_loopback(settings.host()),
                       .open_to_read = settings.open(),
                       .limit = {.per_second = static_cast<double>(settings.rate()), .burst = static_cast<double>(settings.burst())}};
  if (!access.keys_needed) return access;
  MAGPIE_TRY(const std::vector<AccessKey> keys, AccessKeys(access.key_file).list());
  if (!keys.empty() || access.open_to_read) return access;
  return fail(
      Code::kForbidden,
      "{} is for others to ask, and there is no key yet: make one with 'magpie keys add NAME --scope manage', or let anybody read with "
      "--set serve.open=true",
      settings.host());
}

std::string openapi_text() {
  const auto file = asset("openapi.yaml");
  const auto text = file ? read_file(*file, 4 << 20) : Result<std::string>(std::string());
  return text ? *text : std::string();
}

}  // namespace

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(const CollectionFolder& folder, const AppSettings& settings,
                                              std::vector<std::string> host_names) {
  auto state = std::make_unique<State>();
  state->settings = settings;
  MAGPIE_TRY(AccessOptions access, access_of(folder, settings.server));
  MAGPIE_TRY(state->collection, Collection::open_to_manage(folder));
  MAGPIE_TRY(state->manager, Manager::start(*state->collection, state->settings, state->clock, state->metrics,
                                            {.shops = true, .resume = true, .revisits = true, .at_once = true}));
  Collection& collection = *state->collection;
  state->shops = std::make_unique<ShopDesk>(collection, *state->manager, state->settings, state->clock);
  state->forget = std::make_unique<ForgetDesk>(*state->manager);
  MAGPIE_TRY(const PictureModel model, find_embedder(settings, &collection.catalog()));
  MAGPIE_TRY(state->placer, words_placer(collection, state->settings, &state->metrics));
  MAGPIE_TRY(const auto text_model, find_text_model(settings));
  if (text_model && settings.bridge.train() && !text_tower_of(model))
    state->bridge = std::make_unique<BridgeKeeper>(collection, state->settings, *text_model);
  state->searcher =
      std::make_unique<Searcher>(collection.text(), collection.vectors(), state->settings.search, &state->recall, state->placer.get());
  ApiOptions options;
  options.version = MAGPIE_VERSION;
  options.embedding_space = model.space;
  options.openapi_yaml = openapi_text();
  options.web_folder = web_folder();
  options.host_names = std::move(host_names);
  options.access = std::move(access);
  options.ready = [manager = state->manager.get()] { return manager->healthy(); };
  state->api = std::make_unique<Api>(
      ApiPorts{collection.catalog(), collection.archive(), collection.variants(), collection.text(), *state->searcher, *state->manager,
               *state->shops, *state->manager, *state->forget, state->manager->pictures(), state->metrics, state->clock},
      std::move(options));
  HttpServerOptions http;
  http.address = settings.server.host();
  http.port = static_cast<std::uint16_t>(settings.server.port());
  http.unix_socket = folder.socket().string();
  http.body_bytes_max = Api::kBodyBytesMax;
  http.handler_threads = settings.server.threads() > 0 ? static_cast<std::size_t>(settings.server.threads())
                                                       : std::max(4u, std::thread::hardware_concurrency());
  auto started = HttpServer::start(std::move(http), *state->api);
  if (!started && started.error().code == Code::kBusy) return fail(Code::kBusy, "{}; choose another with --port", started.error().message);
  MAGPIE_TRY(state->http, std::move(started));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::string Server::address() const { return fmt::format("http://{}:{}/", state_->settings.server.host(), state_->http->port()); }

void Server::stop() {
  state_->api->close_streams();
  state_->http->stop(Deadline::after(10s));
}

}  // namespace magpie
