#pragma once
// The form of a login page, filled in as a visitor would: user and password where they belong, hidden fields (a CSRF token) and what is
// ticked as they stand, the first button as if it was pressed. Source: HTML Living Standard §4.10.21, "constructing the entry list" and
// application/x-www-form-urlencoded.
//
// Foreign bytes, read in this process: they come from an origin that the user himself named and trusts with a password.
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/url.h"

namespace magpie::crawl {

/// Bytes of a login page, and of what it answers, that are read.
inline constexpr std::size_t kLoginBytesMax = 1024 * 1024;

/// A user's name and password for the form of one site.
struct FormLogin {
  Url page;  // where the form is
  std::string user, password;
  std::string user_field, password_field;  // names of its fields; "" for those that are found
};

/// What is to be sent.
struct LoginRequest {
  Url url;
  std::optional<std::string> post{};  // urlencoded; nothing for a GET
  std::string referer{};              // of a POST: the page that has the form
  bool begins = false;                // a login anew, without what cookies the host has set so far
};

/// The first form with one password field, else (a registration asks twice) the first with any. The user's field is the last text field
/// before the password's, else the first behind it.
/// Whatever the page's charset, what is sent is UTF-8.
/// kNotFound without such a form or field; kForbidden for a form that would send the password elsewhere than to `page`'s origin, or not by
/// POST, or not urlencoded. Messages hold nothing of what the user gave. Cost: one parse and one walk.
Result<LoginRequest> fill_login_form(std::string_view html, const FormLogin& login);

}  // namespace magpie::crawl
