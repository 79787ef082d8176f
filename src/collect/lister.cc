#include "collect/lister.h"

#include <algorithm>

#include "base/log.h"
#include "collect/answer.h"
#include "collect/folder.h"
#include "collect/url_list.h"

namespace magpie::collect {
namespace {

constexpr std::size_t kPieceItems = 500;
constexpr int kRedirectsMax = 5;

}  // namespace

Result<void> Lister::run(std::stop_token stop) {
  const std::stop_callback stopped(stop, [this] { parts_.client.wake(); });
  MAGPIE_TRY_DO(load_lists());
  publish();
  if (description_.is_list()) return run_file(stop);
  if (description_.is_folder()) return run_folder(stop);
  bool any = true;
  while (any && !given_up_) {
    any = false;
    for (List& list : lists_) {
      if (given_up_ || has_enough() || stop.stop_requested()) return {};
      if (list.ended()) continue;
      any = true;
      MAGPIE_TRY(const Step step, call(list, stop));
      if (step == Step::kEnd) return {};
    }
  }
  return {};
}

Result<void> Lister::load_lists() {
  MAGPIE_TRY(const auto states, parts_.sink.states());
  for (const Category& category : description_.categories) {
    List list{.category = category};
    if (const auto found = states.find(category.name); found != states.end()) list.state = state_from_json(found->second);
    if (uses_seen() && !list.state.done) {
      MAGPIE_TRY(list.seen, parts_.sink.seen(category.label, description_.seen_max));
      std::ranges::reverse(list.seen);
    }
    taken_ += list.state.taken;
    lists_.push_back(std::move(list));
  }
  return {};
}

Result<void> Lister::run_file(const std::stop_token& stop) {
  MAGPIE_TRY(const auto file, UrlList::open(description_));
  List& list = lists_.front();
  while (!list.state.done && !has_enough() && !stop.stop_requested()) {
    MAGPIE_TRY(UrlList::Piece piece, file->read(list.state.position, kPieceItems));
    const ListState before = list.state;
    ListState after = before;
    const auto state = [&](const Taken& taken) {
      after = before;
      after.taken += taken.news;
      if (!taken.cut) {
        after.position = piece.next;
        after.listed += piece.items.items.size() + piece.items.malformed;
        after.malformed += piece.items.malformed;
        after.done = piece.end;
      }
      return to_json(after);
    };
    MAGPIE_TRY_DO(take({list.category.name, description_.list.native(), piece.items.items, news_left()}, state));
    list.state = after;
    counts_.with([&](ListingCounts& counts) {
      counts.listed += piece.items.items.size() + piece.items.malformed;
      counts.malformed += piece.items.malformed;
    });
    publish();
  }
  return {};
}

// From its beginning each time: names cost little, and what was taken before is known.
Result<void> Lister::run_folder(const std::stop_token& stop) {
  List& list = lists_.front();
  if (list.state.done) return {};
  MAGPIE_TRY(FolderWalk walk, FolderWalk::open(description_.folder, list.category.label, description_.licence));
  list.state.listed = 0;
  while (!list.state.done && !has_enough() && !stop.stop_requested()) {
    const FolderWalk::Piece piece = walk.next(kPieceItems);
    const ListState before = list.state;
    ListState after = before;
    const auto state = [&](const Taken& taken) {
      after = before;
      after.taken += taken.news;
      after.listed += piece.items.size();
      after.done = piece.end && !taken.cut;
      return to_json(after);
    };
    MAGPIE_TRY_DO(take({list.category.name, description_.folder.native(), piece.items, news_left()}, state));
    list.state = after;
    counts_.with([&](ListingCounts& counts) { counts.listed += piece.items.size(); });
    publish();
  }
  for (const std::string& problem : walk.problems()) note_problem(problem);
  return {};
}

Result<Taken> Lister::take(const Batch& batch, const std::function<std::string(const Taken&)>& state) {
  MAGPIE_TRY(const Taken taken, parts_.sink.take(batch, state));
  taken_ += taken.news;
  counts_.with([&](ListingCounts& counts) { counts.news += taken.news, counts.known += taken.known, counts.refused += taken.refused; });
  return taken;
}

// One call of a list, with its retries.
Result<Lister::Step> Lister::call(List& list, const std::stop_token& stop) {
  auto request = next_request(description_, list.category, list.state, list.seen);
  if (!request) {
    fail_list(list, request.error().message);
    return Step::kGoOn;
  }
  const Url url = request->url;
  MAGPIE_TRY(const std::optional<Items> items, ask(list, url, std::move(*request), stop));
  if (stop.stop_requested()) return Step::kEnd;
  if (items) MAGPIE_TRY_DO(keep(list, url.href(), *items));
  publish();
  return Step::kGoOn;
}

// Asks until there is an answer that reads. Nothing when the list has failed, the source is given up, or `stop` is asked for.
Result<std::optional<Items>> Lister::ask(List& list, const Url& url, HttpRequest request, const std::stop_token& stop) {
  const HttpRequest first = request;
  for (int redirects = 0; wait_for_turn(stop);) {
    const std::optional<HttpResponse> response = fetch(request, stop);
    if (!response) return std::optional<Items>();
    const auto target = redirect_target(*response);
    if (target && *target && !request.post && ++redirects <= kRedirectsMax) {
      request.url = std::move(**target);
      if (request.url.origin() != first.url.origin()) request.headers.clear();  // they may hold a key
      continue;
    }
    redirects = 0;
    const SteadyTime now = parts_.clock.steady();
    Verdict verdict = pace_.answered(*response, now, parts_.clock.now());
    if (verdict == Verdict::kGood) {
      auto items = read_answer(response->body, url, description_, list.category);
      if (items) {
        pace_.read_well();
        return std::optional(std::move(*items));
      }
      verdict = pace_.misread(items.error().message, now);
    }
    if (verdict == Verdict::kListEnds) fail_list(list, pace_.why());
    if (verdict == Verdict::kGiveUp) give_up(pace_.why());
    if (verdict != Verdict::kAgain) return std::optional<Items>();
    log::info("collect.again", {{"host", url.host()}, {"why", pace_.why()}});
    request = first;
  }
  return std::optional<Items>();
}

Result<void> Lister::keep(List& list, const std::string& api, const Items& items) {
  const ListState before = list.state;
  ListState after;
  const auto state = [&](const Taken& taken) {
    after = advance(description_, before, items, taken.news);
    if (taken.cut) {  // what is left of this answer is wanted, should more be wanted later
      after = before;
      after.taken += taken.news;
    }
    return to_json(after);
  };
  MAGPIE_TRY_DO(take({list.category.name, api, items.items, news_left()}, state));
  list.state = std::move(after);
  if (uses_seen()) {
    for (const Item& item : items.items) {
      if (std::ranges::find(list.seen, item.picture) == list.seen.end()) list.seen.push_back(item.picture);
    }
  }
  counts_.with([&](ListingCounts& counts) {
    counts.listed += items.items.size() + items.malformed;
    counts.malformed += items.malformed;
  });
  return {};
}

// Nothing when `stop` is asked for.
std::optional<HttpResponse> Lister::fetch(HttpRequest request, const std::stop_token& stop) {
  request.tag = next_tag_++;
  pace_.started(parts_.clock.steady());
  parts_.client.submit(std::move(request));
  counts_.with([](ListingCounts& counts) { ++counts.calls; });
  while (true) {
    for (HttpResponse& response : parts_.client.poll(Deadline::at(parts_.clock.steady() + 1s))) return std::move(response);
    if (!stop.stop_requested()) continue;
    parts_.client.cancel_all();
    (void)parts_.client.poll(Deadline::after(0s));
    return std::nullopt;
  }
}

// False when it is not to be waited for.
bool Lister::wait_for_turn(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    const Timestamp wall = parts_.clock.now();
    const SteadyTime now = parts_.clock.steady();
    if (!parts_.windows.open_at(wall)) {
      const auto until = parts_.windows.next_change(wall).value_or(wall + std::chrono::days(1));
      rest_until(now + (until - wall), stop);
      continue;
    }
    const auto wait = std::chrono::ceil<Millis>(pace_.next_at() - now);
    if (wait.count() <= 0) return true;
    if (wait > std::max(description_.limits.wait_max, Millis(static_cast<std::int64_t>(2'000 / description_.limits.requests_per_second)))) {
      give_up(fmt::format("{} wants to be left alone for {} s; limits.wait_max allows {} s", description_.source, wait.count() / 1'000,
                          description_.limits.wait_max.count() / 1'000));
      return false;
    }
    rest_until(pace_.next_at(), stop);
  }
  return false;
}

void Lister::rest_until(SteadyTime when, const std::stop_token& stop) {
  while (!stop.stop_requested() && parts_.clock.steady() < when) (void)parts_.client.poll(Deadline::at(when));
}

void Lister::fail_list(List& list, std::string why) {
  list.failed = true;
  if (!list.category.name.empty()) why = fmt::format("{}: {}", list.category.name, why);
  log::warn("collect.list_failed", {{"source", description_.source}, {"why", why}});
  note_problem(std::move(why));
  publish();
}

void Lister::note_problem(std::string why) {
  counts_.with([&](ListingCounts& counts) {
    if (counts.problems.size() < kProblemsMax) counts.problems.push_back(std::move(why));
  });
}

void Lister::give_up(std::string why) {
  given_up_ = true;
  log::warn("collect.given_up", {{"source", description_.source}, {"why", why}});
  counts_.with([&](ListingCounts& counts) { counts.problems.push_back(std::move(why)); });
  publish();
}

void Lister::publish() {
  counts_.with([&](ListingCounts& counts) {
    counts.lists = lists_.size();
    counts.taken = taken_;
    counts.lists_done = static_cast<std::uint64_t>(std::ranges::count_if(lists_, [](const List& list) { return list.state.done; }));
    counts.lists_failed = static_cast<std::uint64_t>(
        std::ranges::count_if(lists_, [&](const List& list) { return !list.state.done && (list.failed || given_up_); }));
  });
}

}  // namespace magpie::collect
