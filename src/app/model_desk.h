#pragma once
// The change of the model as the API asks for it (serve/model_control.h): one at a time, on a thread of its own.
#include <functional>
#include <map>
#include <thread>

#include "app/manager.h"
#include "base/guarded.h"
#include "serve/model_control.h"

namespace magpie {

class ModelDesk final : public ModelControl {
 public:
  /// The manager and the settings must outlive it. `prepare` as ModelChangeOptions has it.
  ModelDesk(Manager& manager, const AppSettings& settings, decltype(ModelChangeOptions::prepare) prepare)
      : manager_(manager), settings_(settings), prepare_(std::move(prepare)) {}
  /// Stops a change under way and waits for it, some seconds at most.
  ~ModelDesk() override = default;
  /// Begins to stop it; does not wait.
  void request_stop();

  Result<ModelChangeView> change_model(const std::string& model, bool dry_run) override;
  Result<ModelChangeView> model_change(ModelChangeId id) override;
  Result<ModelChangeView> cancel_model_change(ModelChangeId id) override;

 private:
  static constexpr std::size_t kKeptMax = 16;
  struct State {
    std::map<ModelChangeId, ModelChangeView> views;
    ModelChangeId last = 0;
  };
  Result<void> check_unnamed(const std::string& model) const;
  void run(ModelChangeId id, const ModelChangeOptions& options, const std::stop_token& stop);

  Manager& manager_;
  const AppSettings& settings_;
  const decltype(ModelChangeOptions::prepare) prepare_;
  Guarded<State> state_;
  Guarded<std::jthread> thread_;  // last: ends first
};

/// What somebody has to do by hand once the collection's vectors are of `model`; nothing as a rule.
std::optional<std::string> left_to_do(const AppSettings& settings, const std::string& model);

}  // namespace magpie
