#include "app/shops.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

#include "app/manager.h"

namespace magpie {
namespace {

constexpr std::size_t kFileBytesMax = 64 << 10;
constexpr std::array<std::string_view, 4> kStates = {"queued", "active", "paused", "inactive"};
constexpr Millis kEveryMin{60'000};

Result<std::string> text_of(const YAML::Node& node, std::string_view key) {
  if (!node.IsScalar()) return fail(Code::kBadInput, "{}: must be one text", key);
  return node.Scalar();
}

Result<ShopState> state_of(std::string_view word) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == word) return static_cast<ShopState>(i);
  }
  return fail(Code::kBadInput, "state: '{}' is none of queued, active, paused, inactive", word);
}

Result<Millis> duration_of(const YAML::Node& node, std::string_view key) {
  MAGPIE_TRY(const std::string text, text_of(node, key));
  const auto value = parse_duration(text);
  if (!value) return fail(value.error(), key);
  return *value;
}

Result<void> read_schedule(const YAML::Node& node, Shop& shop) {
  if (!node.IsMap()) return fail(Code::kBadInput, "schedule: holds 'every' or 'at', as {{every: 1d}} or {{at: [\"06:00\"]}}");
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    if (key == "every") {
      MAGPIE_TRY(shop.every, duration_of(entry.second, "schedule.every"));
      if (*shop.every < kEveryMin) return fail(Code::kBadInput, "schedule.every: at least a minute");
    } else if (key == "at") {
      std::string times;
      if (entry.second.IsScalar()) times = entry.second.Scalar();
      for (const YAML::Node& one : entry.second) times += (times.empty() ? "" : ",") + one.Scalar();
      MAGPIE_TRY(shop.at, parse_times_of_day(times));
    } else {
      return fail(Code::kBadInput, "schedule.{}: no key of a schedule (every, at)", key);
    }
  }
  if (shop.every && !shop.at.empty()) return fail(Code::kBadInput, "schedule: 'every' or 'at', not both");
  return {};
}

Result<Shop> parse(const YAML::Node& root, std::string name) {
  if (!root.IsMap()) return fail(Code::kBadInput, "a shop holds keys and values; 'address' is needed");
  Shop shop;
  shop.name = std::move(name);
  for (const auto& entry : root) {
    const std::string key = entry.first.Scalar();
    const YAML::Node& value = entry.second;
    if (key == "address") {
      MAGPIE_TRY(const std::string text, text_of(value, key));
      MAGPIE_TRY(const Url url, parse_seed(text));
      shop.address = url.href();
    } else if (key == "profile") {
      MAGPIE_TRY(shop.profile, text_of(value, key));
    } else if (key == "state") {
      MAGPIE_TRY(const std::string word, text_of(value, key));
      MAGPIE_TRY(shop.state, state_of(word));
    } else if (key == "schedule") {
      if (!value.IsNull()) MAGPIE_TRY_DO(read_schedule(value, shop));
    } else if (key == "render") {
      MAGPIE_TRY(shop.render, text_of(value, key));
      if (*shop.render != "auto" && *shop.render != "always" && *shop.render != "never")
        return fail(Code::kBadInput, "render: '{}' is none of auto, always, never", *shop.render);
    } else if (key == "delay") {
      MAGPIE_TRY(shop.delay, duration_of(value, key));
    } else if (key == "max_pages") {
      std::uint64_t pages = 0;
      if (!YAML::convert<std::uint64_t>::decode(value, pages) || pages < 1 || pages > 100'000'000)
        return fail(Code::kBadInput, "max_pages: a whole number, 1 to 100000000");
      shop.pages_max = pages;
    } else {
      return fail(Code::kBadInput, "{}: no key of a shop (address, profile, state, schedule, render, delay, max_pages)", key);
    }
  }
  if (shop.address.empty()) return fail(Code::kBadInput, "address: is missing");
  return shop;
}

std::string time_of_day(int minutes) { return fmt::format("{:02}:{:02}", minutes / 60, minutes % 60); }

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

std::string_view to_string(ShopState state) { return kStates[static_cast<std::size_t>(state)]; }

std::string shop_name(const Url& address) {
  std::string name(address.host());
  if (name.starts_with("www.")) name.erase(0, 4);
  for (char& c : name) {
    const bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_';
    if (!plain) c = '_';
  }
  return name;
}

Result<std::vector<int>> parse_times_of_day(std::string_view text) {
  std::vector<int> times;
  while (!text.empty()) {
    std::string_view one = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
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
  if (name.find('/') != std::string::npos || !fs::exists(file, error)) {
    std::string known;
    for (fs::directory_iterator entry(folder_, error), end; !error && entry != end; entry.increment(error))
      known += (known.empty() ? "" : ", ") + entry->path().stem().string();
    return fail(Code::kNotFound, "there is no shop '{}'; {}", name,
                known.empty() ? "add one with 'magpie shop add ADDRESS'" : "there is " + known);
  }
  MAGPIE_TRY(const std::string text, read_file(file, kFileBytesMax));
  try {
    auto shop = parse(YAML::Load(text), name);
    return shop ? std::move(shop) : fail(shop.error(), file.string());
  } catch (const YAML::Exception& problem) { return fail(Code::kBadInput, "{} is not YAML: {}", file.string(), problem.what()); }
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
