#pragma once
// Where the sites of a crawl show the fields of their products, added up over their pages (extract/field_selectors.h): what each page with
// markup said of it comes in, what the others are read by goes out.
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/catalog.h"
#include "core/records.h"

namespace magpie::pipeline {

/// Not thread-safe.
class SiteSelectors {
 public:
  /// A selector is trusted once so many pages agreed with it, and nine for each that did not.
  static constexpr std::uint32_t kAgreedMin = 3;
  static constexpr std::uint32_t kAgreedShare = 9;
  /// Pages of a site that are asked; later ones only now and then, to learn of a new design.
  static constexpr std::uint32_t kPagesAsked = 30;
  static constexpr std::uint32_t kAskedLater = 16;   // one in so many
  static constexpr std::size_t kSelectorsMax = 200;  // of a host; those of a field that agreed least go first
  static constexpr std::size_t kCandidatesMax = 32;
  static constexpr std::size_t kTrialsMax = 100;    // of a page; further ones are not looked at
  static constexpr std::size_t kHostsMax = 20'000;  // further ones are read without

  /// `load` gives what earlier crawls learnt of a host; called once for each.
  explicit SiteSelectors(std::function<std::vector<LearntSelector>(const std::string&)> load) : load_(std::move(load)) {}

  struct Lesson {
    std::vector<FieldSelector> trusted;     // the most agreed with first, at most two of a field (of availability sixteen)
    std::vector<FieldSelector> candidates;  // for a page that is asked: those that agreed once at least, so that their misses count, too
    std::uint32_t edition = 0;              // grows when others are trusted; 0: none are
    bool learns = false;                    // the next page is to be asked
  };
  /// For the next page of the host.
  Lesson lesson(const std::string& host);
  /// What a page said.
  void note(const std::string& host, const std::vector<SelectorTrial>& trials);
  /// Of the selectors that are trusted now.
  std::uint32_t edition(const std::string& host);

  /// Hosts of which something was learnt since the last call, with all that is known of them.
  std::vector<std::pair<std::string, std::vector<LearntSelector>>> take_news();

 private:
  struct Counts {
    std::uint32_t agreed = 0, disagreed = 0;
    bool trusted() const { return agreed >= kAgreedMin && agreed >= kAgreedShare * disagreed; }
  };
  struct Site {
    std::map<FieldSelector, Counts> selectors;
    std::vector<FieldSelector> trusted;
    std::uint32_t asked = 0, passed = 0;  // pages
    std::uint32_t edition = 0;
    bool news = false;
  };
  Site* find(const std::string& host);
  static void choose(Site& site);
  static std::vector<FieldSelector> candidates_of(const Site& site);
  static void forget_least(Site& site);

  std::function<std::vector<LearntSelector>(const std::string&)> load_;
  std::unordered_map<std::string, Site> sites_;
};

/// With what the catalog has, which must outlive the object. An error of it is no more than ignorance.
SiteSelectors selectors_from(const Catalog& catalog);

}  // namespace magpie::pipeline
