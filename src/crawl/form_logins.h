#pragma once
// Being let in by forms: for each site whose form the user gave a password for, whether its crawl is logged in, and what to do when it is
// not. It acts on nothing: the loop asks what comes next, sends that, and tells what was answered.
//
//             page of the site               form's page              the form is sent             a page is a login wall
//   kOut ───────────────────────▶ kReading ─────────────▶ kFilled ───────────────────▶ kSending ─▶ kIn ──────────────────▶ kOut
//
// Bounds. One login of a site in `every`, but for tries that fail: three in a row, and the site is given up. A page that is a wall is
// asked again behind the next login; is it one still, it is the page's own. Three such in a row, and walls mean no login any more.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "core/records.h"
#include "crawl/host_state.h"
#include "crawl/login_form.h"
#include "crawl/robots.h"
#include "net/http_client.h"

namespace magpie::crawl {

/// What has to happen before an address is asked.
struct LoginStep {
  std::optional<LoginRequest> request;  // this first
  bool waits = false;                   // for an answer that is under way, or for `until`
  std::optional<SteadyTime> until;
  std::string refused;  // it is not asked at all: why
};

struct LoginLimits {
  Millis every{300'000};      // least time between two logins of one site
  Millis retry_delay{5'000};  // before the second try; four times as long before the third
};

/// One site. Not thread-safe.
class LoginSession {
 public:
  static constexpr std::uint32_t kInRowMax = 3;

  LoginSession(FormLogin login, const LoginLimits& limits) : login_(std::move(login)), limits_(limits) {}

  LoginStep step(const RobotsRules& robots, SteadyTime now);
  /// What the last request has brought. @param has_cookies  whether the site has set any that go back to it.
  void answered(const HttpResponse& response, bool has_cookies, Timestamp at, SteadyTime now);
  /// A page of this address was a wall. True when it is to be asked again.
  bool note_wall(const Url& page, std::uint64_t signature, Timestamp asked_at);
  /// A page was content.
  void note_content(std::uint64_t signature, Timestamp asked_at);
  bool is_form(const Url& url) const { return url.origin() == login_.page.origin() && url.pathname() == login_.page.pathname(); }

 private:
  enum class Phase { kOut, kReading, kFilled, kSending, kIn, kGivenUp };
  void failed(std::string why, SteadyTime now);
  void give_up(std::string why);
  Result<void> judge_sent(const HttpResponse& response, bool has_cookies) const;

  FormLogin login_;
  LoginLimits limits_;
  Phase phase_ = Phase::kOut;
  std::optional<LoginRequest> filled_;
  SteadyTime not_before_{};  // of kOut
  SteadyTime next_login_at_{};
  Timestamp logged_in_at_{};
  std::uint32_t failures_ = 0;     // in a row
  std::uint32_t unhelped_ = 0;     // logins in a row that opened nothing
  bool content_seen_ = false;      // behind any login
  std::set<std::uint64_t> walls_;  // pages that are asked again; at most one a login
  std::string why_;                // of kGivenUp
};

/// All sites of a run. step(), answered() and leads_to_form() are for the loop's thread, note_page() for any.
class FormLogins {
 public:
  FormLogins(const std::map<std::string, FormLogin>& by_origin, const LoginLimits& limits);

  /// Before `url`, which robots.txt must allow, is asked.
  LoginStep step(const Url& url, const RobotsRules& robots, SteadyTime now);
  void answered(const HttpResponse& response, bool has_cookies, Timestamp at, SteadyTime now);
  /// Whether an answer sends to its site's form, and its address is to be asked again.
  bool leads_to_form(const HttpResponse& response, std::uint64_t signature, Timestamp asked_at);
  /// What a page turned out to be. True when it is a wall that is to be asked again.
  bool note_page(std::string_view url, std::uint64_t signature, Timestamp asked_at, Cause cause);

 private:
  using Sessions = std::map<std::string, LoginSession>;  // by origin
  template <class Use>
  auto with_session(const Url& url, Use&& use);

  bool any_;
  Guarded<Sessions> sessions_;
};

}  // namespace magpie::crawl
