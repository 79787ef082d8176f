#include "app/shops.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <map>

#include "app/crawl_job.h"
#include "base/utf8.h"

namespace magpie {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;
constexpr std::size_t kNameBytesMax = 100;
constexpr Millis kEveryMin{60'000};
constexpr Millis kDelayMax{3'600'000};

bool stays_in_name(char c) {
  return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '.' || c == '-' || c == '_';
}

Result<std::string> text_of(const YAML::Node& node, std::string_view key) {
  if (node.IsNull()) return "";
  if (!node.IsScalar()) return fail(Code::kBadInput, "{}: must be one text", key);
  return node.Scalar();
}

Result<ShopSchedule> schedule_of(const YAML::Node& node) {
  ShopSchedule schedule;
  if (node.IsNull()) return schedule;
  if (!node.IsMap()) return fail(Code::kBadInput, "schedule: holds 'every' or 'at', as {{every: 1d}} or {{at: [\"06:00\"]}}");
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (key == "every") {
      MAGPIE_TRY(schedule.every, text_of(entry.second, "schedule.every"));
    } else if (key == "at") {
      if (entry.second.IsScalar()) schedule.at = split_times(entry.second.Scalar());
      for (const YAML::Node& one : entry.second) schedule.at.push_back(one.Scalar());
    } else {
      return fail(Code::kBadInput, "schedule.{}: no key of a schedule (every, at)", key);
    }
  }
  return schedule;
}

Result<Shop> parse(const YAML::Node& root, std::string name) {
  if (!root.IsMap()) return fail(Code::kBadInput, "a shop holds keys and values; 'address' is needed");
  ShopChange said;
  const std::map<std::string_view, std::optional<std::string>*> texts = {{"address", &said.address}, {"profile", &said.profile},
                                                                         {"state", &said.state},     {"render", &said.render},
                                                                         {"delay", &said.delay},     {"max_pages", &said.pages_max}};
  for (const auto& entry : root) {
    const std::string key = entry.first.Scalar();
    if (key == "schedule") {
      MAGPIE_TRY(said.schedule, schedule_of(entry.second));
    } else if (const auto text = texts.find(key); text != texts.end()) {
      MAGPIE_TRY(*text->second, text_of(entry.second, key));
    } else {
      return fail(Code::kBadInput, "{}: no key of a shop (address, profile, state, schedule, render, delay, max_pages)", key);
    }
  }
  MAGPIE_TRY(Shop shop, changed(Shop{.name = std::move(name)}, said));
  if (shop.address.empty()) return fail(Code::kBadInput, "address: is missing");
  return shop;
}

Result<ShopState> state_of(std::string_view word) {
  for (const ShopState state : {ShopState::kQueued, ShopState::kActive, ShopState::kPaused, ShopState::kInactive}) {
    if (to_string(state) == word) return state;
  }
  return fail(Code::kBadInput, "state: '{}' is none of queued, active, paused, inactive", word);
}

Result<Millis> duration_of(std::string_view text, std::string_view key) {
  const auto value = parse_duration(text);
  if (!value) return fail(value.error(), key);
  return *value;
}

Result<void> change_schedule(Shop& shop, const ShopSchedule& schedule) {
  if (!schedule.every.empty() && !schedule.at.empty()) return fail(Code::kBadInput, "schedule: 'every' or 'at', not both");
  shop.every.reset();
  MAGPIE_TRY(shop.at, parse_times_of_day(schedule.at));
  if (schedule.every.empty()) return {};
  MAGPIE_TRY(shop.every, duration_of(schedule.every, "schedule.every"));
  if (*shop.every < kEveryMin) return fail(Code::kBadInput, "schedule.every: '{}' is too often; it is at least 1m", schedule.every);
  return {};
}

Result<std::uint64_t> pages_of(std::string_view text) {
  std::uint64_t pages = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), pages);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size() || pages < 1 || pages > 100'000'000)
    return fail(Code::kBadInput, "max_pages: '{}' is no whole number from 1 to 100000000", text);
  return pages;
}

/// The latest of the shop's times of day at or before `time`, and with `next` the first behind it.
Timestamp scheduled(const Shop& shop, Timestamp time, bool next) {
  std::optional<Timestamp> best;
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  for (int day = -1; day <= 1; ++day) {
    for (const int minutes : shop.at) {
      std::tm local{};
      ::localtime_r(&seconds, &local);
      local.tm_mday += day;
      local.tm_hour = minutes / 60;
      local.tm_min = minutes % 60;
      local.tm_sec = 0;
      local.tm_isdst = -1;
      const Timestamp when{std::chrono::seconds(::mktime(&local))};
      if (next ? when > time && (!best || when < *best) : when <= time && (!best || when > *best)) best = when;
    }
  }
  return best.value_or(time);
}

}  // namespace

Result<Shop> changed(Shop shop, const ShopChange& change) {
  if (change.address) {
    MAGPIE_TRY(const Url url, parse_seed(*change.address));
    if (!url.username().empty() || !url.password().empty())
      return fail(Code::kBadInput, "address: it has a user's name or password in it; those belong into crawl.logins (docs/crawling.md)");
    shop.address = url.href();
  }
  if (change.profile) shop.profile = change.profile->empty() ? "any" : *change.profile;
  if (change.state) { MAGPIE_TRY(shop.state, state_of(*change.state)); }
  if (change.schedule) MAGPIE_TRY_DO(change_schedule(shop, *change.schedule));
  if (change.render) {
    const std::string& render = *change.render;
    if (!render.empty() && render != "auto" && render != "always" && render != "never")
      return fail(Code::kBadInput, "render: '{}' is none of auto, always, never", render);
    shop.render = render.empty() ? std::nullopt : std::optional(render);
  }
  if (change.delay) {
    shop.delay.reset();
    if (!change.delay->empty()) { MAGPIE_TRY(shop.delay, duration_of(*change.delay, "delay")); }
    if (shop.delay && (*shop.delay < Millis(0) || *shop.delay > kDelayMax))
      return fail(Code::kBadInput, "delay: '{}' is not between 0 and 1h", *change.delay);
  }
  if (change.pages_max) {
    shop.pages_max.reset();
    if (!change.pages_max->empty()) { MAGPIE_TRY(shop.pages_max, pages_of(*change.pages_max)); }
  }
  return shop;
}

Result<void> check_shop_name(const std::string& name) {
  const bool fits =
      !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' && std::all_of(name.begin(), name.end(), stays_in_name);
  if (fits) return {};
  return fail(Code::kBadInput, "name: '{}' is none: 1 to {} of a-z, A-Z, 0-9, '.', '-', '_', and no '.' in front", to_valid_utf8(name),
              kNameBytesMax);
}

std::string shop_name(const Url& address) {
  std::string name(address.host());
  if (name.starts_with("www.")) name.erase(0, 4);
  std::ranges::replace_if(
      name, [](char c) { return !stays_in_name(c); }, '_');
  return name.substr(0, kNameBytesMax);
}

Result<std::vector<int>> parse_times_of_day(const std::vector<std::string>& texts) {
  std::vector<int> times;
  for (const std::string_view one : texts) {
    const std::size_t colon = one.find(':');
    int hour = -1, minute = -1;
    if (colon != std::string_view::npos) {
      std::from_chars(one.data(), one.data() + colon, hour);
      if (one.size() == colon + 3) std::from_chars(one.data() + colon + 1, one.data() + one.size(), minute);
    }
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59) return fail(Code::kBadInput, "'{}' is no time of day like 06:00", one);
    times.push_back(hour * 60 + minute);
  }
  std::sort(times.begin(), times.end());
  return times;
}

std::vector<std::string> split_times(std::string_view text) {
  std::vector<std::string> times;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    times.emplace_back(one);
  }
  return times;
}

std::string schedule_text(const Shop& shop) {
  if (shop.every) return fmt::format("every {}", format_duration(*shop.every));
  std::string text;
  for (const int minutes : shop.at) text += (text.empty() ? "at " : ", ") + time_of_day(minutes);
  return text.empty() ? "once" : text;
}

std::vector<Shop> ShopFolder::all(std::vector<std::string>* problems) const {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".yaml") names.push_back(entry->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  std::vector<Shop> shops;
  for (const std::string& name : names) {
    auto shop = load(name);
    if (shop) shops.push_back(std::move(*shop));
    else if (problems != nullptr) problems->push_back(shop.error().message);
  }
  return shops;
}

Result<Shop> ShopFolder::load(const std::string& name) const {
  const fs::path file = folder_ / (name + ".yaml");
  std::error_code error;
  if (name.find('/') != std::string::npos || name.find('\0') != std::string::npos || !fs::exists(file, error)) {
    std::string known;
    for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error))
      known += (known.empty() ? "" : ", ") + entry->path().stem().string();
    return fail(Code::kNotFound, "there is no shop '{}'; {}", to_valid_utf8(name),
                known.empty() ? "add one with 'magpie shop add ADDRESS'" : "there is " + known);
  }
  MAGPIE_TRY(const std::string text, read_file(file, kFileBytesMax));
  try {
    auto shop = parse(YAML::Load(text), name);
    return shop ? std::move(shop) : fail(shop.error(), file.string());
  } catch (const YAML::Exception& problem) { return fail(Code::kBadInput, "{} is not YAML: {}", file.string(), problem.what()); }
}

Result<void> ShopFolder::add(const Shop& shop) const {
  MAGPIE_TRY_DO(check_shop_name(shop.name));
  const fs::path file = folder_ / (shop.name + ".yaml");
  std::error_code error;
  if (fs::exists(file, error))
    return fail(Code::kBusy, "there is a shop '{}' already: edit {} of the collection", shop.name,
                (folder_.filename() / file.filename()).string());
  // A crawl is told by its address, so two shops of one would stop each other's.
  for (const Shop& other : all()) {
    if (other.address == shop.address) return fail(Code::kBusy, "shop '{}' has the address {} already", other.name, shop.address);
  }
  return save(shop);
}

Result<void> ShopFolder::save(const Shop& shop) const {
  MAGPIE_TRY_DO(make_folder(folder_));
  std::string text =
      "# A shop that Magpie crawls; 'magpie shop --help' says what can stand here. Edit it as you like: what counts is what is written.\n";
  text += fmt::format("address: {}\nprofile: {}\nstate: {}\n", YAML::Dump(YAML::Node(shop.address)), YAML::Dump(YAML::Node(shop.profile)),
                      to_string(shop.state));
  if (shop.every) text += fmt::format("schedule: {{every: {}}}\n", format_duration(*shop.every));
  if (!shop.at.empty()) {
    std::string times;
    for (const int minutes : shop.at) times += fmt::format("{}\"{}\"", times.empty() ? "" : ", ", time_of_day(minutes));
    text += fmt::format("schedule: {{at: [{}]}}\n", times);
  }
  if (shop.render) text += fmt::format("render: {}\n", *shop.render);
  if (shop.delay) text += fmt::format("delay: {}\n", format_duration(*shop.delay));
  if (shop.pages_max) text += fmt::format("max_pages: {}\n", *shop.pages_max);
  return write_file_atomic(folder_ / (shop.name + ".yaml"), text);
}

Result<void> ShopFolder::remove(const std::string& name) const {
  MAGPIE_TRY([[maybe_unused]] const Shop shop, load(name));
  std::error_code error;
  fs::remove(folder_ / (name + ".yaml"), error);
  if (error) return fail(Code::kUnavailable, "{}: {}", name, error.message());
  return {};
}

std::optional<Job> newest_job(const Shop& shop, const std::vector<Job>& jobs) {
  const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const Job& job) { return job.seeds == std::vector{shop.address}; });
  return found == jobs.end() ? std::nullopt : std::optional<Job>(*found);
}

std::optional<Timestamp> next_crawl(const Shop& shop, const std::optional<Job>& newest, Timestamp now) {
  constexpr std::chrono::hours kTroubleMin{1};
  if (!newest) return now;
  const bool trouble = newest->state == JobState::kFailed || (newest->state == JobState::kCancelled && newest->detail != kPaused);
  if (trouble) return newest->finished_at.value_or(newest->created_at) + kTroubleMin;
  if (newest->state != JobState::kFinished) return now;
  const Timestamp begun = newest->started_at.value_or(newest->created_at);
  if (shop.every) return begun + *shop.every;
  if (shop.at.empty()) return std::nullopt;
  const Timestamp latest = scheduled(shop, now, /*next=*/false);
  return begun < latest ? latest : scheduled(shop, now, /*next=*/true);
}

CrawlOptions crawl_options(const Shop& shop) {
  CrawlOptions options;
  options.delay = shop.delay;
  options.pages_per_host_max = shop.pages_max;
  options.render = shop.render;
  options.profile = shop.profile;
  return options;
}

}  // namespace magpie
