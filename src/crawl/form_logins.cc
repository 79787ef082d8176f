#include "crawl/form_logins.h"

#include <algorithm>

#include "base/log.h"

namespace magpie::crawl {
namespace {

/// An address without its query, which may hold a secret.
std::string name_of(const Url& url) { return url.origin() + std::string(url.pathname()); }

/// Whether every name=value of the second query is in the first.
bool holds_pairs(std::string_view query, std::string_view wanted) {
  const auto pairs_of = [](std::string_view text) {
    std::set<std::string_view> pairs;
    for (text.remove_prefix(text.starts_with('?')); !text.empty();) {
      const std::string_view pair = text.substr(0, text.find('&'));
      text.remove_prefix(std::min(pair.size() + 1, text.size()));
      if (!pair.empty()) pairs.insert(pair);
    }
    return pairs;
  };
  const auto has = pairs_of(query), needs = pairs_of(wanted);
  return std::includes(has.begin(), has.end(), needs.begin(), needs.end());
}

}  // namespace

// ---- one site ----

bool LoginSession::is_form(const Url& url) const {
  const auto same = [&](const Url& form) {
    if (url.origin() != form.origin() || url.pathname() != form.pathname()) return false;
    return form.search().empty() ? form.pathname() != "/" : holds_pairs(url.search(), form.search());
  };
  return same(login_.page) || same(form_at_);
}

LoginStep LoginSession::step(const RobotsRules& robots, SteadyTime now) {
  if (phase_ == Phase::kIn) return {.login = ++asked_};
  if (phase_ == Phase::kReading || phase_ == Phase::kSending) return {.waits = true};
  if (phase_ == Phase::kOut && now < not_before_) return {.waits = true, .until = not_before_};
  const Url& asked = phase_ == Phase::kFilled ? filled_->url : next_;
  if (phase_ != Phase::kGivenUp) {
    if (const RobotsVerdict verdict = robots.judge(asked); !verdict.allowed)
      give_up(fmt::format("robots.txt line {} refuses {}: Disallow: {}", verdict.line, name_of(asked), verdict.rule));
  }
  if (phase_ == Phase::kGivenUp) return {.refused = why_};
  if (phase_ == Phase::kFilled) {
    phase_ = Phase::kSending;
    return {.request = std::exchange(filled_, std::nullopt)};
  }
  phase_ = Phase::kReading;
  return {.request = LoginRequest{.url = next_, .begins = redirects_ == 0}};
}

void LoginSession::answered(const LoginAnswer& answer, SteadyTime now) {
  const HttpResponse& response = answer.response;
  if (response.cause == HttpCause::kCancelled) return begin_anew(not_before_);
  const HostSignal signal = answer.verdict.signal;
  if (answer.verdict.passing && signal != HostSignal::kFine && signal != HostSignal::kNeutral)
    return troubled(response, answer.verdict.detail, now);
  if (!response.complete()) return failed(answer.verdict.detail, now);
  set_cookies_ |= answer.set_cookies;
  if (phase_ == Phase::kReading) read_form(response, now);
  else judge_sent(response, now);
}

void LoginSession::read_form(const HttpResponse& response, SteadyTime now) {
  if (const auto target = redirect_target(response); target && *target && redirects_ < kRedirectsMax) {
    if ((*target)->origin() != login_.page.origin())
      return failed(
          fmt::format("{} sends on to {}, and the password is for its own origin only", name_of(response.url), (*target)->origin()), now);
    ++redirects_;
    next_ = (*target)->without_fragment();
    phase_ = Phase::kOut;
    not_before_ = now;
    return;
  }
  if (response.status != 200) return failed(fmt::format("{} answered {}", name_of(response.url), response.status), now);
  FormLogin found = login_;
  found.page = response.url;
  auto filled = fill_login_form(response.body, found);
  if (!filled) return failed(fmt::format("{}: {}", name_of(response.url), filled.error().message), now);
  form_at_ = response.url;
  filled_ = std::move(*filled);
  phase_ = Phase::kFilled;
}

// Most sites send on to a page of theirs; a form that comes again was not accepted.
void LoginSession::judge_sent(const HttpResponse& response, SteadyTime now) {
  const auto target = redirect_target(response);
  const bool again = target ? *target && is_form(**target) : fill_login_form(response.body, login_).has_value();
  if (again) return give_up(fmt::format("{} shows the form again: user and password are not accepted", name_of(response.url)));
  if (!target && response.status >= 300) return failed(fmt::format("{} answered {}", name_of(response.url), response.status), now);
  if (!set_cookies_) return failed(fmt::format("{} has set no cookie", name_of(response.url)), now);
  begin_anew(now);
  phase_ = Phase::kIn;
  asked_before_ = asked_;
  next_login_at_ = now + limits_.every;
  failures_ = troubles_ = 0;
  log::info("crawl.logged_in", {{"site", login_.page.origin()}});
}

void LoginSession::begin_anew(SteadyTime not_before) {
  phase_ = Phase::kOut;
  not_before_ = not_before;
  next_ = login_.page;
  redirects_ = 0;
  set_cookies_ = false;
}

Millis LoginSession::pause_after(std::uint32_t tries) const {
  return limits_.retry_delay * (std::int64_t{1} << (2 * std::min(tries - 1, 3u)));
}

void LoginSession::failed(std::string why, SteadyTime now) {
  ++failures_;
  if (failures_ >= kInRowMax) return give_up(fmt::format("{} (tried {} times)", why, failures_));
  log::info("crawl.login_failed", {{"site", login_.page.origin()}, {"tries", failures_}, {"why", why}});
  begin_anew(now + pause_after(failures_));
}

void LoginSession::troubled(const HttpResponse& response, const std::string& detail, SteadyTime now) {
  const std::string why = name_of(response.url) + (response.complete() ? " " : ": ") + detail;
  ++troubles_;
  if (troubles_ >= kTroublesMax) return give_up(fmt::format("{} (tried {} times)", why, troubles_));
  log::info("crawl.login_put_off", {{"site", login_.page.origin()}, {"tries", troubles_}, {"why", why}});
  begin_anew(now + pause_after(troubles_));  // the host's own rest comes on top
}

void LoginSession::give_up(std::string why) {
  phase_ = Phase::kGivenUp;
  why_ = fmt::format("it could not be logged in to: {}", why);
  log::warn("crawl.login_given_up", {{"site", login_.page.origin()}, {"why", why}, {"setting", "crawl.logins"}});
}

bool LoginSession::note_wall(const Url& page, std::uint64_t signature, std::uint64_t login) {
  if (phase_ == Phase::kGivenUp || is_form(page)) return false;
  if (phase_ != Phase::kIn || login <= asked_before_) return true;  // it was asked before what has happened since
  if (unhelped_ >= kInRowMax) return false;
  const std::uint32_t times = ++walls_[signature];
  const bool first = login == asked_before_ + 1;  // nothing else has used the session up
  if (times == 1 || (!first && times < kWallsMax)) {
    begin_anew(next_login_at_);
    return true;
  }
  walls_.erase(signature);
  if (++unhelped_ < kInRowMax) return false;
  if (!content_seen_) give_up(fmt::format("{} logins in a row have opened no page", unhelped_));
  else log::warn("crawl.logins_open_nothing", {{"site", login_.page.origin()}, {"logins", unhelped_}});
  return false;
}

void LoginSession::note_content(std::uint64_t signature, std::uint64_t login) {
  if (phase_ != Phase::kIn || login <= asked_before_) return;
  content_seen_ = true;
  if (walls_.erase(signature) > 0) unhelped_ = 0;
}

// ---- all sites ----

FormLogins::FormLogins(const std::map<std::string, FormLogin>& by_origin, const LoginLimits& limits) : any_(!by_origin.empty()) {
  sessions_.with([&](Sessions& sessions) {
    for (const auto& [origin, login] : by_origin) sessions.try_emplace(origin, login, limits);
  });
}

/// What `use` makes of the site's session; a default value where the user gave none.
template <class Use>
auto FormLogins::with_session(const Url& url, Use&& use) {
  using Answer = std::invoke_result_t<Use, LoginSession&>;
  if (!any_) return Answer();
  return sessions_.with([&](Sessions& sessions) {
    const auto found = sessions.find(url.origin());
    return found == sessions.end() ? Answer() : use(found->second);
  });
}

LoginStep FormLogins::step(const Url& url, const RobotsRules& robots, SteadyTime now) {
  return with_session(url, [&](LoginSession& session) { return session.step(robots, now); });
}

void FormLogins::answered(const LoginAnswer& answer, SteadyTime now) {
  with_session(answer.response.url, [&](LoginSession& session) { session.answered(answer, now); });
}

bool FormLogins::leads_to_form(const HttpResponse& response, std::uint64_t signature, std::uint64_t login) {
  return with_session(response.url, [&](LoginSession& session) {
    const auto target = redirect_target(response);
    return target && *target && session.is_form(**target) && session.note_wall(response.url, signature, login);
  });
}

bool FormLogins::note_page(std::string_view url, std::uint64_t signature, std::uint64_t login, Cause cause) {
  if (!any_) return false;
  const auto parsed = Url::parse(url);
  if (!parsed) return false;
  return with_session(*parsed, [&](LoginSession& session) {
    if (cause == Cause::kLoginWall) return session.note_wall(*parsed, signature, login);
    if (cause == Cause::kNone) session.note_content(signature, login);
    return false;
  });
}

}  // namespace magpie::crawl
