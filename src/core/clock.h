#pragma once
// Port: time. Stages ask this, never the system, so that tests decide what time it is.
#include <chrono>

#include "core/records.h"

namespace magpie {

class Clock {
 public:
  virtual ~Clock() = default;
  /// Wall time, for what people and servers see.
  virtual Timestamp now() const = 0;
  /// Time that only moves forward, for delays.
  virtual std::chrono::steady_clock::time_point steady() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }
  std::chrono::steady_clock::time_point steady() const override { return std::chrono::steady_clock::now(); }
};

}  // namespace magpie
