#pragma once
// Port of this folder: shops that a collection crawls again and again (docs/shops.md), as the API shows and changes them. `app` implements
// it over the collection's files; tests use a small fake.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/settings.h"
#include "core/records.h"
#include "serve/job_control.h"

namespace magpie {

/// Queued: known, and waits for somebody to look at its preview and to activate it. Active: crawled when it is due. Paused: a crawl under
/// way stops, and goes on once it is active again. Inactive: left alone, until it is activated.
enum class ShopState : std::uint8_t { kQueued, kActive, kPaused, kInactive };
/// "queued", "active", "paused", "inactive".
std::string_view to_string(ShopState state);

struct Shop {
  std::string name;     // of its file
  std::string address;  // canonical; its host is the scope
  std::string profile = "any";
  ShopState state = ShopState::kQueued;
  std::optional<Millis> every;  // between the starts of two crawls
  std::vector<int> at;          // or times of day, in minutes, by this machine's clock
  std::optional<std::string> render;
  std::optional<Millis> delay;
  std::optional<std::uint64_t> pages_max;
  bool operator==(const Shop&) const = default;
};
/// "06:05" for 365.
std::string time_of_day(int minutes);

/// When a shop is crawled, as people write it: {"1d", {}}, {"", {"06:00", "18:00"}}; neither: once.
struct ShopSchedule {
  std::string every;
  std::vector<std::string> at;
};

/// What is to be different in a shop, by the keys of its file, as people write it: nobody has judged it yet. What is left out stays as it
/// is; an empty text takes what stands there away.
struct ShopChange {
  std::optional<std::string> address, profile, state, render, delay, pages_max;
  std::optional<ShopSchedule> schedule;
};

/// What a shop's crawls have brought, and what that cost.
struct ShopYield {
  std::uint64_t pages = 0, products = 0;                           // of the shop's host, now
  std::uint64_t with_price = 0, with_brand = 0, with_picture = 0;  // a picture: fetched, and at least the profile's size
  std::uint64_t complete = 0;                                      // all fields that the profile asks for
  std::map<std::string, std::uint64_t> classes;                    // of the profile; "" for none
  std::uint64_t products_new = 0;                                  // products that crawls of the shop found for the first time
  std::uint64_t requests = 0, bytes = 0;                           // of those crawls, once ended: requests to the shop's host, bytes of all
  double seconds = 0;
};

struct ShopView {
  Shop shop;
  std::optional<Timestamp> next_at;  // of an active one; now or earlier: due
  std::optional<CrawlJobView> job;   // its newest crawl
  std::optional<ShopYield> yield;    // as last counted; nothing while that was never done
  std::uint32_t picture_side_min = 0;
};

struct ProfileView {
  std::string name, about;
  std::uint32_t picture_side_min = 0;
};

/// One product of a preview, as a crawl would keep it.
struct PreviewProduct {
  std::string url;  // of its page
  Product product;
  std::uint32_t width = 0, height = 0;           // of the largest picture that was fetched; 0 for none
  std::shared_ptr<const std::string> thumbnail;  // of that one; null for none
};

using PreviewId = std::uint64_t;

/// A small crawl as the shop's would begin, into a folder that is thrown away.
struct PreviewView {
  PreviewId id = 0;
  Shop shop;  // `name` is empty for an address that is no shop yet
  CrawlState state = CrawlState::kRunning;
  Timestamp created_at{};
  std::uint64_t pages = 0, failed = 0;
  std::optional<std::string> message;  // why it failed, or what its pages were missing
  std::vector<PreviewProduct> products;
  std::optional<ShopYield> yield;  // of what it has read, once it has ended
  std::uint32_t picture_side_min = 0;
};

struct NewPreview {
  std::string name;   // of a shop; empty: of `change.address`
  ShopChange change;  // for this once
  std::size_t count = 10;
  std::optional<std::string> agent;
};

/// Thread-safe. Errors of those that change something: kBadInput and kNotFound (of a profile) in words for who asked.
class ShopControl {
 public:
  struct List {
    std::vector<ShopView> shops;        // by name
    std::vector<std::string> problems;  // files that do not read
    std::vector<ProfileView> profiles;  // that come with Magpie
  };

  virtual ~ShopControl() = default;
  virtual Result<List> list() = 0;
  /// kNotFound names what there is.
  virtual Result<ShopView> get(const std::string& name) = 0;
  /// `name` may be empty: then it is made of the address. kBusy when there is one of that name.
  virtual Result<ShopView> add(const std::string& name, const ShopChange& shop) = 0;
  virtual Result<ShopView> change(const std::string& name, const ShopChange& change) = 0;
  /// A crawl of it that is under way stops; pages and pictures stay.
  virtual Result<void> remove(const std::string& name) = 0;
  /// Crawls it now, whatever its state, with `change` for this once. As JobControl::start().
  virtual Result<CrawlJobView> run(const std::string& name, const ShopChange& change, std::optional<std::string> agent) = 0;

  /// Begins a preview and answers at once. One of the same shop that is under way is given in its place. kBusy while its host is being
  /// crawled, or as many previews are under way as may be; kForbidden when no crawl could start.
  virtual Result<PreviewView> start_preview(const NewPreview& preview) = 0;
  /// kNotFound also for one that ended a while ago.
  virtual Result<PreviewView> preview(PreviewId id) = 0;
  /// Begins to stop it and answers at once; an ended one is left as it is. kNotFound.
  virtual Result<PreviewView> cancel_preview(PreviewId id) = 0;
};

}  // namespace magpie
