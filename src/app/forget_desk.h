#pragma once
// Forgetting as the API asks for it (serve/forget_control.h): one at a time, on a thread of its own.
#include <map>
#include <thread>

#include "app/manager.h"
#include "base/guarded.h"
#include "serve/forget_control.h"

namespace magpie {

class ForgetDesk final : public ForgetControl {
 public:
  /// The manager must outlive it.
  explicit ForgetDesk(Manager& manager) : manager_(manager) {}
  /// Waits for what is being forgotten.
  ~ForgetDesk() override = default;

  Result<ForgetReport> preview(const ForgetTarget& target) override;
  Result<ForgetView> forget(const ForgetTarget& target) override;
  Result<std::uint64_t> allow(const ForgetTarget& target) override { return manager_.allow_again(target); }
  Result<ForgetView> forgetting(ForgetId id) override;

 private:
  static constexpr std::size_t kKeptMax = 16;
  struct State {
    std::map<ForgetId, ForgetView> views;
    ForgetId last = 0;
  };
  void run(ForgetId id, const ForgetTarget& target);

  Manager& manager_;
  Guarded<State> state_;
  Guarded<std::jthread> thread_;  // last: ends first
};

}  // namespace magpie
