#pragma once
// The HTTP API version 1 (docs/openapi.yaml) and the web application's files, as an HttpHandler. It reads through core's ports and
// asks JobControl and PictureAnalyser for what it may not do itself. Before any route: the Host header (against DNS rebinding) and,
// for requests that are not reads, the Origin (against other sites' pages).
//
//   Api api({.catalog = …, …}, options);            // ports must outlive it
//   MAGPIE_TRY(auto server, HttpServer::start({.port = 8080, .body_bytes_max = Api::kBodyBytesMax}, api));
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/metrics.h"
#include "core/archive.h"
#include "core/catalog.h"
#include "core/clock.h"
#include "core/text_index.h"
#include "core/variants.h"
#include "net/http_server.h"
#include "search/searcher.h"
#include "serve/access_gate.h"
#include "serve/copy_control.h"
#include "serve/forget_control.h"
#include "serve/job_control.h"
#include "serve/model_control.h"
#include "serve/picture_analyser.h"
#include "serve/shop_control.h"

namespace magpie {

/// Everything the API works on; all must outlive the Api.
struct ApiPorts {
  const Catalog& catalog;
  const Archive& archive;
  const VariantStore& variants;
  const TextIndex& text;
  const Searcher& searcher;
  JobControl& jobs;
  ShopControl& shops;
  CopyControl& copies;
  ForgetControl& forget;
  ModelControl& models;
  PictureAnalyser& pictures;
  MetricsRegistry& metrics;
  const Clock& clock;
};

struct ApiOptions {
  std::string version = "0";              // the program's, for /api/v1/stats
  std::string embedding_space{};          // of the vectors that searches use (core/embedder.h); names a picture's model
  std::string openapi_yaml{};             // text of docs/openapi.yaml
  fs::path web_folder{};                  // the built web application; "" or missing: an explanation stands at "/"
  std::vector<std::string> host_names{};  // names besides localhost and plain addresses that the server is reached by, without port
  std::size_t event_streams_max = 64;
  AccessOptions access{};
  /// Asked by /readyz; an error's message is the detail. Not set: always ready.
  std::function<Result<void>()> ready{};
};

class Api final : public HttpHandler {
 public:
  /// Most bytes of a request's body that any route takes: a 20 MiB picture and the form around it.
  static constexpr std::size_t kPictureBytesMax = 20 * 1024 * 1024;
  static constexpr std::size_t kBodyBytesMax = kPictureBytesMax + 64 * 1024;

  /// Reads the web folder into memory and listens to `ports.jobs` until destroyed.
  Api(const ApiPorts& ports, ApiOptions options);
  ~Api() override;

  HttpServerReply answer(HttpServerRequest request) override;
  HttpServerReply refuse(const HttpServerRequest& head, int status, std::string_view why) override;
  /// Closes event streams, so that a server that stops need not wait for them.
  void close_streams();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace magpie
