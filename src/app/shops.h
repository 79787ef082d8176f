#pragma once
// Shops as jobs: what a collection crawls again and again, each a YAML file in its folder `shops`, which commands write and people edit.
//   COLLECTION/shops/shop.example.yaml
//     address: https://shop.example/
//     profile: fashion          # one of 'magpie shop profiles', or a file of your own
//     state: active             # queued, active, paused, inactive
//     schedule: {every: 1d}     # or {at: ["06:00", "18:00"]}; none: once
//     render: auto              # as crawl.render; all below may be left out
//     delay: 2s
//     max_pages: 5000
// How a shop stands is read off its crawls in the catalog; nothing else is kept.
#include <optional>
#include <string>
#include <vector>

#include "base/files.h"
#include "core/catalog.h"
#include "net/url.h"
#include "serve/shop_control.h"

namespace magpie {

/// The shop with the change, judged: kBadInput names the key and what may stand there. A profile is a word here: load_profile() knows it.
Result<Shop> changed(Shop shop, const ShopChange& change);

/// By its host: "shop.example" for https://www.shop.example/de.
std::string shop_name(const Url& address);
/// kBadInput for what cannot be a file's name: other than 1 to 100 letters, digits, '.', '-' and '_', or '.' in front.
Result<void> check_shop_name(const std::string& name);
/// {"6:00", "18:30"} as minutes, in order; kBadInput for what are no times.
Result<std::vector<int>> parse_times_of_day(const std::vector<std::string>& texts);
/// "6:00, 18:30" in its parts.
std::vector<std::string> split_times(std::string_view text);
/// "every 1d", "at 06:00, 18:00", "once".
std::string schedule_text(const Shop& shop);

/// The files of a collection's folder `shops`. A value; what it gives is what lies there now.
class ShopFolder {
 public:
  explicit ShopFolder(fs::path folder) : folder_(std::move(folder)) {}
  /// By name. Files that do not read are left out and named in `problems`.
  std::vector<Shop> all(std::vector<std::string>* problems = nullptr) const;
  /// kNotFound names what there is; kBadInput names file and key.
  Result<Shop> load(const std::string& name) const;
  /// save() of one that is not there yet: kBusy when it is, or another has its address; kBadInput for a name that is none.
  Result<void> add(const Shop& shop) const;
  /// Writes the whole file anew, at once.
  Result<void> save(const Shop& shop) const;
  Result<void> remove(const std::string& name) const;

 private:
  fs::path folder_;
};

/// The message of a crawl that was stopped as its shop is not active any more.
inline constexpr const char* kPaused = "its shop was paused";

/// The shop's crawls are those with its address as only seed; the newest, or nothing. `jobs` newest first.
std::optional<Job> newest_job(const Shop& shop, const std::vector<Job>& jobs);

/// When the shop is to be crawled next, should it be active: now or earlier for one that is due, nothing for one that is done. One that was
/// paused is due at once; one that failed, or that somebody cancelled, an hour behind its end.
std::optional<Timestamp> next_crawl(const Shop& shop, const std::optional<Job>& newest, Timestamp now);

/// Its crawl's options.
CrawlOptions crawl_options(const Shop& shop);

}  // namespace magpie
