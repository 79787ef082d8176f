#pragma once
// Vectors of words, by a text network in workers of its own.
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/pictures.h"
#include "base/guarded.h"
#include "base/recent.h"

namespace magpie {

/// The text network that bridge.text_model names; nothing where that is "none", or empty and the one that comes with Magpie is not
/// installed. kNotFound says how to get it, kBadInput what else the model is for.
Result<std::optional<PictureModel>> find_text_model(const AppSettings& settings);
inline constexpr const char* kDefaultTextModel = "multilingual-e5-small";

/// Thread-safe.
class Texts {
 public:
  /// Workers start with the first words. `processes`: 0 follows the setting.
  Texts(const AppSettings& settings, const PictureModel& model, std::size_t processes, MetricsRegistry* metrics);

  /// A vector for each; at most analyse::kTextsMax of them, none empty. Errors: those of WorkerPool::call; kTimeout.
  Result<std::vector<Embedding>> embed(std::span<const std::string> texts, Deadline deadline);
  std::size_t processes() const { return processes_; }

 private:
  std::size_t processes_;
  std::unique_ptr<WorkerPool> workers_;
};

/// Words that people ask for: the vectors of those asked before are kept, the last 1,000 of them. One worker. Thread-safe.
class AskedWords {
 public:
  AskedWords(const AppSettings& settings, const PictureModel& model, MetricsRegistry* metrics);
  /// Errors: those of Texts::embed; kTimeout after 5 s.
  Result<Embedding> embed(std::string_view words) const;

 private:
  std::unique_ptr<Texts> texts_;
  static constexpr std::size_t kVectorsKept = 1'000;
  mutable Guarded<Recent<Embedding>> vectors_{Recent<Embedding>(kVectorsKept)};
};

}  // namespace magpie
