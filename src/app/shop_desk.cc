#include "app/shop_desk.h"

#include <algorithm>

#include "app/shop_yield.h"
#include "core/frontier.h"

namespace magpie {
namespace {

std::vector<ProfileView> profile_views() {
  std::vector<ProfileView> views;
  const auto names = shipped_profiles();
  for (const std::string& name : names ? *names : std::vector<std::string>()) {
    const auto profile = load_profile(name);
    if (profile) views.push_back({name, profile->about, profile->picture_side_min});
  }
  return views;
}

/// Who asks by HTTP must not have this machine's files read: one that is a file is named by the shop's own file, or by a command.
Result<Shop> judged(const Shop& before, const ShopChange& change) {
  MAGPIE_TRY(Shop shop, changed(before, change));
  if (shop.profile == before.profile) return shop;
  if (is_profile_file(shop.profile)) {
    return fail(Code::kBadInput,
                "profile: '{}' is a file; name it in the shop's file, or with 'magpie shop', and here one of those that come with Magpie",
                shop.profile);
  }
  MAGPIE_TRY([[maybe_unused]] const Profile profile, load_profile(shop.profile));
  return shop;
}

bool is_stopped(const Shop& shop) { return shop.state == ShopState::kPaused || shop.state == ShopState::kInactive; }

}  // namespace

ShopDesk::ShopDesk(Collection& collection, Manager& manager, const AppSettings& settings, const Clock& clock)
    : files_(collection.folder().shops()),
      catalog_(collection.catalog()),
      manager_(manager),
      settings_(settings),
      clock_(clock),
      profiles_(profile_views()),
      yields_(collection.catalog(), clock) {}

Result<ShopView> ShopDesk::view_of(const Shop& shop, const std::vector<Job>& jobs) {
  ShopView view{.shop = shop};
  const std::optional<Job> newest = newest_job(shop, jobs);
  if (newest) { MAGPIE_TRY(view.job, manager_.get(newest->id)); }
  const bool under_way = view.job && !has_ended(view.job->state);
  if (shop.state == ShopState::kActive && !under_way) view.next_at = next_crawl(shop, newest, clock_.now());
  view.yield = yields_.get(shop, view.job);
  const auto known = std::ranges::find(profiles_, shop.profile, &ProfileView::name);
  if (known != profiles_.end()) {
    view.picture_side_min = known->picture_side_min;
  } else {
    const auto own = load_profile(shop.profile);
    view.picture_side_min = own ? own->picture_side_min : Profile().picture_side_min;
  }
  return view;
}

Result<ShopView> ShopDesk::view_of(const Shop& shop) {
  MAGPIE_TRY(const std::vector<Job> jobs, catalog_.jobs());
  return view_of(shop, jobs);
}

Result<ShopControl::List> ShopDesk::list() {
  List list;
  const std::vector<Shop> shops = files_.all(&list.problems);
  MAGPIE_TRY(const std::vector<Job> jobs, catalog_.jobs());
  for (const Shop& shop : shops) {
    MAGPIE_TRY(ShopView view, view_of(shop, jobs));
    list.shops.push_back(std::move(view));
  }
  list.profiles = profiles_;
  return list;
}

Result<ShopView> ShopDesk::get(const std::string& name) {
  MAGPIE_TRY(const Shop shop, files_.load(name));
  return view_of(shop);
}

Result<ShopView> ShopDesk::add(const std::string& name, const ShopChange& said) {
  const std::lock_guard one_at_a_time(changing_);
  MAGPIE_TRY(Shop shop, judged(Shop(), said));
  shop.name = name.empty() ? shop_name(*Url::parse(shop.address)) : name;
  MAGPIE_TRY_DO(files_.add(shop));
  return view_of(shop);
}

Result<ShopView> ShopDesk::change(const std::string& name, const ShopChange& change) {
  Shop shop;
  {
    const std::lock_guard one_at_a_time(changing_);
    MAGPIE_TRY(const Shop before, files_.load(name));
    MAGPIE_TRY(shop, judged(before, change));
    if (!(shop == before)) MAGPIE_TRY_DO(files_.save(shop));
  }
  // The manager would see both within seconds; one who pauses a shop twice means the crawl that was begun by hand, too.
  if (change.state && is_stopped(shop)) MAGPIE_TRY_DO(stop_crawl(shop));
  if (change.state && shop.state == ShopState::kActive) stop_previews(shop);
  return view_of(shop);
}

Result<void> ShopDesk::remove(const std::string& name) {
  const std::lock_guard one_at_a_time(changing_);
  MAGPIE_TRY(const Shop shop, files_.load(name));
  MAGPIE_TRY_DO(files_.remove(name));
  return stop_crawl(shop);
}

Result<void> ShopDesk::stop_crawl(const Shop& shop) {
  MAGPIE_TRY(const std::vector<Job> jobs, catalog_.jobs());
  const std::optional<Job> newest = newest_job(shop, jobs);
  if (newest) MAGPIE_TRY_DO(manager_.pause(newest->id));
  return {};
}

Result<CrawlJobView> ShopDesk::run(const std::string& name, const ShopChange& change, std::optional<std::string> agent) {
  MAGPIE_TRY(const Shop before, files_.load(name));
  MAGPIE_TRY(const Shop shop, judged(before, change));
  auto job = manager_.run_shop(shop, std::move(agent));
  // The shop is sound, so it is the settings: crawl.agent is missing or no word.
  if (!job && job.error().code == Code::kBadInput) return fail(Code::kForbidden, "{}", job.error().message);
  if (job) stop_previews(shop);
  return job;
}

/// A host that is being crawled is not asked twice as much for a preview.
Result<void> ShopDesk::host_is_free(const Shop& shop) {
  MAGPIE_TRY(const std::vector<Job> jobs, catalog_.jobs());
  const std::string_view host = host_of_url(shop.address);
  for (const Job& job : jobs) {
    const bool same = std::any_of(job.seeds.begin(), job.seeds.end(), [&](const std::string& seed) { return host_of_url(seed) == host; });
    if (!same || job.state != JobState::kRunning) continue;
    return fail(Code::kBusy, "{} is being crawled (job {}); look at what that brings, or stop it first", host, job.id);
  }
  return {};
}

Result<PreviewView> ShopDesk::start_preview(const NewPreview& wish) {
  Shop before;
  if (!wish.name.empty()) { MAGPIE_TRY(before, files_.load(wish.name)); }
  MAGPIE_TRY(const Shop shop, judged(before, wish.change));
  std::shared_ptr<ShopPreview> ended;  // destroyed behind the lock: it may have to wait for its thread
  const std::lock_guard lock(mutex_);
  std::size_t under_way = 0;
  for (const auto& [id, preview] : previews_) {
    PreviewView view = preview->view();
    if (has_ended(view.state)) continue;
    if (view.shop == shop && view.state == CrawlState::kRunning) return view;
    ++under_way;
  }
  if (under_way >= kPreviewsMax) return fail(Code::kBusy, "{} previews are under way; wait for one of them, or stop one", under_way);
  MAGPIE_TRY_DO(host_is_free(shop));
  const PreviewId id = preview_last_ + 1;
  MAGPIE_TRY(std::shared_ptr<ShopPreview> preview,
             ShopPreview::start(shop, settings_, clock_, {.id = id, .count = wish.count, .agent = wish.agent}));
  preview_last_ = id;
  previews_.emplace(id, preview);
  if (previews_.size() > kPreviewsKeptMax) {
    const auto oldest =
        std::find_if(previews_.begin(), previews_.end(), [](const auto& one) { return has_ended(one.second->view().state); });
    ended = oldest->second;
    previews_.erase(oldest);
  }
  return preview->view();
}

std::shared_ptr<ShopPreview> ShopDesk::find_preview(PreviewId id) {
  const std::lock_guard lock(mutex_);
  const auto found = previews_.find(id);
  return found == previews_.end() ? nullptr : found->second;
}

Result<PreviewView> ShopDesk::preview(PreviewId id) {
  const auto preview = find_preview(id);
  if (!preview) return fail(Code::kNotFound, "no preview has the number {}", id);
  return preview->view();
}

Result<PreviewView> ShopDesk::cancel_preview(PreviewId id) {
  const auto preview = find_preview(id);
  if (!preview) return fail(Code::kNotFound, "no preview has the number {}", id);
  preview->cancel();
  return preview->view();
}

void ShopDesk::stop_previews(const Shop& shop) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, preview] : previews_) {
    if (host_of_url(preview->view().shop.address) == host_of_url(shop.address)) preview->cancel();
  }
}

}  // namespace magpie
