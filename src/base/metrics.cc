#include "base/metrics.h"

#include <fmt/format.h>

#include "base/check.h"

namespace magpie {
namespace {

template <class State, class Things>
auto& handle(State& state, Things& things, std::string_view type, std::string_view name, std::string_view help, std::string_view labels) {
  auto& family = state.families[std::string(name)];
  if (family.type.empty()) {
    family.type = type;
    family.help = help;
  }
  MAGPIE_CHECK(family.type == type, "metric {} is a {}", name, family.type);
  const auto [entry, fresh] = family.by_labels.try_emplace(std::string(labels), things.size());
  if (fresh) things.emplace_back();
  return things[entry->second];
}

std::string braces(std::string_view labels) { return labels.empty() ? "" : fmt::format("{{{}}}", labels); }

}  // namespace

void Histogram::observe(double seconds) {
  std::size_t bucket = 0;
  while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
  buckets_[bucket].fetch_add(1, std::memory_order_relaxed);
  count_.fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(seconds, std::memory_order_relaxed);
}

Counter& MetricsRegistry::counter(std::string_view name, std::string_view help, std::string_view labels) {
  return state_.with([&](State& s) -> Counter& { return handle(s, s.counters, "counter", name, help, labels); });
}

Gauge& MetricsRegistry::gauge(std::string_view name, std::string_view help, std::string_view labels) {
  return state_.with([&](State& s) -> Gauge& { return handle(s, s.gauges, "gauge", name, help, labels); });
}

Histogram& MetricsRegistry::histogram(std::string_view name, std::string_view help, std::string_view labels) {
  return state_.with([&](State& s) -> Histogram& { return handle(s, s.histograms, "histogram", name, help, labels); });
}

std::string MetricsRegistry::text() const {
  return state_.with([](const State& state) {
    std::string out;
    for (const auto& [name, family] : state.families) {
      out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, family.help, name, family.type);
      for (const auto& [labels, at] : family.by_labels) {
        if (family.type == "counter") {
          out += fmt::format("{}{} {}\n", name, braces(labels), state.counters[at].value());
        } else if (family.type == "gauge") {
          out += fmt::format("{}{} {}\n", name, braces(labels), state.gauges[at].value());
        } else {
          const Histogram& h = state.histograms[at];
          std::uint64_t sum = 0;
          const std::string comma = labels.empty() ? "" : ",";
          for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
            sum += h.buckets_[i].load(std::memory_order_relaxed);
            out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, Histogram::kBounds[i], sum);
          }
          const std::uint64_t count = h.count_.load(std::memory_order_relaxed);
          out += fmt::format("{}_bucket{{{}{}le=\"+Inf\"}} {}\n", name, labels, comma, count);
          out += fmt::format("{}_sum{} {}\n{}_count{} {}\n", name, braces(labels), h.sum_.load(std::memory_order_relaxed), name,
                             braces(labels), count);
        }
      }
    }
    return out;
  });
}

}  // namespace magpie
