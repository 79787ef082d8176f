#include "index/typos.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/utf8.h"

namespace magpie::index {
namespace {

constexpr std::size_t kCharactersMax = 32;  // longer words are not guessed

std::u32string characters_of(std::string_view text) {
  std::u32string characters;
  for (std::size_t at = 0; at < text.size();) characters += next_code_point(text, at);
  return characters;
}

bool has_digit(std::string_view term) {
  return std::ranges::any_of(term, [](char c) { return c >= '0' && c <= '9'; });
}

struct Meant {
  std::size_t edits = 0;
  std::uint64_t documents = 0;
};

}  // namespace

std::size_t edits_between(std::u32string_view a, std::u32string_view b, std::size_t most) {
  if (std::max(a.size(), b.size()) - std::min(a.size(), b.size()) > most || std::max(a.size(), b.size()) > kCharactersMax) return most + 1;
  // Three rows of the usual table: before the last one, the last one, and the one being made.
  std::array<std::array<std::size_t, kCharactersMax + 1>, 3> rows;
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto &now = rows[i % 3], &last = rows[(i + 2) % 3], &before = rows[(i + 1) % 3];
    now[0] = i;
    std::size_t least = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) now[j] = std::min(now[j], before[j - 2] + 1);
      least = std::min(least, now[j]);
    }
    if (least > most) return most + 1;
  }
  return std::min(rows[a.size() % 3][b.size()], most + 1);
}

std::optional<std::string> meant_by(const Snapshot& snapshot, std::string_view term) {
  const std::u32string typed = characters_of(term);
  if (typed.size() < kTypoMin || typed.size() > kCharactersMax || has_digit(term)) return std::nullopt;
  const std::size_t most = typed.size() < kTwoTyposMin ? 1 : 2;
  const std::string_view first = term.substr(0, utf8_sequence_length(term));
  std::map<std::string, Meant, std::less<>> candidates;
  for (const auto& state : snapshot.segments) {
    const StringTable& terms = state->segment->terms;
    for (std::uint32_t i = terms.not_below(first); i < terms.size() && terms[i].starts_with(first); ++i) {
      const std::string_view known = terms[i];
      if (known.size() + most < typed.size()) continue;  // bytes are no fewer than characters
      const std::size_t edits = edits_between(typed, characters_of(known), most);
      if (edits > most || has_digit(known)) continue;
      Meant& meant = candidates.try_emplace(std::string(known)).first->second;
      meant.edits = edits;
      meant.documents += state->live_documents_with(i);
    }
  }
  std::erase_if(candidates, [](const auto& one) { return one.second.documents == 0; });
  const auto best = std::ranges::min_element(candidates, [](const auto& a, const auto& b) {
    return a.second.edits != b.second.edits ? a.second.edits < b.second.edits : a.second.documents > b.second.documents;
  });
  return best == candidates.end() ? std::nullopt : std::optional(best->first);
}

}  // namespace magpie::index
