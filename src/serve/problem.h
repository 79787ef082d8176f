#pragma once
// Problem documents (RFC 9457): what every failed request of the API gets. `code` is for programs and stable; docs/openapi.yaml
// lists them.
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/result.h"
#include "net/http_server.h"

namespace magpie {

struct Problem {
  int status = 500;
  std::string_view code;  // a literal, "parameter_invalid"
  std::string detail;     // for people: what is wrong and what to do next
  int retry_after_s = 0;  // over 0: as the header Retry-After
};

/// A value, or the problem to answer with. Inside this folder only.
template <class T>
using Outcome = tl::expected<T, Problem>;

template <class... Args>
tl::unexpected<Problem> problem(int status, std::string_view code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected(Problem{status, code, fmt::format(format, std::forward<Args>(args)...)});
}
/// For a failure that no route has words of its own for: 503 `overloaded` where a retry may help, else 500 `internal`.
tl::unexpected<Problem> problem(const Error& error);

HttpServerReply problem_reply(const Problem& problem);
/// "Not Found" for 404.
std::string_view status_words(int status);

}  // namespace magpie

/// As MAGPIE_TRY (base/result.h), for a Result or an Outcome inside a function that returns an Outcome.
#define SERVE_TRY_AS(name, declaration, ...)                      \
  auto&& name = (__VA_ARGS__);                                    \
  if (!name) [[unlikely]]                                         \
    return ::magpie::detail::as_problem(std::move(name).error()); \
  declaration = std::move(*name)
#define SERVE_TRY(declaration, ...) SERVE_TRY_AS(MAGPIE_CONCAT(serve_try_, __LINE__), declaration, __VA_ARGS__)

namespace magpie::detail {
inline tl::unexpected<Problem> as_problem(Problem problem) { return tl::unexpected(std::move(problem)); }
inline tl::unexpected<Problem> as_problem(const Error& error) { return problem(error); }
}  // namespace magpie::detail
