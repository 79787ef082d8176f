#include "crawl/focus.h"

#include <algorithm>
#include <utility>

#include "base/ascii.h"
#include "base/hash.h"
#include "core/frontier.h"

namespace magpie::crawl {
namespace {

constexpr std::uint64_t kFine = 1, kCoarse = 2, kWord = 3, kUrl = 4, kPicture = 5;  // seeds, so that keys of different kinds do not meet
constexpr std::uint32_t kMemory = 50;
constexpr std::uint32_t kTimesForShape = 4, kTimesForWord = 6;
constexpr float kWorthy = 0.5F, kWorthless = 0.1F;
constexpr float kYielding = 0.9F;              // by itself: were listings counted, pages that lead to listings would be ones
constexpr std::uint64_t kPagesForWords = 4;    // a site repeats its words, so each fourth page's are looked at
constexpr std::size_t kWordsMax = 6;           // of a link's text
constexpr std::size_t kPicturesOfGallery = 4;  // so many new ones are worth half a product
constexpr std::size_t kLinksOfListing = 12;    // so many worthy links make a listing
constexpr std::size_t kFolderBytesMax = 24;    // longer names are made by machines

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What is common to a shop's 10,000 product names: how they look.
char look_of(std::string_view name) {
  const std::size_t digits = static_cast<std::size_t>(std::count_if(name.begin(), name.end(), is_digit));
  const bool has_hyphen = name.find_first_of("-_+%") != std::string_view::npos;
  if (name.empty()) return '/';
  if (digits == name.size()) return 'n';
  if (digits > 0) return has_hyphen ? 's' : 'm';
  return has_hyphen ? 's' : 'w';
}

bool is_folder_name(std::string_view name) { return name.size() <= kFolderBytesMax && look_of(name) == 'w'; }

// What follows the last dot of a file's name, when it is short.
std::string_view extension_of(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string_view::npos || name.size() - dot > 6 ? std::string_view() : name.substr(dot);
}

void append_query(std::string_view query, std::string& shape) {
  while (!query.empty()) {
    const std::string_view part = query.substr(0, query.find('&'));
    shape += '&';
    shape += part.substr(0, part.find('='));
    query.remove_prefix(std::min(query.size(), part.size() + 1));
  }
}

template <class Use>
void each_word(std::string_view text, Use&& use) {  // in lower case, as far as ASCII goes
  std::size_t count = 0;
  while (!text.empty() && count < kWordsMax) {
    const std::size_t begin = text.find_first_not_of(" \t\r\n.,:;!?()|/");
    if (begin == std::string_view::npos) return;
    text.remove_prefix(begin);
    const std::string_view word = text.substr(0, text.find_first_of(" \t\r\n.,:;!?()|/"));
    text.remove_prefix(word.size());
    if (word.size() < 2 || is_digit(word[0])) continue;
    thread_local std::string lower;
    lower.resize(word.size());
    std::transform(word.begin(), word.end(), lower.begin(), ascii_lower);
    use(lower);
    ++count;
  }
}

std::uint64_t word_key(std::string_view host, std::string_view word) { return signature64(word, signature64(host, kWord)); }

}  // namespace

// By its folders and the look of its name; the coarse one by its first folder and the looks of the rest.
std::uint64_t address_shape(std::string_view url, bool coarse) {
  const std::string_view host = host_of_url(url);
  std::string_view path = url.substr(std::min(url.size(), static_cast<std::size_t>(host.data() + host.size() - url.data())));
  path = path.substr(0, path.find('#'));
  const std::size_t mark = path.find('?');
  const std::string_view query = mark == std::string_view::npos ? std::string_view() : path.substr(mark + 1);
  path = path.substr(0, mark);

  thread_local std::string shape;
  shape.assign(host);
  bool first = true;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const std::string_view name = path.substr(0, path.find('/'));
    path.remove_prefix(name.size());
    const std::string_view extension = path.empty() ? extension_of(name) : std::string_view();
    const std::string_view stem = name.substr(0, name.size() - extension.size());
    shape += '/';
    if (!path.empty() && (first || !coarse) && is_folder_name(stem)) shape += stem;
    else shape += look_of(stem);
    shape += extension;
    first = false;
  }
  append_query(query, shape);
  return signature64(shape, coarse ? kCoarse : kFine);
}

Focus::Focus(std::string_view sooner, std::string_view later) {
  const auto split = [](std::string_view text, auto& into) {
    while (!text.empty()) {
      std::string_view word = text.substr(0, text.find(','));
      text.remove_prefix(std::min(text.size(), word.size() + 1));
      while (word.starts_with(' ')) word.remove_prefix(1);
      while (word.ends_with(' ')) word.remove_suffix(1);
      if (!word.empty()) into.emplace(word);
    }
  };
  split(sooner, sooner_);
  split(later, later_);
}

// What is to be put off counts more: "/blog/dresses" is no dress.
Turn Focus::presumed(const Link& link) const {
  if (sooner_.empty() && later_.empty()) return Turn::kAsEver;
  Turn turn = Turn::kAsEver;
  const auto look = [&](std::string_view word) {
    if (later_.contains(word)) turn = Turn::kLater;
    else if (turn == Turn::kAsEver && sooner_.contains(word)) turn = Turn::kSooner;
  };
  each_word(link.text, look);
  const std::string_view host = host_of_url(link.url);
  std::string path = link.url.substr(std::min(link.url.size(), static_cast<std::size_t>(host.data() + host.size() - link.url.data())));
  each_word(path, look);
  for (char& c : path) c = c == '-' || c == '_' || c == '=' || c == '&' ? ' ' : c;
  each_word(path, look);
  return turn;
}

std::uint8_t priority_at(Turn turn, std::uint8_t otherwise) {
  if (turn == Turn::kAsEver) return otherwise;
  return turn == Turn::kSooner ? 0 : kUrlPriorityLast;
}

std::vector<Turn> Focus::learn(std::string_view url, const PageYield& yield, std::span<const Link> links) {
  std::vector<Turn> turns;
  turns.reserve(links.size());
  std::size_t worthy = 0;
  const bool with_words = pages_++ % kPagesForWords == 0;
  for (const Link& link : links) {
    if (with_words) learn_words(link);
    const Known* shape = known_of(link.url);
    if (shape != nullptr && shape->worth >= kYielding) ++worthy;
    turns.push_back(turn_of(link, shape));
  }
  float worth = 0.5F * static_cast<float>(std::min(count_new(yield.pictures), kPicturesOfGallery)) / kPicturesOfGallery;
  worth = std::max(worth, 0.6F * static_cast<float>(std::min(worthy, kLinksOfListing)) / kLinksOfListing);
  if (yield.products > 0) worth = 1;
  note(address_shape(url, /*coarse=*/false), worth);
  note(address_shape(url, /*coarse=*/true), worth);
  const std::uint64_t key = signature64(url, kUrl);
  seen_[key % seen_.size()] = {key, worth};
  return turns;
}

// A slot that another picture has taken makes one new again; what is on every page is soon back.
std::size_t Focus::count_new(std::span<const ImageRef> pictures) {
  std::size_t count = 0;
  for (const ImageRef& picture : pictures) {
    const std::uint64_t key = signature64(picture.url, kPicture);
    count += std::exchange(pictures_[key % pictures_.size()], key) != key ? 1U : 0U;
  }
  return count;
}

// A link's words are worth what is known of the page they lead to.
void Focus::learn_words(const Link& link) {
  if (link.text.empty()) return;
  const std::uint64_t key = signature64(link.url, kUrl);
  const Seen& seen = seen_[key % seen_.size()];
  if (seen.url != key) return;
  each_word(link.text, [&](std::string_view word) { note(word_key(host_of_url(link.url), word), seen.worth); });
}

Turn Focus::turn_of(const Link& link, const Known* shape) const {
  float worth = 0, of = 0;
  if (shape != nullptr) {
    worth = shape->worth, of = 1;
  } else {
    each_word(link.text, [&](std::string_view word) {
      const Known* known = find(word_key(host_of_url(link.url), word), kTimesForWord);
      if (known != nullptr) worth += known->worth, ++of;
    });
  }
  if (of == 0) return presumed(link);
  if (worth / of >= kWorthy) return Turn::kSooner;
  return worth / of <= kWorthless ? Turn::kLater : Turn::kAsEver;
}

const Focus::Known* Focus::known_of(std::string_view url) const {
  const Known* fine = find(address_shape(url, /*coarse=*/false), kTimesForShape);
  return fine != nullptr ? fine : find(address_shape(url, /*coarse=*/true), kTimesForShape);
}

const Focus::Known* Focus::find(std::uint64_t key, std::uint32_t times_min) const {
  const auto known = known_.find(key);
  return known != known_.end() && known->second.times >= times_min ? &known->second : nullptr;
}

void Focus::note(std::uint64_t key, float worth) {
  if (known_.size() >= kKnownMax && !known_.contains(key)) make_room();
  Known& known = known_[key];
  ++known.times;
  known.worth += (worth - known.worth) / static_cast<float>(std::min(known.times, kMemory));
}

void Focus::make_room() {
  std::uint32_t least = 1;
  while (known_.size() > kKnownMax / 2) {
    std::erase_if(known_, [&](const auto& one) { return one.second.times <= least; });
    least *= 4;
  }
}

}  // namespace magpie::crawl
