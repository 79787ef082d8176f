#pragma once
// Expected failures are values: a function that can fail returns Result<T>, and its caller sees that in the type.
// Call sites use only `if (!r)`, `*r`, `r->`, `r.error()`, MAGPIE_TRY and MAGPIE_TRY_DO, so that this file alone changes
// when the standard library's std::expected becomes usable. No exception crosses a folder's header.
//
//   Result<Page> load(const Url& url) {
//     MAGPIE_TRY(Fetch fetch, fetch_url(url));        // returns the error to the caller, or binds the value
//     MAGPIE_TRY_DO(check_size(fetch));               // for Result<void>
//     if (fetch.status == 404) return fail(Code::kNotFound, "{} is gone", url.href());
//     return parse(fetch);
//   }
#include <fmt/format.h>

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace magpie {

/// What the caller can do about a failure. Few on purpose: a code means an action, the message names the thing.
enum class Code {
  kBadInput,     // foreign bytes or a wrong argument: skip it and say so
  kNotFound,     // it is not there: an answer, not a fault
  kForbidden,    // a rule refuses it (robots.txt, address guard, scope): do not retry
  kTooLarge,     // over a stated limit: skip it, or raise the limit
  kTimeout,      // a deadline passed: retry later
  kUnavailable,  // the other side or the disk did not answer: retry later
  kBusy,         // somebody else holds it (lock, full queue): wait or ask them
  kCorrupt,      // our own stored bytes are damaged: repair or rebuild
  kCancelled,    // the user or a shutdown asked to stop
  kInternal,     // a fault of ours or of a library: report it
};

/// The name in kebab case ("bad-input"), as it stands in logs, JSON and the catalog. Persisted: append only.
std::string_view to_string(Code code);

struct Error {
  Code code = Code::kInternal;
  std::string message;  // one sentence without a full stop, naming the thing; safe to show to a person
};

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
 public:
  using tl::expected<T, Error>::expected;
};

using Failure = tl::unexpected<Error>;

/// An error for `return`; the message is a fmt format.
template <class... Args>
Failure fail(Code code, fmt::format_string<Args...> format, Args&&... args) {
  return Failure(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}

/// Hands an error on with words in front: "reading catalog: disk is full".
inline Failure fail(Error error, std::string_view context) {
  error.message.insert(0, fmt::format("{}: ", context));
  return Failure(std::move(error));
}

}  // namespace magpie

#define MAGPIE_CONCAT_INNER(a, b) a##b
#define MAGPIE_CONCAT(a, b) MAGPIE_CONCAT_INNER(a, b)

#define MAGPIE_TRY_AS(name, declaration, ...)          \
  auto&& name = (__VA_ARGS__);                         \
  if (!name) [[unlikely]]                              \
    return ::magpie::Failure(std::move(name).error()); \
  declaration = std::move(*name)
/// Binds the value of a Result, or returns its error from the calling function.
#define MAGPIE_TRY(declaration, ...) MAGPIE_TRY_AS(MAGPIE_CONCAT(magpie_try_, __LINE__), declaration, __VA_ARGS__)
/// The same for Result<void>.
#define MAGPIE_TRY_DO(...)                                             \
  do {                                                                 \
    if (auto&& magpie_done = (__VA_ARGS__); !magpie_done) [[unlikely]] \
      return ::magpie::Failure(std::move(magpie_done).error());        \
  } while (false)
