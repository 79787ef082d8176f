#include "serve/uploaded_pictures.h"

#include "base/hash.h"

namespace magpie {

std::optional<std::string> UploadedPictures::add(Embedding embedding) {
  const auto now = clock_.steady();
  std::string token = to_hex(random_u64()) + to_hex(random_u64()) + to_hex(random_u64());
  return entries_.with([&](auto& entries) -> std::optional<std::string> {
    // A pass over all only when there is no room; then it makes some, or the server is truly full.
    if (entries.size() >= kCountMax) std::erase_if(entries, [&](const auto& entry) { return now - entry.second.used_at > kKept; });
    if (entries.size() >= kCountMax) return std::nullopt;
    entries.emplace(token, Entry{std::move(embedding), now});
    return std::move(token);
  });
}

std::optional<Embedding> UploadedPictures::find(const std::string& token) {
  const auto now = clock_.steady();
  return entries_.with([&](auto& entries) -> std::optional<Embedding> {
    const auto found = entries.find(token);
    if (found == entries.end()) return std::nullopt;
    if (now - found->second.used_at > kKept) {
      entries.erase(found);
      return std::nullopt;
    }
    found->second.used_at = now;
    return found->second.embedding;
  });
}

}  // namespace magpie
