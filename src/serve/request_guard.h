#pragma once
// Two questions before any route, so that pages of other sites cannot use a visitor's browser against a server on this machine:
//   Host    a name that is not ours means that somebody's name was pointed at our address (DNS rebinding)
//   Origin  a request that is no read and comes from another site's page (cross-site request forgery)
#include <optional>
#include <string>
#include <vector>

#include "net/http_server.h"
#include "serve/problem.h"

namespace magpie {

/// Nothing when the request may pass. Host passes as localhost, *.localhost, a plain address (nobody can point those elsewhere) or
/// one of `host_names`; on the Unix socket, which no browser reaches, everything does.
std::optional<Problem> judge_request(const HttpServerRequest& request, const std::vector<std::string>& host_names);

}  // namespace magpie
