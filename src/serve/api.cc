#include "serve/api.h"

#include <array>
#include <chrono>

#include "base/log.h"
#include "serve/request_guard.h"
#include "serve/routes.h"
#include "serve/static_files.h"

namespace magpie {
namespace {

/// The parts of a path between slashes; at most as many as the longest route has, and one more to tell that it is longer.
struct PathParts {
  static constexpr std::size_t kMax = 7;
  std::array<std::string_view, kMax> parts{};
  std::size_t count = 0;

  explicit PathParts(std::string_view path) {
    path.remove_prefix(1);
    while (count < kMax) {
      const std::size_t end = std::min(path.find('/'), path.size());
      parts[count++] = path.substr(0, end);
      if (end == path.size()) break;
      path.remove_prefix(end + 1);
    }
  }
};

/// What a request asks for: the route's name for the metrics, the method it takes, and its answer.
struct Route {
  std::string_view name;
  bool reads = false;   // GET and HEAD
  bool writes = false;  // POST
  std::function<RouteReply(ApiState&, const HttpServerRequest&)> answer;
  bool removes = false;             // DELETE
  std::optional<KeyScope> scope{};  // whatever the method; else reads need search and the others manage
  bool open = false;                // to all, keys or not; it judges for itself
};

/// Decoding and embedding a picture is a hundred times the work of a look-up.
constexpr double kUploadCost = 10;

/// Whether a picture, or a part of one, is to be understood for a search, or may be: an address may say "@" of something else, too.
bool needs_worker(const HttpServerRequest& request) {
  if (request.method == HttpMethod::kPost) return !is_json(request) || request.body.find('@') != std::string::npos;
  return std::ranges::any_of(request.query, [](const auto& parameter) {
    const std::string& name = parameter.first;
    return name == "box" || ((name == "like" || name == "unlike") && parameter.second.find('@') != std::string::npos);
  });
}

/// What reads with GET and does something with POST.
Route one_of_two(std::string_view name, RouteReply (*get)(ApiState&, const HttpServerRequest&),
                 RouteReply (*post)(ApiState&, const HttpServerRequest&)) {
  return {name, true, true, [get, post](ApiState& state, const HttpServerRequest& request) {
            return (request.method == HttpMethod::kPost ? post : get)(state, request);
          }};
}

using NamedRoute = RouteReply (*)(ApiState&, const HttpServerRequest&, std::string_view);
Route reads_one(std::string_view name, NamedRoute answer, std::string_view which) {
  return {name, true, false, [answer, which](ApiState& state, const HttpServerRequest& request) { return answer(state, request, which); }};
}
Route changes_one(std::string_view name, NamedRoute answer, std::string_view which) {
  return {name, false, true, [answer, which](ApiState& state, const HttpServerRequest& request) { return answer(state, request, which); }};
}

/// What reads with GET and forgets with DELETE.
Route one_to_forget(std::string_view name, NamedRoute get, NamedRoute remove, std::string_view which) {
  return {name, true, false,
          [get, remove, which](ApiState& state, const HttpServerRequest& request) {
            return (request.method == HttpMethod::kDelete ? remove : get)(state, request, which);
          },
          true};
}

Route open_to_all(std::string_view name, RouteReply (*answer)(ApiState&, const HttpServerRequest&)) {
  Route route{name, true, false, answer};
  route.open = true;
  return route;
}

/// Where a key is handed in, so nobody needs one to get there.
Route session_route() {
  Route route = open_to_all("session", [](ApiState& state, const HttpServerRequest& request) {
    if (request.method == HttpMethod::kPost) return open_session(state, request);
    return (request.method == HttpMethod::kDelete ? close_session : session)(state, request);
  });
  route.writes = route.removes = true;
  return route;
}

std::optional<Route> forget_route(const PathParts& path) {
  if (path.count == 3) return Route{"forgettings", false, true, &start_forgetting};
  if (path.count == 4 && path.parts[3] == "allow") return Route{"forgettings_allow", false, true, &allow_again};
  if (path.count != 4) return std::nullopt;
  Route one = reads_one("forgetting", &forgetting, path.parts[3]);
  one.scope = KeyScope::kManage;  // a report names what nobody is to find any more
  return one;
}

std::optional<Route> model_route(const PathParts& path) {
  if (path.count == 3) return Route{"model_changes", false, true, &start_model_change};
  if (path.count == 4) return reads_one("model_change", &model_change, path.parts[3]);
  if (path.count == 5 && path.parts[4] == "cancel") return changes_one("model_change_cancel", &cancel_model_change, path.parts[3]);
  return std::nullopt;
}

std::optional<Route> job_route(const PathParts& path) {
  const std::string_view id = path.parts[3];
  const std::string_view last = path.parts[4];
  if (path.count == 3) return one_of_two("jobs", &list_jobs, &start_job);
  if (path.count == 4) return reads_one("job", &job, id);
  if (path.count != 5) return std::nullopt;
  if (last == "cancel") return changes_one("job_cancel", &cancel_job, id);
  if (last == "retry") return changes_one("job_retry", &retry_job, id);
  if (last == "revisit") return changes_one("job_revisit", &revisit_job, id);
  return std::nullopt;
}

std::optional<Route> shop_route(const PathParts& path) {
  const std::string_view name = path.parts[3];
  const std::string_view last = path.parts[4];
  if (path.count == 3) return one_of_two("shops", &list_shops, &add_shop);
  if (path.count == 4) return reads_one("shop", &shop, name);
  if (path.count != 5) return std::nullopt;
  if (last == "change") return changes_one("shop_change", &change_shop, name);
  if (last == "run") return changes_one("shop_run", &run_shop, name);
  if (last == "remove") return changes_one("shop_remove", &remove_shop, name);
  return std::nullopt;
}

std::optional<Route> preview_route(const PathParts& path) {
  const std::string_view id = path.parts[3];
  const std::string_view rank = path.parts[5];
  if (path.count == 3) return Route{"previews", false, true, &start_preview};
  if (path.count == 4) return reads_one("preview", &preview, id);
  if (path.count == 5 && path.parts[4] == "cancel") return changes_one("preview_cancel", &cancel_preview, id);
  if (path.count != 6 || path.parts[4] != "thumbnails") return std::nullopt;
  return Route{"preview_thumbnail", true, false,
               [id, rank](ApiState& state, const HttpServerRequest& request) { return preview_thumbnail(state, request, id, rank); }};
}

std::optional<Route> copy_route(const PathParts& path) {
  if (path.count == 3) return Route{"copies", true, false, &list_copies};
  if (path.parts[3] != "reviews") return std::nullopt;
  if (path.count == 4) return one_of_two("copy_reviews", &list_copy_reviews, &review_copies);
  if (path.count == 6 && path.parts[5] == "undo") return changes_one("copy_review_undo", &undo_copy_review, path.parts[4]);
  return std::nullopt;
}

std::optional<Route> route_below_api(const PathParts& path) {
  const std::string_view what = path.parts[2];
  const std::string_view id = path.parts[3];
  const std::string_view last = path.parts[4];
  if (what == "jobs") return job_route(path);
  if (what == "shops") return shop_route(path);
  if (what == "copies") return copy_route(path);
  if (what == "previews") return preview_route(path);
  if (what == "forgettings") return forget_route(path);
  if (what == "model_changes") return model_route(path);
  if (path.count == 3 && what == "search") {
    Route both = one_of_two("search", &search, &search_by_body);
    both.scope = KeyScope::kSearch;
    return both;
  }
  if (path.count == 3 && what == "collect") return Route{"collect", false, true, &start_collect};
  if (path.count == 3 && what == "events") return Route{"events", true, false, &events};
  if (path.count == 3 && what == "session") return session_route();
  if (path.count == 3 && what == "stats") return Route{"stats", true, false, &stats};
  if (path.count == 3 && what == "openapi.yaml")
    return Route{"openapi", true, false, [](ApiState& state, const HttpServerRequest&) { return description(state); }};
  if (path.count == 4 && what == "images") return one_to_forget("image", &image, &forget_image, id);
  if (path.count == 5 && what == "images") {
    return Route{"image_variant", true, false,
                 [id, last](ApiState& state, const HttpServerRequest& request) { return image_variant(state, request, id, last); }};
  }
  if (path.count == 4 && what == "products") return one_to_forget("product", &product, &forget_product, id);
  return std::nullopt;
}

/// Nothing for a path that is none of the API's. The route borrows parts of the path.
std::optional<Route> find_route(const PathParts& path) {
  if (path.count == 1) {
    if (path.parts[0] == "healthz") return open_to_all("healthz", [](ApiState&, const HttpServerRequest&) { return health(); });
    if (path.parts[0] == "readyz") return open_to_all("readyz", [](ApiState& state, const HttpServerRequest&) { return readiness(state); });
    if (path.parts[0] == "metrics")
      return Route{"metrics", true, false, [](ApiState& state, const HttpServerRequest&) { return metrics(state); }};
  }
  if (path.count >= 3 && path.parts[0] == "api" && path.parts[1] == "v1") return route_below_api(path);
  return std::nullopt;
}

KeyScope scope_of(const Route& route, HttpMethod method) {
  const bool reads = method == HttpMethod::kGet || method == HttpMethod::kHead;
  return route.scope.value_or(reads ? KeyScope::kSearch : KeyScope::kManage);
}

bool takes(const Route& route, HttpMethod method) {
  if (method == HttpMethod::kPost) return route.writes;
  if (method == HttpMethod::kDelete) return route.removes;
  return route.reads && (method == HttpMethod::kGet || method == HttpMethod::kHead);
}

std::string methods_of(const Route& route) {
  std::string methods;
  for (const auto& [takes_it, names] :
       {std::pair(route.reads, "GET, HEAD"), std::pair(route.writes, "POST"), std::pair(route.removes, "DELETE")}) {
    if (takes_it) methods += fmt::format("{}{}", methods.empty() ? "" : ", ", names);
  }
  return methods;
}

HttpServerReply method_refused(const HttpServerRequest& request, std::string_view allowed) {
  HttpServerReply reply =
      problem_reply({405, "method_not_allowed", fmt::format("this address takes {}, not {}", allowed, request.method_name)});
  reply.headers.push_back({"Allow", std::string(allowed)});
  return reply;
}

void add_unless_there(HttpHeaders& headers, std::string_view name, std::string_view value) {
  if (!find_header(headers, name)) headers.push_back({std::string(name), std::string(value)});
}

/// Every answer is one that no other site may frame, sniff or embed, and no link of ours tells where it stood.
void add_security_headers(HttpServerReply& reply) {
  add_unless_there(reply.headers, "X-Content-Type-Options", "nosniff");
  add_unless_there(reply.headers, "X-Frame-Options", "DENY");
  add_unless_there(reply.headers, "Referrer-Policy", "no-referrer");
  add_unless_there(reply.headers, "Cross-Origin-Resource-Policy", "same-origin");
  add_unless_there(reply.headers, "Cross-Origin-Opener-Policy", "same-origin");
  add_unless_there(reply.headers, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
}

}  // namespace

class Api::Impl {
 public:
  Impl(const ApiPorts& ports, ApiOptions options) : options_(std::move(options)), state_(ports, options_) { load_web_files(); }

  HttpServerReply answer(const HttpServerRequest& request) {
    const auto began = std::chrono::steady_clock::now();
    std::string_view name = "web";
    HttpServerReply reply = route(request, name);
    add_security_headers(reply);
    note(name, reply.status, std::chrono::steady_clock::now() - began);
    return reply;
  }

  void close_streams() { state_.hub.close_all(); }

 private:
  HttpServerReply route(const HttpServerRequest& request, std::string_view& name) {
    const PathParts path(request.path);
    const std::optional<Route> found = find_route(path);
    if (found) name = found->name;
    // /healthz and /metrics are asked by machines under any name, and tell nothing of the collection's contents.
    const bool under_any_name = name == "healthz" || name == "readyz" || name == "metrics";
    if (!under_any_name) {
      if (const auto refused = judge_request(request, options_.host_names)) return problem_reply(*refused);
    }
    if (!found) return path.parts[0] == "api" ? no_such_address(request) : web_file(request);
    if (!takes(*found, request.method)) return method_refused(request, methods_of(*found));
    if (!found->open) {
      const bool looks = name == "search" && needs_worker(request);
      if (const auto refused = state_.gate.judge(request, scope_of(*found, request.method), looks ? kUploadCost : 1))
        return problem_reply(*refused);
    }
    RouteReply reply = found->answer(state_, request);
    return reply ? *std::move(reply) : problem_reply(reply.error());
  }

  static HttpServerReply no_such_address(const HttpServerRequest& request) {
    return problem_reply(
        {404, "address_not_found", fmt::format("there is nothing at {}; /api/v1/openapi.yaml lists what there is", request.path)});
  }

  HttpServerReply web_file(const HttpServerRequest& request) const {
    if (request.method != HttpMethod::kGet && request.method != HttpMethod::kHead) return method_refused(request, "GET, HEAD");
    if (auto reply = files_.answer(request)) return *std::move(reply);
    if (!web_missing_.empty()) return problem_reply({404, "web_not_installed", web_missing_});
    return problem_reply({404, "address_not_found", fmt::format("there is nothing at {}", request.path)});
  }

  void load_web_files() {
    Result<StaticFiles> files =
        options_.web_folder.empty() ? fail(Code::kNotFound, "no web folder is set") : StaticFiles::load(options_.web_folder);
    if (files) {
      files_ = *std::move(files);
    } else {
      web_missing_ = files.error().message + "; the API works without the web application, './dev build' makes it";
      log::warn("serve.no_web_files", {{"reason", files.error().message}});
    }
  }

  void note(std::string_view name, int status, std::chrono::nanoseconds took) {
    MetricsRegistry& registry = state_.ports.metrics;
    registry.counter("magpie_http_requests_total", "Requests answered.", fmt::format("route=\"{}\",status=\"{}\"", name, status)).add();
    registry.histogram("magpie_http_request_seconds", "Time to an answer, without sending it.", fmt::format("route=\"{}\"", name))
        .observe(std::chrono::duration<double>(took).count());
  }

  const ApiOptions options_;
  ApiState state_;
  StaticFiles files_;
  std::string web_missing_;  // why there are none
};

Api::Api(const ApiPorts& ports, ApiOptions options) : impl_(std::make_unique<Impl>(ports, std::move(options))) {}
Api::~Api() = default;

HttpServerReply Api::answer(HttpServerRequest request) { return impl_->answer(request); }

HttpServerReply Api::refuse(const HttpServerRequest& head, int status, std::string_view why) {
  std::string_view code = "request_malformed";
  if (status == 413) code = head.path == "/api/v1/search" ? "picture_too_large" : "request_too_large";
  if (status == 431) code = "request_too_large";
  if (status == 503) code = "overloaded";
  HttpServerReply reply = problem_reply({status, code, std::string(why)});
  add_security_headers(reply);
  return reply;
}

void Api::close_streams() { impl_->close_streams(); }

}  // namespace magpie
