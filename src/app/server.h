#pragma once
// `magpie serve`: the manager of a collection with the HTTP API and the web app in front, on TCP and on the collection's socket.
#include <memory>
#include <string>
#include <vector>

#include "app/app_settings.h"
#include "app/collection_folder.h"
#include "base/result.h"

namespace magpie {

class Server {
 public:
  /// kBusy when another process manages the collection or the port is taken; kNotFound for a missing model.
  /// `host_names`: names besides localhost that requests may be addressed to.
  static Result<std::unique_ptr<Server>> start(const CollectionFolder& folder, const AppSettings& settings,
                                               std::vector<std::string> host_names);
  ~Server();

  /// "http://127.0.0.1:8080/".
  std::string address() const;
  /// Lets requests under way finish, at most ten seconds; then crawls stop and what was fetched is written down.
  void stop();

 private:
  struct State;
  explicit Server(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace magpie
