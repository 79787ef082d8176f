#pragma once
// Counts that an operator scrapes: counters, gauges and histograms in the Prometheus text format 0.0.4. Names follow that
// project's rules: magpie_<part>_<what>_<unit>[_total]. Handles live as long as the registry; updating one is an atomic add.
#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/guarded.h"

namespace magpie {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// Seconds, in fixed buckets from 1 ms to 60 s.
class Histogram {
 public:
  static constexpr std::array<double, 15> kBounds = {.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60};
  void observe(double seconds);

 private:
  friend class MetricsRegistry;
  std::array<std::atomic<std::uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<double> sum_{0};
};

/// Thread-safe. One per program, made by `app` and passed down.
class MetricsRegistry {
 public:
  /// The same name and labels give the same handle. `labels` as in `cause="dns",host="a.test"`, already escaped; may be empty.
  Counter& counter(std::string_view name, std::string_view help, std::string_view labels = "");
  Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels = "");
  Histogram& histogram(std::string_view name, std::string_view help, std::string_view labels = "");
  /// The whole page for GET /metrics.
  std::string text() const;

 private:
  struct Family {
    std::string help, type;
    std::map<std::string, std::size_t, std::less<>> by_labels;  // labels -> place in the deque of its type
  };
  struct State {
    std::map<std::string, Family, std::less<>> families;
    std::deque<Counter> counters;
    std::deque<Gauge> gauges;
    std::deque<Histogram> histograms;
  };
  mutable Guarded<State> state_;
};

}  // namespace magpie
