#include "crawl/form_logins.h"

#include <algorithm>

#include "base/log.h"

namespace magpie::crawl {
namespace {

/// An address without its query, which may hold a secret.
std::string name_of(const Url& url) { return url.origin() + std::string(url.pathname()); }

}  // namespace

// ---- one site ----

LoginStep LoginSession::step(const RobotsRules& robots, SteadyTime now) {
  if (phase_ == Phase::kIn) return {};
  if (phase_ == Phase::kReading || phase_ == Phase::kSending) return {.waits = true};
  if (phase_ == Phase::kOut && now < not_before_) return {.waits = true, .until = not_before_};
  const Url& asked = phase_ == Phase::kFilled ? filled_->url : login_.page;
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
  return {.request = LoginRequest{login_.page}};
}

void LoginSession::answered(const HttpResponse& response, bool has_cookies, Timestamp at, SteadyTime now) {
  if (response.cause == HttpCause::kCancelled) {
    phase_ = Phase::kOut;
    return;
  }
  if (!response.complete()) return failed(response.error ? response.error->message : "no answer", now);
  if (phase_ == Phase::kReading) {
    if (response.status != 200) return failed(fmt::format("{} answered {}", name_of(response.url), response.status), now);
    auto filled = fill_login_form(response.body, login_);
    if (!filled) return failed(fmt::format("{}: {}", name_of(response.url), filled.error().message), now);
    filled_ = std::move(*filled);
    phase_ = Phase::kFilled;
    return;
  }
  if (auto sent = judge_sent(response, has_cookies); !sent) return failed(std::move(sent.error().message), now);
  phase_ = Phase::kIn;
  logged_in_at_ = at;
  next_login_at_ = now + limits_.every;
  failures_ = 0;
  log::info("crawl.logged_in", {{"site", login_.page.origin()}});
}

// Most sites send on to a page of theirs; a form that comes again was not accepted.
Result<void> LoginSession::judge_sent(const HttpResponse& response, bool has_cookies) const {
  const auto target = redirect_target(response);
  const bool again = target ? *target && is_form(**target) : fill_login_form(response.body, login_).has_value();
  if (again) return fail(Code::kForbidden, "{} shows the form again: user and password are not accepted", name_of(response.url));
  if (!target && response.status >= 300) return fail(Code::kForbidden, "{} answered {}", name_of(response.url), response.status);
  if (!has_cookies) return fail(Code::kForbidden, "{} has set no cookie", name_of(response.url));
  return {};
}

void LoginSession::failed(std::string why, SteadyTime now) {
  ++failures_;
  if (failures_ >= kInRowMax) return give_up(fmt::format("{} (tried {} times)", why, failures_));
  log::info("crawl.login_failed", {{"site", login_.page.origin()}, {"tries", failures_}, {"why", why}});
  phase_ = Phase::kOut;
  not_before_ = now + limits_.retry_delay * (std::int64_t{1} << (2 * (failures_ - 1)));
}

void LoginSession::give_up(std::string why) {
  phase_ = Phase::kGivenUp;
  why_ = fmt::format("it could not be logged in to: {}", why);
  log::warn("crawl.login_given_up", {{"site", login_.page.origin()}, {"why", why}, {"setting", "crawl.logins"}});
}

bool LoginSession::note_wall(const Url& page, std::uint64_t signature, Timestamp asked_at) {
  if (phase_ == Phase::kGivenUp || is_form(page)) return false;
  if (phase_ != Phase::kIn || asked_at < logged_in_at_) return true;  // it was asked before what has happened since
  if (unhelped_ >= kInRowMax) return false;
  if (walls_.erase(signature) == 0) {
    walls_.insert(signature);
    phase_ = Phase::kOut;
    not_before_ = next_login_at_;
    return true;
  }
  if (++unhelped_ < kInRowMax) return false;
  if (!content_seen_) give_up(fmt::format("{} logins in a row have opened no page", unhelped_));
  else log::warn("crawl.logins_open_nothing", {{"site", login_.page.origin()}, {"logins", unhelped_}});
  return false;
}

void LoginSession::note_content(std::uint64_t signature, Timestamp asked_at) {
  if (phase_ != Phase::kIn || asked_at < logged_in_at_) return;
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

void FormLogins::answered(const HttpResponse& response, bool has_cookies, Timestamp at, SteadyTime now) {
  with_session(response.url, [&](LoginSession& session) { session.answered(response, has_cookies, at, now); });
}

bool FormLogins::leads_to_form(const HttpResponse& response, std::uint64_t signature, Timestamp asked_at) {
  return with_session(response.url, [&](LoginSession& session) {
    const auto target = redirect_target(response);
    return target && *target && session.is_form(**target) && session.note_wall(response.url, signature, asked_at);
  });
}

bool FormLogins::note_page(std::string_view url, std::uint64_t signature, Timestamp asked_at, Cause cause) {
  if (!any_) return false;
  const auto parsed = Url::parse(url);
  if (!parsed) return false;
  return with_session(*parsed, [&](LoginSession& session) {
    if (cause == Cause::kLoginWall) return session.note_wall(*parsed, signature, asked_at);
    if (cause == Cause::kNone) session.note_content(signature, asked_at);
    return false;
  });
}

}  // namespace magpie::crawl
