#pragma once
// Being let in by forms: for each site whose form the user gave a password for, whether its crawl is logged in, and what to do when it is
// not. It acts on nothing: the loop asks what comes next, sends that, and tells what was answered.
//
//             page of the site               form's page              the form is sent             a page is a login wall
//   kOut ───────────────────────▶ kReading ─────────────▶ kFilled ───────────────────▶ kSending ─▶ kIn ──────────────────▶ kOut
//
// Bounds. One login of a site in `every`, but for tries that fail. A form that comes again has refused the password: the site is given up
// at once, since more tries lock accounts. So it is after three other failures in a row. What troubles the whole host (429, 503, nobody
// there, no answer in time) is its back-off's to judge, and ends a login only after twenty. A page that is a wall is asked again behind the
// next login. Is it one still, it is the page's own, if it was the first to be asked there; behind others, which may have used the session
// up, it is one try of three. Three such in a row, and walls mean no login any more.
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "core/records.h"
#include "crawl/answer.h"
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
  std::string refused;      // it is not asked at all: why
  std::uint64_t login = 0;  // nothing of these: the address's number among all that are asked behind the site's logins, from 1
};

/// What a step of a login has brought.
struct LoginAnswer {
  const HttpResponse& response;
  const AnswerVerdict& verdict;
  bool set_cookies = false;  // it set a cookie of its host anew
};

struct LoginLimits {
  Millis every{300'000};      // least time between two logins of one site
  Millis retry_delay{5'000};  // before the second try; four times as long before each further one, up to 64 times
};

/// One site. Not thread-safe.
class LoginSession {
 public:
  static constexpr std::uint32_t kInRowMax = 3;
  static constexpr std::uint32_t kTroublesMax = 20;  // in a row
  static constexpr std::uint32_t kWallsMax = 3;      // of one page, each behind another login
  static constexpr std::uint32_t kRedirectsMax = 5;  // on the way to the form

  LoginSession(FormLogin login, const LoginLimits& limits)
      : login_(std::move(login)), limits_(limits), next_(login_.page), form_at_(login_.page) {}

  LoginStep step(const RobotsRules& robots, SteadyTime now);
  /// What the last request has brought.
  void answered(const LoginAnswer& answer, SteadyTime now);
  /// A page of this address was a wall. True when it is to be asked again. @param login  that of its step.
  bool note_wall(const Url& page, std::uint64_t signature, std::uint64_t login);
  /// A page was content.
  void note_content(std::uint64_t signature, std::uint64_t login);
  /// Whether an address is the form's, maybe with more in its query (what went wrong, where to go then). A form whose address is "/" and
  /// nothing more stands on a page that has a life of its own: there it is never one.
  bool is_form(const Url& url) const;

 private:
  enum class Phase { kOut, kReading, kFilled, kSending, kIn, kGivenUp };
  void read_form(const HttpResponse& response, SteadyTime now);
  void judge_sent(const HttpResponse& response, SteadyTime now);
  void begin_anew(SteadyTime not_before);
  void failed(std::string why, SteadyTime now);
  void troubled(const HttpResponse& response, const std::string& detail, SteadyTime now);
  void give_up(std::string why);
  Millis pause_after(std::uint32_t tries) const;

  FormLogin login_;
  LoginLimits limits_;
  Phase phase_ = Phase::kOut;
  Url next_;     // of kOut: what is read next, the form's page or where it has sent to
  Url form_at_;  // where the form was found
  std::uint32_t redirects_ = 0;
  bool set_cookies_ = false;  // the answers of this login
  std::optional<LoginRequest> filled_;
  SteadyTime not_before_{};  // of kOut
  SteadyTime next_login_at_{};
  std::uint64_t asked_ = 0;                       // pages behind all logins so far
  std::uint64_t asked_before_ = 0;                // of them, before the last login
  std::uint32_t failures_ = 0;                    // in a row
  std::uint32_t troubles_ = 0;                    // in a row, of the host
  std::uint32_t unhelped_ = 0;                    // logins in a row that opened nothing
  bool content_seen_ = false;                     // behind any login
  std::map<std::uint64_t, std::uint32_t> walls_;  // pages that are asked again, and how often they were walls; at most one a login
  std::string why_;                               // of kGivenUp
};

/// All sites of a run. step(), answered() and leads_to_form() are for the loop's thread, note_page() for any.
class FormLogins {
 public:
  FormLogins(const std::map<std::string, FormLogin>& by_origin, const LoginLimits& limits);

  /// Before `url`, which robots.txt must allow, is asked.
  LoginStep step(const Url& url, const RobotsRules& robots, SteadyTime now);
  void answered(const LoginAnswer& answer, SteadyTime now);
  /// Whether an answer sends to its site's form, and its address is to be asked again.
  bool leads_to_form(const HttpResponse& response, std::uint64_t signature, std::uint64_t login);
  /// What a page turned out to be. True when it is a wall that is to be asked again.
  bool note_page(std::string_view url, std::uint64_t signature, std::uint64_t login, Cause cause);

 private:
  using Sessions = std::map<std::string, LoginSession>;  // by origin
  template <class Use>
  auto with_session(const Url& url, Use&& use);

  bool any_;
  Guarded<Sessions> sessions_;
};

}  // namespace magpie::crawl
