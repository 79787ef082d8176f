#pragma once
// What answers requests, all of one index and one model's vectors; and the place where another takes over without a request's being turned
// away.
#include <chrono>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "app/pictures.h"
#include "base/guarded.h"
#include "core/words_placer.h"
#include "embedded/index.h"
#include "search/searcher.h"
#include "serve/api.h"

namespace magpie {

struct SearchService {
  std::shared_ptr<embedded::Index> index;
  std::shared_ptr<PictureWorkers> workers;
  std::unique_ptr<WordsPlacer> placer;
  std::unique_ptr<Searcher> searcher;
  std::unique_ptr<Api> api;
};

/// Thread-safe.
class ServiceDoor final : public HttpHandler {
 public:
  /// Requests that come from now on are `next`'s; those under way are answered by the one that took them. That one ends on a thread of its
  /// own behind the last of them: an index's files may take seconds to remove. One thread at a time opens.
  void open(std::shared_ptr<SearchService> next) {
    auto before = service_.with([&](auto& current) { return std::exchange(current, std::move(next)); });
    if (!before) return;
    before->api->close_streams();
    endings_.emplace_back([before = std::move(before)]() mutable {
      while (before.use_count() > 1) std::this_thread::sleep_for(kLookEvery);  // nobody can take it up any more
      before.reset();
    });
  }
  void close_streams() { current()->api->close_streams(); }

  HttpServerReply answer(HttpServerRequest request) override {
    const auto service = current();
    return service->api->answer(std::move(request));
  }
  HttpServerReply refuse(const HttpServerRequest& head, int status, std::string_view why) override {
    const auto service = current();
    return service->api->refuse(head, status, why);
  }

 private:
  std::shared_ptr<SearchService> current() const {
    return service_.with([](const auto& service) { return service; });
  }
  static constexpr std::chrono::milliseconds kLookEvery{20};
  Guarded<std::shared_ptr<SearchService>> service_;
  std::vector<std::jthread> endings_;  // waited for in the end only: a request may itself wait for whoever opens
};

}  // namespace magpie
