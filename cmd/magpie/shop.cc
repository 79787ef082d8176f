// magpie shop: shops that are crawled again and again, each a YAML file of its collection.
#include "app/shop_preview.h"
#include "app/shop_yield.h"
#include "command.h"
#include "flags.h"
#include "follow_crawl.h"
#include "inspect.h"
#include "progress_line.h"
#include "serve/shop_json.h"
#include "signals.h"
#include "time_text.h"

namespace magpie::cmd {
namespace {

struct ShopFlags {
  std::string action, name, profile, every, at, render, agent;
  double delay = -1;
  std::int64_t pages_max = 0, count = 10;
  bool allow_loopback = false;
};

Result<AppSettings> settings_of(const Common& common, const ShopFlags& flags, const CollectionFolder* folder) {
  AppSettings settings;
  MAGPIE_TRY_DO(read_settings(settings, folder, common));
  if (!flags.agent.empty()) settings.crawl.agent.value = flags.agent;
  if (flags.allow_loopback) settings.crawl.allow_loopback.value = true;
  return settings;
}

/// What the flags ask for, in the words of the shop's file.
Result<ShopChange> change_of(const ShopFlags& flags) {
  ShopChange change;
  const auto text = [](const std::string& flag) { return flag.empty() ? std::nullopt : std::optional(flag); };
  change.profile = text(flags.profile);
  std::error_code error;
  if (flags.profile.ends_with(".yaml")) change.profile = fs::absolute(flags.profile, error).string();
  change.render = text(flags.render);
  if (flags.delay >= 0) change.delay = fmt::format("{}ms", std::llround(flags.delay * 1000));
  if (flags.pages_max > 0) change.pages_max = std::to_string(flags.pages_max);
  if (!flags.every.empty() || !flags.at.empty())
    change.schedule = ShopSchedule{flags.every == "never" ? "" : flags.every, split_times(flags.at)};
  return change;
}

Result<Shop> with_flags(Shop shop, const ShopFlags& flags) {
  MAGPIE_TRY(const ShopChange change, change_of(flags));
  MAGPIE_TRY(shop, changed(std::move(shop), change));
  MAGPIE_TRY([[maybe_unused]] const Profile profile, load_profile(shop.profile));
  return shop;
}

// ---- words ----

std::string standing(const std::optional<Job>& newest) {
  if (!newest) return "not crawled yet";
  switch (newest->state) {
    case JobState::kQueued: return "waits for its turn";
    case JobState::kRunning: return "is being crawled, or goes on when magpie serve runs";
    case JobState::kFinished: return fmt::format("crawled {}", time_text(newest->finished_at.value_or(newest->created_at)));
    case JobState::kCancelled: return "stopped before its end";
    case JobState::kFailed: return fmt::format("failed: {}", newest->detail);
  }
  return "";
}

void print_shop(const Shop& shop, const std::optional<Job>& newest, bool json) {
  const auto now = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
  const auto next = shop.state == ShopState::kActive ? next_crawl(shop, newest, now) : std::nullopt;
  if (json) {
    JsonWriter out;
    out.begin_object().field("name", shop.name).field("address", shop.address).field("profile", shop.profile);
    out.field("state", to_string(shop.state)).field("schedule", schedule_text(shop)).field("standing", standing(newest));
    if (next) out.field("next", time_text(std::max(*next, now)));
    if (newest) out.field("job", newest->id);
    return print_line(out.end_object().text());
  }
  fmt::print("{:<28}{:<10}{:<12}{:<18}{}\n", shop.name, to_string(shop.state), shop.profile, schedule_text(shop), standing(newest));
}

std::string share(std::uint64_t part, std::uint64_t of) {
  return of == 0 ? "-" : fmt::format("{:.0f} %", 100.0 * static_cast<double>(part) / static_cast<double>(of));
}

void print_yield(const ShopYield& yield, const Profile& profile) {
  fmt::print("  {} products on {} pages\n", yield.products, yield.pages);
  if (yield.products == 0) return;
  fmt::print("  with a price      {:>6}\n  with a brand      {:>6}\n", share(yield.with_price, yield.products),
             share(yield.with_brand, yield.products));
  fmt::print("  picture >= {:<5}px {:>6}\n", profile.picture_side_min, share(yield.with_picture, yield.products));
  fmt::print("  complete          {:>6}", share(yield.complete, yield.products));
  std::string fields;
  for (const std::string& field : profile.fields) fields += (fields.empty() ? "" : ", ") + field;
  fmt::print("   ({})\n", fields);
  for (const auto& [name, count] : yield.classes) fmt::print("  {:<18}{:>6}\n", name.empty() ? "of no class" : name, count);
  if (yield.products_new == 0) return;
  const auto news = static_cast<double>(yield.products_new);
  fmt::print("  a new one costs   {:.1f} requests, {}, {:.1f} s   ({} were new to Magpie)\n", static_cast<double>(yield.requests) / news,
             bytes_text(yield.bytes / yield.products_new), yield.seconds / news, yield.products_new);
}

// ---- actions ----

Result<int> profiles(bool json) {
  MAGPIE_TRY(const std::vector<std::string> names, shipped_profiles());
  for (const std::string& name : names) {
    MAGPIE_TRY(const Profile profile, load_profile(name));
    if (json) print_line(JsonWriter().begin_object().field("name", name).field("about", profile.about).end_object().text());
    else fmt::print("{:<14}{}\n", name, profile.about);
  }
  return kDone;
}

Result<std::vector<Job>> jobs_of(const CollectionFolder& folder) {
  std::error_code error;
  if (!fs::exists(folder.catalog(), error)) return std::vector<Job>();
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  return collection->catalog().jobs();
}

Result<int> list(const CollectionFolder& folder, bool json) {
  std::vector<std::string> problems;
  const std::vector<Shop> shops = ShopFolder(folder.shops()).all(&problems);
  MAGPIE_TRY(const std::vector<Job> jobs, jobs_of(folder));
  for (const Shop& shop : shops) print_shop(shop, newest_job(shop, jobs), json);
  for (const std::string& problem : problems) fmt::print(stderr, "magpie: {}\n", problem);
  if (shops.empty() && problems.empty()) fmt::print(stderr, "magpie: no shop yet; 'magpie shop add ADDRESS' makes one\n");
  return shops.empty() ? kNothing : kDone;
}

Result<int> show(const CollectionFolder& folder, const Shop& shop, bool json) {
  MAGPIE_TRY(const Profile profile, load_profile(shop.profile));
  MAGPIE_TRY(const std::vector<Job> jobs, jobs_of(folder));
  print_shop(shop, newest_job(shop, jobs), json);
  std::error_code error;
  if (!fs::exists(folder.catalog(), error)) return kDone;
  MAGPIE_TRY(const auto collection, Collection::open_to_read(folder));
  MAGPIE_TRY(const ShopYield yield, shop_yield(collection->catalog(), shop, profile));
  if (json) print_line(to_json(yield));
  else print_yield(yield, profile);
  return kDone;
}

void print_product(const PreviewProduct& one, bool json) {
  const Product& product = one.product;
  if (json) {
    JsonWriter out;
    out.begin_object().field("name", product.name).field("price", product.offer.price).field("currency", product.offer.currency);
    out.field("brand", product.brand).field("availability", product.offer.availability).field("sku", product.sku);
    out.field("pictures", product.images.size()).field("width", one.width).field("height", one.height).field("url", one.url);
    return print_line(out.end_object().text());
  }
  fmt::print("{}\n", product.name.empty() ? "(no name)" : product.name);
  fmt::print("  {}{}{}{}\n", product.offer.price.empty() ? "no price" : product.offer.price + " " + product.offer.currency,
             product.brand.empty() ? "" : " · " + product.brand,
             product.offer.availability.empty() ? "" : " · " + product.offer.availability,
             one.width == 0 ? " · no picture" : fmt::format(" · {} × {} px", one.width, one.height));
  fmt::print("  {}\n", one.url);
}

/// Stays with a preview until it ends; Ctrl-C stops it.
Result<PreviewView> follow_preview(const std::function<Result<PreviewView>()>& look, const std::function<Result<void>()>& stop) {
  StopSignals signals;
  ProgressLine line;
  while (true) {
    MAGPIE_TRY(PreviewView view, look());
    if (has_ended(view.state)) return view;
    line.show(fmt::format("looking: {} pages, {} products", view.pages, view.products.size()));
    if (signals.wait(Deadline::after(300ms))) MAGPIE_TRY_DO(stop());
  }
}

Result<int> show_preview(const PreviewView& view, const Profile& profile, bool json) {
  if (view.state == CrawlState::kFailed) return fail(Code::kUnavailable, "{}", view.message.value_or("the preview failed"));
  for (const PreviewProduct& one : view.products) print_product(one, json);
  if (view.message) fmt::print(stderr, "magpie: {}\n", *view.message);
  if (!view.yield) return kNothing;
  if (json) print_line(to_json(*view.yield));
  else print_yield(*view.yield, profile);
  if (!view.products.empty()) return view.state == CrawlState::kFinished ? kDone : kNothing;
  fmt::print(stderr, "magpie: no product was found on {} pages; 'magpie inspect page URL' shows what one says\n", view.yield->pages);
  return kNothing;
}

Result<int> preview(const Common& common, const ShopFlags& flags, const CollectionFolder& folder, const Shop& shop) {
  MAGPIE_TRY(const Profile profile, load_profile(shop.profile));
  if (auto manager = ManagerClient::connect(folder)) {
    say_whose_settings(common, flags.allow_loopback);
    MAGPIE_TRY(const ShopChange once, change_of(flags));
    MAGPIE_TRY(const PreviewView begun, manager->start_preview(shop.name, once, flags.agent, static_cast<std::size_t>(flags.count)));
    MAGPIE_TRY(const PreviewView view,
               follow_preview([&] { return manager->preview(begun.id); }, [&] { return manager->cancel_preview(begun.id); }));
    return show_preview(view, profile, common.json);
  }
  MAGPIE_TRY(const AppSettings settings, settings_of(common, flags, &folder));
  const SystemClock clock;
  MAGPIE_TRY(const auto preview, ShopPreview::start(shop, settings, clock, {.count = static_cast<std::size_t>(flags.count)}));
  MAGPIE_TRY(const PreviewView view, follow_preview([&]() -> Result<PreviewView> { return preview->view(); },
                                                    [&]() -> Result<void> { return preview->cancel(), Result<void>(); }));
  return show_preview(view, profile, common.json);
}

Result<int> crawl_now(const Common& common, const ShopFlags& flags, const CollectionFolder& folder, const Shop& shop) {
  if (auto manager = ManagerClient::connect(folder)) {
    say_whose_settings(common, flags.allow_loopback);
    MAGPIE_TRY(const ShopChange once, change_of(flags));
    return follow_there(
        *manager, [&] { return manager->run_shop(shop.name, once, flags.agent); }, common.json);
  }
  MAGPIE_TRY(const AppSettings settings, settings_of(common, flags, &folder));
  MAGPIE_TRY_DO(crawl::user_agent(settings.crawl));
  return follow_here(
      folder, settings, [&](Manager& manager) { return manager.start({shop.address}, crawl_options(shop)); }, common.json);
}

Result<int> add(const Common& common, const ShopFlags& flags) {
  if (flags.name.empty()) return fail(Code::kBadInput, "name the shop's address: magpie shop add https://shop.example/");
  MAGPIE_TRY(Shop named, changed(Shop(), {.address = flags.name}));
  named.name = shop_name(*Url::parse(named.address));
  MAGPIE_TRY(const Shop shop, with_flags(std::move(named), flags));
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, true));
  MAGPIE_TRY_DO(ShopFolder(folder.shops()).add(shop));
  print_shop(shop, std::nullopt, common.json);
  if (!common.json) {
    fmt::print(stderr, "{} is what counts; now: magpie shop preview {}, then magpie shop activate {}\n",
               (folder.shops() / (shop.name + ".yaml")).string(), shop.name, shop.name);
  }
  return kDone;
}

Result<int> change(const Common& common, const ShopFlags& flags, const CollectionFolder& folder, Shop shop) {
  if (flags.action == "activate") shop.state = ShopState::kActive;
  else if (flags.action == "pause") shop.state = ShopState::kPaused;
  else if (flags.action == "deactivate") shop.state = ShopState::kInactive;
  else if (flags.every.empty() && flags.at.empty())
    return fail(Code::kBadInput, "say when: --every 1d, --at 06:00,18:00, or --every never for once");
  MAGPIE_TRY(shop, with_flags(std::move(shop), flags));
  MAGPIE_TRY_DO(ShopFolder(folder.shops()).save(shop));
  auto manager = ManagerClient::connect(folder);
  if (manager && flags.action != "schedule") MAGPIE_TRY_DO(manager->set_shop_state(shop.name, shop.state));
  MAGPIE_TRY(const std::vector<Job> jobs, jobs_of(folder));
  print_shop(shop, newest_job(shop, jobs), common.json);
  if (shop.state == ShopState::kActive && !manager)
    fmt::print(stderr, "magpie: nobody crawls it yet: magpie serve does so when it is due, magpie shop run {} does so now\n", shop.name);
  return kDone;
}

Result<int> run(const Common& common, const ShopFlags& flags) {
  const std::string& action = flags.action;
  if (action == "profiles") return profiles(common.json);
  if (action == "add") return add(common, flags);
  MAGPIE_TRY(const CollectionFolder folder, CollectionFolder::choose(common.collection, false));
  if (action == "list") return list(folder, common.json);
  const bool known = action == "show" || action == "preview" || action == "run" || action == "remove" || action == "activate" ||
                     action == "pause" || action == "deactivate" || action == "schedule";
  if (!known) return fail(Code::kBadInput, "'{}' is nothing that magpie shop does; see magpie shop --help", action);
  if (flags.name.empty()) return fail(Code::kBadInput, "name the shop: magpie shop {} NAME; 'magpie shop list' has them", action);
  const ShopFolder shops(folder.shops());
  MAGPIE_TRY(Shop shop, shops.load(flags.name));
  if (action == "preview" || action == "run") { MAGPIE_TRY(shop, with_flags(std::move(shop), flags)); }  // for this once
  if (action == "show") return show(folder, shop, common.json);
  if (action == "preview") return preview(common, flags, folder, shop);
  if (action == "run") return crawl_now(common, flags, folder, shop);
  if (action == "remove") {
    if (auto manager = ManagerClient::connect(folder)) MAGPIE_TRY_DO(manager->remove_shop(shop.name));
    else MAGPIE_TRY_DO(shops.remove(shop.name));
    fmt::print(stderr, "{} is no shop any more; its pages and pictures stay\n", shop.name);
    return kDone;
  }
  return change(common, flags, folder, std::move(shop));
}

}  // namespace

void add_shop(CLI::App& app, Common& common) {
  Subcommand command(app, "shop", "Shops that are crawled again and again: add, preview, activate, schedule");
  auto flags = std::make_shared<ShopFlags>();
  command.option("action", flags->action, "add, list, show, preview, activate, pause, deactivate, schedule, run, remove, profiles",
                 {.value = "ACTION", .required = true});
  command.option("shop", flags->name, "Its name, as 'magpie shop list' has it; to add one, its address", {.value = "SHOP"});
  command.option("--profile", flags->profile, "What it sells: one of 'magpie shop profiles', or a file.yaml", {.value = "NAME"});
  command.option("--every", flags->every, "Time between the starts of two crawls: 12h, 1d; never: once", {.value = "TIME"});
  command.option("--at", flags->at, "Or times of day, by this machine's clock: 06:00,18:00", {.value = "TIMES"});
  command.option("--render", flags->render, "Pages in a browser: auto, always, never (setting crawl.render)", {.value = "WHICH"});
  command.option("--delay", flags->delay, "Seconds between the starts of two requests", {.value = "S", .least = 0.0, .most = 3600.0});
  command.option("--max-pages", flags->pages_max, "Pages of one crawl", {.value = "N", .least = 1});
  command.option("--count", flags->count, "Products that a preview shows", {.value = "N", .show_default = true, .least = 1, .most = 1000});
  command.option("--agent", flags->agent, "The name sites see (setting crawl.agent); for preview and run", {.value = "NAME"});
  command.flag("--allow-loopback", flags->allow_loopback, "Let preview and run reach this machine's own addresses, for tests");
  command.footer(
      "Examples:\n"
      "  magpie shop add https://shop.example/ --profile fashion --every 1d\n"
      "  magpie shop preview shop.example             ten products, before anything is kept\n"
      "  magpie shop activate shop.example            magpie serve crawls it when it is due\n"
      "  magpie shop show shop.example                how it stands, and what it has brought\n\n"
      "Each shop is a file, COLLECTION/shops/NAME.yaml; editing it does the same (docs/shops.md).");
  command.common_flags(common);
  command.runs(common, [&common, flags] { return run(common, *flags); });
}

}  // namespace magpie::cmd
