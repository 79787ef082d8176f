#include "app/server.h"

#include <thread>

#include "app/assets.h"
#include "app/collection_bridge.h"
#include "app/forget_desk.h"
#include "app/manager.h"
#include "app/model_desk.h"
#include "app/search_service.h"
#include "app/shop_desk.h"
#include "app/text_tower.h"
#include "base/log.h"
#include "net/http_server.h"
#include "search/recall_monitor.h"

namespace magpie {

struct Server::State {
  AppSettings settings;
  SystemClock clock;
  MetricsRegistry metrics;
  AccessOptions access;
  std::vector<std::string> host_names;
  std::optional<PictureModel> text_model;
  std::unique_ptr<Collection> collection;
  std::unique_ptr<Manager> manager;
  std::unique_ptr<ShopDesk> shops;
  RecallMonitor recall{metrics};
  std::unique_ptr<ForgetDesk> forget;
  ServiceDoor door;
  std::unique_ptr<BridgeKeeper> bridge;  // made and ended by the thread that starts the server, then by the one that changes its model
  std::unique_ptr<ModelDesk> models;
  std::unique_ptr<HttpServer> http;  // last: ends first

  Result<std::shared_ptr<SearchService>> make_service(std::shared_ptr<embedded::Index> index, std::shared_ptr<PictureWorkers> workers);
  void open(std::shared_ptr<SearchService> service);
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

Result<std::shared_ptr<SearchService>> Server::State::make_service(std::shared_ptr<embedded::Index> index,
                                                                   std::shared_ptr<PictureWorkers> workers) {
  auto service = std::make_shared<SearchService>();
  service->index = std::move(index);
  service->workers = std::move(workers);
  const std::optional<PictureModel>& model = service->workers->model;
  MAGPIE_TRY(service->placer, words_placer(*collection, model, settings, &metrics));
  service->searcher =
      std::make_unique<Searcher>(service->index->text(), service->index->vectors(), settings.search, &recall, service->placer.get());
  ApiOptions options;
  options.version = MAGPIE_VERSION;
  options.embedding_space = model ? model->space : std::string();
  options.openapi_yaml = openapi_text();
  options.web_folder = web_folder();
  options.host_names = host_names;
  options.access = access;
  options.ready = [this] { return manager->healthy(); };
  service->api = std::make_unique<Api>(
      ApiPorts{collection->catalog(), collection->archive(), collection->variants(), service->index->text(), *service->searcher, *manager,
               *shops, *manager, *forget, *models, service->workers->pictures, metrics, clock},
      std::move(options));
  return service;
}

void Server::State::open(std::shared_ptr<SearchService> service) {
  const std::optional<PictureModel> model = service->workers->model;
  door.open(std::move(service));
  bridge.reset();
  if (text_model && settings.bridge.train() && !(model && text_tower_of(*model)))
    bridge = std::make_unique<BridgeKeeper>(*collection, settings, *text_model);
}

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
Server::~Server() { stop(); }

Result<std::unique_ptr<Server>> Server::start(const CollectionFolder& folder, const AppSettings& settings,
                                              std::vector<std::string> host_names) {
  auto state = std::make_unique<State>();
  state->settings = settings;
  MAGPIE_TRY(state->access, access_of(folder, settings.server));
  MAGPIE_TRY(state->collection, Collection::open_to_manage(folder));
  MAGPIE_TRY(state->manager, Manager::start(*state->collection, state->settings, state->clock, state->metrics,
                                            {.shops = true, .resume = true, .revisits = true, .at_once = true}));
  state->host_names = std::move(host_names);
  MAGPIE_TRY(state->text_model, find_text_model(settings));
  state->shops = std::make_unique<ShopDesk>(*state->collection, *state->manager, state->settings, state->clock);
  state->forget = std::make_unique<ForgetDesk>(*state->manager);
  const auto prepare = [raw = state.get()](auto index, auto workers) -> Result<std::function<void()>> {
    MAGPIE_TRY(auto service, raw->make_service(std::move(index), std::move(workers)));
    return [raw, service = std::move(service)] { raw->open(service); };
  };
  state->models = std::make_unique<ModelDesk>(*state->manager, state->settings, prepare);
  MAGPIE_TRY(auto service, state->make_service(state->collection->index(), state->manager->picture_workers()));
  state->open(std::move(service));
  HttpServerOptions http;
  http.address = settings.server.host();
  http.port = static_cast<std::uint16_t>(settings.server.port());
  http.unix_socket = folder.socket().string();
  http.body_bytes_max = Api::kBodyBytesMax;
  http.handler_threads = settings.server.threads() > 0 ? static_cast<std::size_t>(settings.server.threads())
                                                       : std::max(4u, std::thread::hardware_concurrency());
  auto started = HttpServer::start(std::move(http), state->door);
  if (!started && started.error().code == Code::kBusy) return fail(Code::kBusy, "{}; choose another with --port", started.error().message);
  MAGPIE_TRY(state->http, std::move(started));
  return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::string Server::address() const { return fmt::format("http://{}:{}/", state_->settings.server.host(), state_->http->port()); }

void Server::stop() {
  state_->models->request_stop();
  state_->door.close_streams();
  state_->http->stop(Deadline::after(10s));
}

}  // namespace magpie
