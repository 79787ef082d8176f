#include "pipeline/site_selectors.h"

#include <algorithm>
#include <functional>
#include <span>

namespace magpie::pipeline {
namespace {

// A worker has read foreign bytes.
bool is_sound(const FieldSelector& selector) {
  return selector.path.size() <= FieldSelector::kPathBytesMax && selector.words.size() <= FieldSelector::kWordsBytesMax &&
         selector.field.size() <= 16 && selector.value.size() <= 32;
}

std::size_t count_max(std::string_view field) { return field == "availability" ? 16 : 2; }

}  // namespace

SiteSelectors::Site* SiteSelectors::find(const std::string& host) {
  if (const auto known = sites_.find(host); known != sites_.end()) return &known->second;
  if (sites_.size() >= kHostsMax) return nullptr;
  Site& site = sites_[host];
  for (LearntSelector& one : load_(host)) {
    site.asked = std::max(site.asked, one.agreed + one.disagreed);
    site.selectors.emplace(std::move(one.selector), Counts{one.agreed, one.disagreed});
  }
  choose(site);
  return &site;
}

SiteSelectors::Lesson SiteSelectors::lesson(const std::string& host) {
  Site* site = find(host);
  if (site == nullptr) return {};
  const bool learns = site->asked < kPagesAsked || ++site->passed % kAskedLater == 0;
  return {site->trusted, learns ? candidates_of(*site) : std::vector<FieldSelector>(), site->edition, learns};
}

std::vector<FieldSelector> SiteSelectors::candidates_of(const Site& site) {
  std::vector<std::pair<std::uint32_t, const FieldSelector*>> agreed;
  for (const auto& [selector, counts] : site.selectors) {
    if (counts.agreed > 0 && counts.agreed >= counts.disagreed && !counts.trusted()) agreed.emplace_back(counts.agreed, &selector);
  }
  std::stable_sort(agreed.begin(), agreed.end(), [](const auto& one, const auto& other) { return one.first > other.first; });
  std::vector<FieldSelector> candidates;
  for (std::size_t i = 0; i < std::min(agreed.size(), kCandidatesMax); ++i) candidates.push_back(*agreed[i].second);
  return candidates;
}

void SiteSelectors::note(const std::string& host, const std::vector<SelectorTrial>& trials) {
  Site* site = trials.empty() ? nullptr : find(host);
  if (site == nullptr) return;
  ++site->asked;
  site->news = true;
  for (const SelectorTrial& trial : std::span(trials).first(std::min(trials.size(), kTrialsMax))) {
    if (!is_sound(trial.selector)) continue;
    Counts& counts = site->selectors[trial.selector];
    ++(trial.agrees ? counts.agreed : counts.disagreed);
  }
  if (site->selectors.size() > kSelectorsMax) forget_least(*site);
  choose(*site);
}

std::uint32_t SiteSelectors::edition(const std::string& host) {
  const Site* site = find(host);
  return site == nullptr ? 0 : site->edition;
}

void SiteSelectors::choose(Site& site) {
  std::vector<std::pair<std::uint32_t, const FieldSelector*>> trusted;
  for (const auto& [selector, counts] : site.selectors) {
    if (counts.trusted()) trusted.emplace_back(counts.agreed, &selector);
  }
  std::stable_sort(trusted.begin(), trusted.end(), [](const auto& one, const auto& other) { return one.first > other.first; });
  std::map<std::string_view, std::size_t> of_field;
  std::vector<FieldSelector> chosen;
  for (const auto& [agreed, selector] : trusted) {
    if (++of_field[selector->field] <= count_max(selector->field)) chosen.push_back(*selector);
  }
  if (!std::is_permutation(chosen.begin(), chosen.end(), site.trusted.begin(), site.trusted.end())) ++site.edition;
  site.trusted = std::move(chosen);
}

// Field by field, so that one that every page names anew drives out no other. Down to half, so that it is rare.
void SiteSelectors::forget_least(Site& site) {
  constexpr std::size_t kOfField = kSelectorsMax / 14;
  std::map<std::string_view, std::vector<std::uint32_t>> agreed;
  for (const auto& [selector, counts] : site.selectors) agreed[selector.field].push_back(counts.agreed);
  std::map<std::string, std::uint32_t, std::less<>> least;  // to stay
  for (auto& [field, counts] : agreed) {
    if (counts.size() <= kOfField) continue;
    std::nth_element(counts.begin(), counts.begin() + kOfField, counts.end(), std::greater<>());
    least.emplace(field, counts[kOfField] + 1);
  }
  std::erase_if(site.selectors, [&](const auto& one) {
    const auto stays = least.find(one.first.field);
    return stays != least.end() && one.second.agreed < stays->second;
  });
}

std::vector<std::pair<std::string, std::vector<LearntSelector>>> SiteSelectors::take_news() {
  std::vector<std::pair<std::string, std::vector<LearntSelector>>> news;
  for (auto& [host, site] : sites_) {
    if (!std::exchange(site.news, false)) continue;
    std::vector<LearntSelector> all;
    for (const auto& [selector, counts] : site.selectors) all.push_back({selector, counts.agreed, counts.disagreed});
    news.emplace_back(host, std::move(all));
  }
  return news;
}

SiteSelectors selectors_from(const Catalog& catalog) {
  return SiteSelectors([&catalog](const std::string& host) {
    auto known = catalog.selectors(host);
    return known ? std::move(*known) : std::vector<LearntSelector>();
  });
}

}  // namespace magpie::pipeline
