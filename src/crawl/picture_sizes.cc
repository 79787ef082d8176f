#include "crawl/picture_sizes.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>
#include <vector>

#include "base/ascii.h"
#include "net/url.h"

namespace magpie::crawl {
namespace {

constexpr std::uint32_t kSideMin = 8, kSideMax = 1'600;  // smaller and larger numbers are no size, or large enough
constexpr std::uint32_t kWordSide = 400;                 // what a picture must have to be more than a "thumb"
constexpr double kLargerBy = 1.1;

constexpr std::array<std::string_view, 16> kSizeNames = {"w",  "h",  "width",   "height",   "wid",      "hei",       "sw",    "sh",
                                                         "mw", "mh", "imwidth", "imheight", "maxwidth", "maxheight", "max-w", "max-h"};
// Mean nothing without a size.
constexpr std::array<std::string_view, 5> kCompanions = {"fit", "crop", "mode", "dpr", "resizemode"};
// A server that signs its addresses refuses any other.
constexpr std::array<std::string_view, 7> kSignatures = {"sig", "signature", "hmac", "token", "x-amz-signature", "hash", "policy"};
constexpr std::array<std::string_view, 9> kExtensions = {"jpg", "jpeg", "png", "webp", "gif", "avif", "bmp", "tif", "heic"};
constexpr std::array<std::string_view, 9> kWords = {"thumb", "thumbnail", "small", "mini", "tn", "medium", "compact", "grande", "preview"};

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& names) {
  const std::string lower = ascii_lowered(text);
  return std::find(names.begin(), names.end(), lower) != names.end();
}

/// All digits, and a size; 0 otherwise.
std::uint32_t side_of(std::string_view digits) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  const bool all = error == std::errc() && end == digits.data() + digits.size();
  return all && digits.size() <= 4 && value >= kSideMin ? value : 0;
}

/// "300x200", "300x", "x200": the larger side; 0 for anything else.
std::uint32_t side_of_pair(std::string_view text) {
  const std::size_t x = text.find_first_of("xX");
  if (x == std::string_view::npos || text.size() < 3) return 0;
  const std::string_view one = text.substr(0, x), other = text.substr(x + 1);
  if (one.empty()) return 0;  // "lenovo-x200.jpg"
  if ((!one.empty() && side_of(one) == 0) || (!other.empty() && side_of(other) == 0)) return 0;
  return std::max(side_of(one), side_of(other));
}

struct Taken {
  std::string rest;  // the address without the size
  std::string way;
  std::uint32_t side = 0;
};

std::string decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    if (text[i] == '%' && i + 2 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 3, value, 16).ptr == text.data() + i + 3) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// "/_next/image?url=%2Flamp.jpg&w=640": the picture that is made smaller stands in the address.
std::optional<Taken> of_wrapper(const Url& url) {
  if (!url.pathname().ends_with("/_next/image")) return std::nullopt;
  std::string_view query = url.search();
  std::uint32_t side = 0;
  std::string inner;
  for (query.remove_prefix(query.empty() ? 0 : 1); !query.empty();) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    if (pair.starts_with("url=")) inner = decoded(pair.substr(4));
    if (pair.starts_with("w=")) side = side_of(pair.substr(2));
  }
  const auto original = Url::parse(inner, url);
  if (inner.empty() || side == 0 || !original) return std::nullopt;
  return Taken{original->href(), "wrapper", side};
}

std::optional<Taken> of_query(const Url& url) {
  std::string_view query = url.search();
  if (query.size() < 2) return std::nullopt;
  query.remove_prefix(1);
  std::vector<std::string_view> kept;
  std::set<std::string> names;
  std::uint32_t side = 0;
  bool any = false;
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::string_view name = pair.substr(0, pair.find('=')), value = pair.substr(std::min(pair.size(), name.size() + 1));
    if (is_one_of(name, kSignatures)) return std::nullopt;
    const std::uint32_t one = is_one_of(name, kSizeNames) ? side_of(value) : name == "size" || name == "resize" ? side_of_pair(value) : 0;
    if (one > 0) {
      any = true;
      side = std::max(side, one);
      names.insert(ascii_lowered(name));
    } else if (!is_one_of(name, kCompanions)) {
      kept.push_back(pair);
    }
  }
  if (!any) return std::nullopt;
  const std::string& href = url.href();
  std::string rest = href.substr(0, href.find('?'));
  for (std::size_t i = 0; i < kept.size(); ++i) rest.append(1, i == 0 ? '?' : '&').append(kept[i]);
  return Taken{std::move(rest), fmt::format("query {}", fmt::join(names, " ")), side};
}

/// Of the name without its extension: what it is without a size at its end.
std::optional<Taken> of_stem(std::string_view stem) {
  if (const std::size_t dot = stem.rfind("._"); dot != std::string_view::npos && dot > 0 && stem.ends_with('_')) {  // "71abc._SX300_"
    std::uint32_t side = 0;
    const std::string_view code = stem.substr(dot);
    for (std::size_t at = 0; at < code.size();) {
      const std::size_t begin = code.find_first_of("0123456789", at);
      if (begin == std::string_view::npos) break;
      const std::size_t end = std::min(code.size(), code.find_first_not_of("0123456789", begin));
      side = std::max(side, side_of(code.substr(begin, end - begin)));
      at = end;
    }
    if (side > 0) return Taken{std::string(stem.substr(0, dot)), "suffix ._#_", side};
  }
  const std::size_t mark = stem.find_last_of("-_");
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  const std::string_view last = stem.substr(mark + 1);
  if (const std::uint32_t side = side_of_pair(last); side > 0)
    return Taken{std::string(stem.substr(0, mark)), fmt::format("suffix {}#x#", stem[mark]), side};
  if (is_one_of(last, kWords))
    return Taken{std::string(stem.substr(0, mark)), fmt::format("suffix {}{}", stem[mark], ascii_lowered(last)), 0};
  return std::nullopt;
}

std::optional<Taken> of_name(const Url& url) {
  const std::string& href = url.href();
  const std::size_t query = std::min(href.size(), href.find('?'));
  const std::size_t slash = href.rfind('/', query), dot = href.rfind('.', query);
  if (slash == std::string::npos || dot == std::string::npos || dot <= slash + 1) return std::nullopt;
  if (!is_one_of(std::string_view(href).substr(dot + 1, query - dot - 1), kExtensions)) return std::nullopt;
  auto stem = of_stem(std::string_view(href).substr(slash + 1, dot - slash - 1));
  if (!stem || stem->rest.empty()) return std::nullopt;
  stem->rest = href.substr(0, slash + 1) + stem->rest + href.substr(dot);
  return stem;
}

/// "w_300,c_fill", "300x200": the larger side; 0 when a part of a path is no such.
std::uint32_t side_of_segment(std::string_view segment) {
  if (const std::uint32_t pair = side_of_pair(segment); pair > 0) return pair;
  std::uint32_t side = 0;
  while (!segment.empty()) {
    const std::string_view one = segment.substr(0, segment.find(','));
    segment.remove_prefix(std::min(segment.size(), one.size() + 1));
    if (one.size() < 3 || one[1] != '_') return 0;  // each is a letter, '_' and what it is set to
    if (one[0] == 'w' || one[0] == 'h') side = std::max(side, side_of(one.substr(2)));
  }
  return side;
}

std::optional<Taken> of_path(const Url& url) {
  const std::string& href = url.href();
  const std::size_t begin = href.find('/', href.find("://") + 3), end = std::min(href.size(), href.find('?'));
  for (std::size_t at = begin; at < end;) {
    const std::size_t next = href.find('/', at + 1);
    if (next == std::string::npos || next >= end) break;  // the name itself is of_name()'s
    const std::string_view segment = std::string_view(href).substr(at + 1, next - at - 1);
    if (const std::uint32_t side = side_of_segment(segment); side > 0)
      return Taken{href.substr(0, at) + href.substr(next), segment.find('_') == std::string_view::npos ? "segment #x#" : "segment w_#",
                   side};
    at = next;
  }
  return std::nullopt;
}

}  // namespace

std::optional<SpeltSize> spelt_size(std::string_view address) {
  const auto url = Url::parse(address);
  if (!url || !url->is_http()) return std::nullopt;
  for (const auto& read : {of_wrapper, of_query, of_name, of_path}) {
    auto taken = read(*url);
    if (!taken) continue;
    if (taken->side >= kSideMax) return std::nullopt;
    const auto original = Url::parse(taken->rest);
    if (!original || original->href() == url->href()) return std::nullopt;
    return SpeltSize{original->href(), fmt::format("{} {}", url->host(), taken->way), taken->side};
  }
  return std::nullopt;
}

PictureSizes::Verdict PictureSizes::Way::verdict() const {
  if (proofs >= kProofs && proofs > disproofs) return Verdict::kLarger;
  return disproofs >= kDisproofs ? Verdict::kNot : Verdict::kUnknown;
}

// What is long ago counts for less, so that a server that has changed is noticed.
void PictureSizes::Way::count(bool proof, std::int64_t today) {
  ++(proof ? proofs : disproofs);
  day = today;
  if (proofs + disproofs < 32) return;
  proofs /= 2;
  disproofs /= 2;
}

// Null when the host has more ways than any honest one.
PictureSizes::Way* PictureSizes::way_of(const std::string& name) {
  if (const auto known = ways_.find(name); known != ways_.end()) return &known->second;
  const std::string host = name.substr(0, name.find(' ') + 1);
  std::size_t of_host = 0;
  for (auto at = ways_.lower_bound(host); at != ways_.end() && at->first.starts_with(host) && of_host < kWaysOfHostMax; ++at) ++of_host;
  if (of_host >= kWaysOfHostMax || ways_.size() >= kWaysMax) return nullptr;
  return &ways_[name];
}

std::optional<std::string> PictureSizes::larger(std::string_view url) {
  auto spelt = spelt_size(url);
  if (!spelt) return std::nullopt;
  if (waiting_.contains(spelt->original)) return std::move(spelt->original);
  Way* way = way_of(spelt->way);
  if (way == nullptr) return std::nullopt;
  const bool room = waiting_.size() < kWaitingMax;
  bool looked_at = false;
  switch (way->verdict()) {
    case Verdict::kNot: return std::nullopt;
    case Verdict::kLarger: looked_at = room && way->asked++ % kAskedLater == 0; break;
    case Verdict::kUnknown:
      if (way->trials >= kTrialsMax || !room) return std::nullopt;
      ++way->trials;
      looked_at = true;
  }
  if (looked_at) waiting_[spelt->original] = {spelt->way, spelt->side};
  return std::move(spelt->original);
}

bool PictureSizes::is_proved(std::string_view way) const {
  const auto known = ways_.find(way);
  return known != ways_.end() && known->second.verdict() == Verdict::kLarger;
}

void PictureSizes::note(std::string_view original, std::uint32_t side, const Sha256& sha256) {
  const auto waiting = waiting_.extract(std::string(original));
  if (waiting.empty()) return;
  const auto found = ways_.find(waiting.mapped().way);
  if (found == ways_.end()) return;
  Way& way = found->second;
  const std::uint32_t spelt = waiting.mapped().side;
  const bool is_larger = spelt == 0 ? side >= kWordSide : side >= kLargerBy * spelt;
  const bool again = way.last && *way.last == sha256;  // one picture for all that it does not have
  way.count(is_larger && !again, today_);
  way.last = sha256;
}

void PictureSizes::note_failure(std::string_view original, Cause cause) {
  const auto waiting = waiting_.extract(std::string(original));
  if (waiting.empty()) return;
  const auto found = ways_.find(waiting.mapped().way);
  if (found == ways_.end()) return;
  constexpr std::array kOfTheAddress = {Cause::kNotFound, Cause::kContentType, Cause::kDecode,  Cause::kStatus,
                                        Cause::kTooLarge, Cause::kRobots,      Cause::kOptedOut};
  if (std::find(kOfTheAddress.begin(), kOfTheAddress.end(), cause) != kOfTheAddress.end()) found->second.count(false, today_);
  else if (found->second.trials > 0) --found->second.trials;
}

std::string PictureSizes::to_text() const {
  std::string text;
  for (const auto& [name, way] : ways_) {
    if (way.verdict() != Verdict::kUnknown) text += fmt::format("{} {} {} {}\n", way.proofs, way.disproofs, way.day, name);
  }
  return text;
}

void PictureSizes::add_text(std::string_view text) {
  while (!text.empty() && ways_.size() < kWaysMax) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::array<std::int64_t, 3> numbers{};
    const char *at = line.data(), *const end = line.data() + line.size();
    bool sound = true;
    for (std::int64_t& number : numbers) {
      const auto read = std::from_chars(at, end, number);
      sound = sound && read.ec == std::errc() && read.ptr != end && *read.ptr == ' ' && number >= 0;
      if (!sound) break;
      at = read.ptr + 1;
    }
    if (!sound || today_ - numbers[2] > kDaysMax) continue;
    Way& way = ways_[std::string(at, end)];
    way.proofs = static_cast<std::uint32_t>(std::min<std::int64_t>(numbers[0], 32));
    way.disproofs = static_cast<std::uint32_t>(std::min<std::int64_t>(numbers[1], 32));
    way.day = numbers[2];
  }
}

}  // namespace magpie::crawl
