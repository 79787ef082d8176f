#include "browser/tab.h"

#include <algorithm>
#include <array>

#include "base/hash.h"
#include "base/json_writer.h"
#include "browser/request_filter.h"

namespace magpie::browser {
namespace {

using namespace std::chrono_literals;

constexpr auto kQuiet = 400ms;      // without a request, behind the page's load event: nothing more is coming
constexpr auto kReadMax = 5'000ms;  // for the tree, once it is asked for
constexpr int kPatience = 20;       // times time_max, waiting for servers included
constexpr int kScrollsMax = 8;
constexpr std::size_t kHtmlBytesMax = std::size_t{20} << 20;
constexpr std::size_t kPostBytesMax = std::size_t{64} << 10;
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
// Transparent, of one point.
constexpr std::string_view kEmptyPicture = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7";

// To the end of what there is, and then as long as a painted frame and a short timer take: what hangs on scrolling has been told. The
// answer comes once the page's scripts let go, so it also says that they are not in the middle of something.
constexpr std::string_view kScroll =
    "new Promise(done=>{const e=document.scrollingElement||document.documentElement;window.scrollTo(0,e.scrollHeight);"
    "const end=()=>done(Math.max(e.scrollHeight,document.body?document.body.scrollHeight:0));"
    "requestAnimationFrame(()=>setTimeout(end,60));setTimeout(end,1000)})";

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::any_of(names.begin(), names.end(), [&](std::string_view one) { return same_header_name(name, one); });
}

// Cookies stay with the crawl; what speaks of the bytes on the wire, or of visits to come, is nothing for a page that is gone in a moment.
bool is_told_to_browser(std::string_view name) {
  return !is_one_of(name, {"set-cookie", "content-encoding", "content-length", "transfer-encoding", "connection", "keep-alive", "alt-svc",
                           "strict-transport-security", "clear-site-data", "content-disposition", "refresh", "report-to", "nel", "link"});
}

// The client has an agent and codings of its own; Sec-… speak of a browser that is not asking.
bool is_told_to_server(std::string_view name) {
  return !is_one_of(name, {"user-agent", "cookie", "accept-encoding", "connection", "host", "content-length", "upgrade-insecure-requests",
                           "cache-control", "pragma", "referer", "dnt", "priority", "purpose"}) &&
         !(name.size() >= 4 && same_header_name(name.substr(0, 4), "sec-"));
}

bool may_be_kept(const SubResult& answer) {
  const auto control = find_header(answer.headers, "cache-control");
  return answer.status == 200 && (!control || control->find("no-store") == std::string_view::npos);
}

}  // namespace

// ---- scripts ----

std::shared_ptr<const SubResult> ScriptCache::find(const std::string& url) {
  const auto known = by_url_.find(url);
  if (known == by_url_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, known->second);
  return known->second->script;
}

void ScriptCache::keep(const std::string& url, std::shared_ptr<const SubResult> script) {
  if (by_url_.contains(url) || script->body.size() > bytes_max_ / 4) return;
  bytes_ += script->body.size();
  entries_.push_front({url, std::move(script)});
  by_url_[url] = entries_.begin();
  while (bytes_ > bytes_max_) {
    bytes_ -= entries_.back().script->body.size();
    by_url_.erase(entries_.back().url);
    entries_.pop_back();
  }
}

// ---- the tab's life ----

Tab::Tab(TabParts parts, std::string url, PlainPage page, SteadyTime now)
    : parts_(std::move(parts)), url_(std::move(url)), page_(std::move(page)), started_at_(now), last_tick_(now), quiet_since_(now) {
  send(Step::kContext, "Target.createBrowserContext", "{}");
}

void Tab::send(Step step, std::string_view method, std::string_view parameters) {
  commands_[parts_.tools.send(method, parameters, session_)] = step;
}

bool Tab::take(const DevToolsMessage& message, SteadyTime now) {
  if (message.id == 0) {
    if (session_.empty() || message.session != session_) return false;
    if (stage_ != Stage::kEnded) take_event(message, now);
    return true;
  }
  const auto command = commands_.find(message.id);
  if (command == commands_.end()) return false;
  const Step step = command->second;
  commands_.erase(command);
  if (stage_ == Stage::kEnded) return true;
  if (step == Step::kUnwatched) return true;  // as of a request that its page has given up meanwhile
  if (message.error.empty()) step_done(step, message, now);
  else fail_with(Error{Code::kUnavailable, fmt::format("the browser refuses a step: {}", message.error)});
  return true;
}

void Tab::step_done(Step step, const DevToolsMessage& message, SteadyTime now) {
  JsonWriter json;
  switch (step) {
    case Step::kContext:
      context_ = text_at(message.values, "browserContextId");
      json.begin_object().field("url", "about:blank").field("browserContextId", context_).field("width", 1'280).field("height", 1'600);
      return send(Step::kTarget, "Target.createTarget", json.end_object().text());
    case Step::kTarget:
      target_ = text_at(message.values, "targetId");
      return send(Step::kAttach, "Target.attachToTarget",
                  json.begin_object().field("targetId", target_).field("flatten", true).end_object().text());
    case Step::kAttach: session_ = text_at(message.values, "sessionId"); return open_session();
    case Step::kReady: return send(Step::kNavigate, "Page.navigate", json.begin_object().field("url", url_).end_object().text());
    case Step::kNavigate:
      if (const std::string_view why = text_at(message.values, "errorText"); !why.empty())
        return fail_with(Error{Code::kUnavailable, fmt::format("the browser does not show the page: {}", why)});
      return;
    case Step::kScroll: return scrolled(number_at(message.values, "result", "value"), now);
    case Step::kDocument:
      json.begin_object().field("nodeId", id_at(message.values, "root", "nodeId")).end_object();
      return send(Step::kHtml, "DOM.getOuterHTML", json.text());
    case Step::kHtml: return finish(text_at(message.values, "outerHTML"), now);
    case Step::kUnwatched: return;
  }
}

void Tab::open_session() {
  stage_ = Stage::kLoading;
  for (const char* method : {"Network.enable", "Inspector.enable"}) send(Step::kUnwatched, method, "{}");
  // As one that somebody looks at: in others no frame is painted, and lists wait for that.
  send(Step::kUnwatched, "Emulation.setFocusEmulationEnabled", R"({"enabled":true})");
  send(Step::kUnwatched, "Network.setBypassServiceWorker", R"({"bypass":true})");
  send(Step::kUnwatched, "Browser.setDownloadBehavior", R"({"behavior":"deny"})");
  send(Step::kUnwatched, "Fetch.enable", R"({"patterns":[{"urlPattern":"*"}]})");
  // Waited for: told to a page that is being left, it would miss the next one's load event.
  send(Step::kReady, "Page.enable", "{}");
}

void Tab::take_event(const DevToolsMessage& message, SteadyTime now) {
  if (message.method == "Fetch.requestPaused") return take_request(message.values, now);
  if (message.method == "Page.loadEventFired") {
    loaded_ = true;
    quiet_since_ = now;
  } else if (message.method == "Page.javascriptDialogOpening") {
    send(Step::kUnwatched, "Page.handleJavaScriptDialog", R"({"accept":false})");
  } else if (message.method == "Inspector.targetCrashed") {
    fail_with(Error{Code::kUnavailable, "the browser's process of this page has crashed"});
  }
}

// ---- requests of the page ----

void Tab::take_request(simdjson::dom::element event, SteadyTime now) {
  const std::string id(text_at(event, "requestId"));
  const std::string_view type = text_at(event, "resourceType");
  PageRequest asked{.url = text_at(event, "request", "url"), .method = text_at(event, "request", "method"), .type = type};
  asked.main_frame = text_at(event, "frameId") == target_;
  asked.page = url_;
  asked.page_given = page_given_;
  quiet_since_ = now;
  switch (judge_request(asked)) {
    case Handling::kPage:
      page_given_ = true;
      fulfill(id, page_.status, page_.headers, page_.body);
      page_.body = {};
      return;
    case Handling::kPicture: {
      static const std::string picture = base64_decode(kEmptyPicture).value();
      return fulfill(id, 200, {{"Content-Type", "image/gif"}, {"Access-Control-Allow-Origin", "*"}}, picture);
    }
    case Handling::kStyle: return fulfill(id, 200, {{"Content-Type", "text/css"}, {"Access-Control-Allow-Origin", "*"}}, "");
    case Handling::kPreflight: {
      const std::string origin(text_at(event, "request", "headers", "Origin"));
      const std::string wanted(text_at(event, "request", "headers", "Access-Control-Request-Headers"));
      return fulfill(id, 204,
                     {{"Access-Control-Allow-Origin", origin},
                      {"Access-Control-Allow-Headers", wanted},
                      {"Access-Control-Allow-Methods", "GET, POST"},
                      {"Access-Control-Allow-Credentials", "true"}},
                     "");
    }
    case Handling::kFetch: {
      simdjson::dom::element request;
      if (event["request"].get(request) == simdjson::SUCCESS) return fetch(id, request, type);
      return refuse(id);
    }
    // A page that is on its way elsewhere stays; otherwise the browser would show an error in its place.
    case Handling::kRefuse: return refuse(id, type == "Document" ? "Aborted" : "BlockedByClient");
  }
}

void Tab::fetch(const std::string& id, simdjson::dom::element request, std::string_view type) {
  auto url = Url::parse(text_at(request, "url"));
  if (!url || ++asked_ > parts_.options.requests_max) return refuse(id);
  const bool script = type == "Script" && text_at(request, "method") == "GET";
  if (const auto kept = script ? parts_.scripts.find(url->href()) : nullptr) return fulfill(id, kept->status, kept->headers, kept->body);
  SubRequest sub{.url = *url, .page = url_};
  simdjson::dom::object headers;
  if (request["headers"].get(headers) == simdjson::SUCCESS) {
    for (const auto& [name, value] : headers) {
      std::string_view text;
      if (value.get(text) == simdjson::SUCCESS && is_told_to_server(name)) sub.headers.push_back({std::string(name), std::string(text)});
    }
  }
  if (text_at(request, "method") == "POST") {
    sub.post = text_at(request, "postData");
    if (sub.post->size() > kPostBytesMax) return refuse(id);
  }
  pending_[id] = {url->href(), script};
  ++rendered_.requests;
  parts_.fetch(id, std::move(sub));
}

void Tab::answered(const std::string& request_id, Result<HttpResponse> answer, SteadyTime now) {
  const auto pending = pending_.extract(request_id);
  if (pending.empty() || stage_ == Stage::kEnded) return;
  quiet_since_ = now;
  if (!answer || !answer->complete() || answer->status == 0) return refuse(request_id);
  auto result = std::make_shared<SubResult>();
  result->status = answer->status;
  result->headers = std::move(answer->headers);
  result->body = std::move(answer->body);
  rendered_.bytes += result->body.size();
  fulfill(request_id, result->status, result->headers, result->body);
  if (pending.mapped().script && may_be_kept(*result)) parts_.scripts.keep(pending.mapped().url, std::move(result));
}

void Tab::fulfill(const std::string& id, int status, const HttpHeaders& headers, std::string_view body) {
  JsonWriter json;
  json.begin_object().field("requestId", id).field("responseCode", status).key("responseHeaders").begin_array();
  for (const HttpHeader& header : headers) {
    if (!is_told_to_browser(header.name)) continue;
    json.begin_object().field("name", header.name).field("value", header.value).end_object();
  }
  json.end_array();
  if (!body.empty()) json.field("body", base64_encode(body));
  send(Step::kUnwatched, "Fetch.fulfillRequest", json.end_object().text());
}

void Tab::refuse(const std::string& id, std::string_view reason) {
  JsonWriter json;
  json.begin_object().field("requestId", id).field("errorReason", reason).end_object();
  send(Step::kUnwatched, "Fetch.failRequest", json.text());
}

// ---- until nothing more comes ----

bool Tab::is_quiet(SteadyTime now) const { return loaded_ && pending_.empty() && now - quiet_since_ >= kQuiet; }

SteadyTime Tab::tick(SteadyTime now) {
  if (stage_ == Stage::kEnded) return SteadyTime::max();
  if (pending_.empty()) active_ += now - last_tick_;
  last_tick_ = now;
  if (stage_ == Stage::kReading) {
    if (now < read_at_ + kReadMax) return read_at_ + kReadMax;
    stuck_ = true;
    fail_with(Error{Code::kTimeout, "its scripts do not end"});
    return SteadyTime::max();
  }
  const auto time_max = parts_.options.time_max;
  if (active_ >= time_max || now - started_at_ >= time_max * kPatience) {
    rendered_.cut = true;
    if (session_.empty()) fail_with(Error{Code::kUnavailable, "the browser does not open a tab"});
    else read(now);
    return now;
  }
  if (stage_ == Stage::kLoading && is_quiet(now)) {
    const bool more = scrolls_ == 0 || (scrolls_ < kScrollsMax && asked_ > asked_at_scroll_);
    more ? scroll(now) : read(now);
    return now;
  }
  const SteadyTime end = pending_.empty() ? now + std::chrono::ceil<std::chrono::milliseconds>(time_max - active_) : now + 1s;
  return loaded_ && pending_.empty() && stage_ == Stage::kLoading ? std::min(end, quiet_since_ + kQuiet) : end;
}

void Tab::scroll(SteadyTime now) {
  stage_ = Stage::kScrolling;
  ++scrolls_;
  asked_at_scroll_ = asked_;
  quiet_since_ = now;
  JsonWriter json;
  json.begin_object().field("expression", kScroll).field("awaitPromise", true).field("returnByValue", true).end_object();
  send(Step::kScroll, "Runtime.evaluate", json.text());
}

// A list that has grown may grow again; what was asked for meanwhile is waited for first.
void Tab::scrolled(double height, SteadyTime now) {
  if (stage_ != Stage::kScrolling) return;
  stage_ = Stage::kLoading;
  quiet_since_ = now;
  const bool grown = height > height_;
  height_ = height;
  if (scrolls_ == 1 || !grown || scrolls_ >= kScrollsMax) return;
  scroll(now);
}

void Tab::read(SteadyTime now) {
  stage_ = Stage::kReading;
  read_at_ = now;
  send(Step::kDocument, "DOM.getDocument", R"({"depth":0})");
}

void Tab::finish(std::string_view html, SteadyTime now) {
  if (html.size() > kHtmlBytesMax) return fail_with(Error{Code::kTooLarge, fmt::format("over {} bytes of HTML", kHtmlBytesMax)});
  rendered_.html.reserve(kByteOrderMark.size() + html.size());
  rendered_.html.append(kByteOrderMark).append(html);
  rendered_.took = std::chrono::duration_cast<std::chrono::milliseconds>(now - started_at_);
  result_ = std::move(rendered_);
  close();
}

void Tab::fail_with(Error error) {
  result_ = Result<RenderedPage>(Failure(std::move(error)));
  close();
}

void Tab::close() {
  stage_ = Stage::kEnded;
  session_.clear();
  if (context_.empty()) return;
  JsonWriter json;
  json.begin_object().field("browserContextId", context_).end_object();
  parts_.tools.send("Target.disposeBrowserContext", json.text());
}

}  // namespace magpie::browser
