#include "app/manager_client.h"

#include <curl/curl.h>
#include <simdjson.h>

#include <cmath>

#include "app/collect_job.h"
#include "app/job_json.h"
#include "base/json_writer.h"
#include "collect/listing.h"

namespace magpie {
namespace {

std::size_t append(char* data, std::size_t size, std::size_t count, void* out) {
  static_cast<std::string*>(out)->append(data, size * count);
  return size * count;
}

Code code_of(long status) {
  if (status == 400 || status == 422) return Code::kBadInput;
  if (status == 403) return Code::kForbidden;
  if (status == 404) return Code::kNotFound;
  if (status == 409) return Code::kBusy;
  return Code::kUnavailable;
}

std::optional<double> number(const simdjson::dom::element& object, std::string_view key) {
  double value = 0;
  if (object[key].get(value) != simdjson::SUCCESS) return std::nullopt;
  return value;
}

CrawlState state_named(std::string_view name) {
  for (const CrawlState state :
       {CrawlState::kQueued, CrawlState::kRunning, CrawlState::kCancelling, CrawlState::kFinished, CrawlState::kCancelled}) {
    if (to_string(state) == name) return state;
  }
  return CrawlState::kFailed;
}

std::vector<FailureCount> failures_of(const simdjson::dom::element& progress) {
  std::vector<FailureCount> failures;
  simdjson::dom::array list;
  if (progress["failures"].get(list) != simdjson::SUCCESS) return failures;
  for (const simdjson::dom::element entry : list) {
    std::string_view cause;
    std::uint64_t count = 0;
    if (entry["cause"].get(cause) == simdjson::SUCCESS && entry["count"].get(count) == simdjson::SUCCESS)
      failures.push_back({std::string(cause), count});
  }
  return failures;
}

Result<std::uint64_t> id_in(const std::string& answer, std::string_view key) {
  simdjson::dom::parser parser;
  std::uint64_t id = 0;
  if (parser.parse(answer)[key].get(id) != simdjson::SUCCESS)
    return fail(Code::kInternal, "the manager's answer has no {}: {}", key, answer.substr(0, 200));
  return id;
}

/// What may be different for one crawl, as ShopRun in docs/openapi.yaml.
void write_change(JsonWriter& json, const ShopChange& change, const std::string& agent) {
  if (change.profile) json.field("profile", *change.profile);
  if (change.render) json.field("render", *change.render);
  if (change.delay) json.field("delay", *change.delay);
  if (change.pages_max) json.key("max_pages").raw(*change.pages_max);
  if (!agent.empty()) json.field("agent", agent);
}

std::string text_in(const simdjson::dom::element& object, std::string_view pointer) {
  std::string_view text;
  return object.at_pointer(pointer).get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}
std::uint64_t count_in(const simdjson::dom::element& object, std::string_view key) {
  std::uint64_t count = 0;
  return object[key].get(count) == simdjson::SUCCESS ? count : 0;
}

PreviewProduct preview_product(const simdjson::dom::element& json) {
  PreviewProduct one;
  one.url = text_in(json, "/page_url");
  one.product.name = text_in(json, "/name");
  one.product.brand = text_in(json, "/brand");
  one.product.category = text_in(json, "/category");
  one.product.sku = text_in(json, "/sku");
  one.product.offer.price = text_in(json, "/price/amount");
  one.product.offer.currency = text_in(json, "/price/currency");
  one.product.offer.availability = text_in(json, "/availability");
  one.product.images.resize(std::min<std::uint64_t>(count_in(json, "pictures"), 1'000));
  one.width = static_cast<std::uint32_t>(count_in(json, "width"));
  one.height = static_cast<std::uint32_t>(count_in(json, "height"));
  return one;
}

/// The shares of an answer are of whole products.
ShopYield yield_from_json(const simdjson::dom::element& json) {
  ShopYield yield{.pages = count_in(json, "pages"), .products = count_in(json, "products"), .products_new = count_in(json, "products_new")};
  const auto times = [&](std::string_view key, std::uint64_t of) { return number(json, key).value_or(0) * static_cast<double>(of); };
  const auto part = [&](std::string_view key) { return static_cast<std::uint64_t>(std::llround(times(key, yield.products))); };
  yield.with_price = part("share_with_price");
  yield.with_brand = part("share_with_brand");
  yield.with_picture = part("share_with_picture");
  yield.complete = part("share_complete");
  yield.requests = static_cast<std::uint64_t>(std::llround(times("requests_per_new_product", yield.products_new)));
  yield.bytes = static_cast<std::uint64_t>(std::llround(times("bytes_per_new_product", yield.products_new)));
  yield.seconds = times("seconds_per_new_product", yield.products_new);
  simdjson::dom::object classes;
  if (json["classes"].get(classes) != simdjson::SUCCESS) return yield;
  for (const auto& field : classes) {
    std::uint64_t count = 0;
    if (field.value.get(count) == simdjson::SUCCESS) yield.classes[field.key == "other" ? "" : std::string(field.key)] = count;
  }
  return yield;
}

Result<PreviewView> preview_from_json(const std::string& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root, yield;
  simdjson::dom::array products;
  if (parser.parse(answer).get(root) != simdjson::SUCCESS || root["products"].get(products) != simdjson::SUCCESS)
    return fail(Code::kInternal, "the manager's answer is no preview: {}", answer.substr(0, 200));
  PreviewView view{.id = count_in(root, "preview_id"), .state = state_named(text_in(root, "/state")), .pages = count_in(root, "pages")};
  if (std::string message = text_in(root, "/message"); !message.empty()) view.message = std::move(message);
  for (const simdjson::dom::element one : products) view.products.push_back(preview_product(one));
  if (root["yield"].get(yield) == simdjson::SUCCESS && !yield.is_null()) view.yield = yield_from_json(yield);
  return view;
}

Result<CopyReview> copy_review_from_json(const std::string& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  simdjson::dom::array images;
  if (parser.parse(answer).get(root) != simdjson::SUCCESS || root["image_ids"].get(images) != simdjson::SUCCESS)
    return fail(Code::kInternal, "the manager's answer is no review: {}", answer.substr(0, 200));
  CopyReview review{.id = count_in(root, "review_id")};
  review.action = copy_action_from_string(text_in(root, "/action")).value_or(CopyAction::kKeep);
  for (const simdjson::dom::element image : images) {
    std::uint64_t id = 0;
    if (image.get(id) == simdjson::SUCCESS) review.images.push_back(static_cast<ImageId>(id));
  }
  bool undone = false;
  if (root["undone"].get(undone) == simdjson::SUCCESS) review.undone = undone;
  return review;
}

RewriteCounts files_in(const simdjson::dom::element& json) {
  return {count_in(json, "looked_at"), count_in(json, "removed"), count_in(json, "changed"), count_in(json, "bytes_removed"),
          count_in(json, "files_rewritten")};
}

ForgetReport report_from_json(const simdjson::dom::element& json) {
  ForgetReport report;
  report.target.kind = forget_kind_from(text_in(json, "/kind")).value_or(ForgetKind::kPicture);
  report.target.name = text_in(json, "/name");
  if (json["dry_run"].get(report.dry_run) != simdjson::SUCCESS) report.dry_run = false;
  simdjson::dom::element part;
  if (json["catalog"].get(part) == simdjson::SUCCESS) {
    ForgetCounts& rows = report.catalog;
    for (const auto& [key, count] : std::initializer_list<std::pair<std::string_view, std::uint64_t*>>{{"addresses", &rows.addresses},
                                                                                                       {"pages", &rows.pages},
                                                                                                       {"products", &rows.products},
                                                                                                       {"showings", &rows.showings},
                                                                                                       {"pictures", &rows.pictures},
                                                                                                       {"vectors", &rows.vectors},
                                                                                                       {"labels", &rows.labels},
                                                                                                       {"changes", &rows.changes},
                                                                                                       {"visits", &rows.visits},
                                                                                                       {"selectors", &rows.selectors},
                                                                                                       {"jobs", &rows.jobs},
                                                                                                       {"mentions", &rows.mentions},
                                                                                                       {"regrouped", &rows.regrouped}})
      *count = count_in(part, key);
  }
  if (json["archive"].get(part) == simdjson::SUCCESS) report.archive = files_in(part);
  if (json["variants"].get(part) == simdjson::SUCCESS) report.variants = files_in(part);
  report.frontier = count_in(json, "frontier");
  report.shops = count_in(json, "shops");
  simdjson::dom::array found;
  if (json["search"].get(part) != simdjson::SUCCESS || part["found"].get(found) != simdjson::SUCCESS) return report;
  report.searched = true;
  report.names = count_in(part, "names");
  report.files = count_in(part, "files");
  report.bytes = count_in(part, "bytes");
  for (const simdjson::dom::element one : found) {
    std::string_view text;
    if (one.get(text) == simdjson::SUCCESS) report.found.emplace_back(text);
  }
  return report;
}

Result<ManagerClient::ForgetStatus> forget_status(const std::string& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root, report;
  if (parser.parse(answer).get(root) != simdjson::SUCCESS || root["state"].error() != simdjson::SUCCESS)
    return fail(Code::kInternal, "the manager's answer is no forgetting: {}", answer.substr(0, 200));
  ManagerClient::ForgetStatus status{.id = count_in(root, "forget_id"), .message = text_in(root, "/message")};
  const std::string state = text_in(root, "/state");
  status.state = state == "running" ? ForgetState::kRunning : state == "finished" ? ForgetState::kFinished : ForgetState::kFailed;
  if (root["report"].get(report) == simdjson::SUCCESS && !report.is_null()) status.report = report_from_json(report);
  return status;
}

std::string forget_body(const ForgetTarget& target, bool dry_run) {
  JsonWriter json;
  json.begin_object().field("kind", to_string(target.kind)).field("name", target.name).field("copies", target.copies);
  return json.field("dry_run", dry_run).end_object().take();
}

template <class State>
std::optional<State> state_named(std::string_view name, std::initializer_list<State> states) {
  for (const State state : states) {
    if (to_string(state) == name) return state;
  }
  return std::nullopt;
}

double number_in(const simdjson::dom::element& json, std::string_view key) {
  double number = 0;
  return json[key].get(number) == simdjson::SUCCESS ? number : 0;
}

Result<ModelChangeView> model_change_from_json(const std::string& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::element root, compared;
  if (parser.parse(answer).get(root) != simdjson::SUCCESS || root["change_id"].error() != simdjson::SUCCESS)
    return fail(Code::kInternal, "the manager's answer is no change of a model: {}", answer.substr(0, 200));
  ModelChangeView view{.id = count_in(root, "change_id"), .model = text_in(root, "/model")};
  using State = ModelChangeState;
  using Stage = ModelChangeStage;
  view.state = state_named(text_in(root, "/state"), {State::kRunning, State::kFinished, State::kCancelled}).value_or(State::kFailed);
  if (std::string message = text_in(root, "/message"); !message.empty()) view.message = std::move(message);
  ModelChange& change = view.change;
  change.before = text_in(root, "/before");
  change.after = text_in(root, "/after");
  change.stage =
      state_named(text_in(root, "/stage"), {Stage::kEmbedding, Stage::kComparing, Stage::kIndexing, Stage::kBridging, Stage::kSwitching})
          .value_or(Stage::kDone);
  change.pictures = count_in(root, "pictures");
  change.embedded = count_in(root, "embedded");
  change.failed = count_in(root, "failed");
  change.indexed = count_in(root, "indexed");
  if (root["switched"].get(change.switched) != simdjson::SUCCESS) change.switched = false;
  if (root["comparison"].get(compared) != simdjson::SUCCESS || !compared.is_object()) return view;
  change.comparison = SpaceComparison{.asked = count_in(compared, "asked"),
                                      .among = count_in(compared, "among"),
                                      .same = number_in(compared, "same_of_ten"),
                                      .with_copies = count_in(compared, "with_copies"),
                                      .copies_before = number_in(compared, "copies_nearest_before"),
                                      .copies_after = number_in(compared, "copies_nearest_after")};
  return view;
}

std::string detail_of(const std::string& problem) {
  simdjson::dom::parser parser;
  std::string_view detail;
  if (parser.parse(problem)["detail"].get(detail) == simdjson::SUCCESS) return std::string(detail);
  return problem.substr(0, 200);
}

}  // namespace

std::optional<ManagerClient> ManagerClient::connect(const CollectionFolder& folder) {
  std::error_code error;
  if (!fs::is_socket(folder.socket(), error)) return std::nullopt;
  ManagerClient client(folder.socket().string());
  if (!client.ask("/healthz", std::nullopt)) return std::nullopt;
  return client;
}

Result<std::string> ManagerClient::ask(const std::string& path, const std::optional<std::string>& body) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  if (!curl) return fail(Code::kInternal, "libcurl does not start");
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(curl_slist_append(nullptr, "Content-Type: application/json"),
                                                                            curl_slist_free_all);
  std::string answer;
  curl_easy_setopt(curl.get(), CURLOPT_UNIX_SOCKET_PATH, socket_.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_URL, ("http://localhost" + path).c_str());
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 30L);
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  if (body) {
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, body->c_str());
    curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE, static_cast<long>(body->size()));
  }
  const CURLcode done = curl_easy_perform(curl.get());
  if (done != CURLE_OK) return fail(Code::kUnavailable, "the manager of the collection does not answer: {}", curl_easy_strerror(done));
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 400) return fail(code_of(status), "{}", detail_of(answer));
  return answer;
}

Result<JobId> ManagerClient::start_crawl(const std::vector<std::string>& seeds, const CrawlOptions& options) {
  JsonWriter json;
  json.begin_object().key("seeds").begin_array();
  for (const std::string& seed : seeds) json.string(seed);
  json.end_array().key("options").raw(to_json(options)).end_object();
  MAGPIE_TRY(const std::string answer, ask("/api/v1/jobs", json.text()));
  return id_in(answer, "job_id");
}

Result<JobId> ManagerClient::run_shop(const std::string& name, const ShopChange& change, const std::string& agent) {
  JsonWriter json;
  json.begin_object();
  write_change(json, change, agent);
  MAGPIE_TRY(const std::string answer, ask(fmt::format("/api/v1/shops/{}/run", collect::url_part(name)), json.end_object().text()));
  return id_in(answer, "job_id");
}

Result<void> ManagerClient::set_shop_state(const std::string& name, ShopState state) {
  JsonWriter json;
  json.begin_object().field("state", to_string(state)).end_object();
  MAGPIE_TRY_DO(ask(fmt::format("/api/v1/shops/{}/change", collect::url_part(name)), json.text()));
  return {};
}

Result<void> ManagerClient::remove_shop(const std::string& name) {
  MAGPIE_TRY_DO(ask(fmt::format("/api/v1/shops/{}/remove", collect::url_part(name)), "{}"));
  return {};
}

Result<PreviewView> ManagerClient::start_preview(const std::string& shop, const ShopChange& change, const std::string& agent,
                                                 std::size_t count) {
  JsonWriter json;
  json.begin_object().field("shop", shop).field("count", count);
  write_change(json, change, agent);
  MAGPIE_TRY(const std::string answer, ask("/api/v1/previews", json.end_object().text()));
  return preview_from_json(answer);
}

Result<PreviewView> ManagerClient::preview(PreviewId id) {
  MAGPIE_TRY(const std::string answer, ask(fmt::format("/api/v1/previews/{}", id), std::nullopt));
  return preview_from_json(answer);
}

Result<void> ManagerClient::cancel_preview(PreviewId id) {
  MAGPIE_TRY_DO(ask(fmt::format("/api/v1/previews/{}/cancel", id), "{}"));
  return {};
}

Result<CopyReview> ManagerClient::review_copies(CopyAction action, const std::vector<ImageId>& images) {
  JsonWriter json;
  json.begin_object().field("action", to_string(action)).key("image_ids").begin_array();
  for (const ImageId image : images) json.number(std::uint64_t{image});
  MAGPIE_TRY(const std::string answer, ask("/api/v1/copies/reviews", json.end_array().end_object().take()));
  return copy_review_from_json(answer);
}

Result<CopyReview> ManagerClient::undo_copy_review(std::uint64_t id) {
  MAGPIE_TRY(const std::string answer, ask(fmt::format("/api/v1/copies/reviews/{}/undo", id), "{}"));
  return copy_review_from_json(answer);
}

Result<JobId> ManagerClient::collect(const std::string& seed, const CrawlOptions& options) {
  const auto [label, source] = parts_of_seed(seed);
  CrawlOptions others = options;
  others.pictures_max.reset();
  JsonWriter json;
  json.begin_object().field("source", source).field("label", label);
  if (options.pictures_max) json.field("pictures_max", *options.pictures_max);
  MAGPIE_TRY(const std::string answer, ask("/api/v1/collect", json.key("options").raw(to_json(others)).end_object().text()));
  return id_in(answer, "job_id");
}

Result<ManagerClient::ForgetStatus> ManagerClient::forget(const ForgetTarget& target, bool dry_run) {
  MAGPIE_TRY(const std::string answer, ask("/api/v1/forgettings", forget_body(target, dry_run)));
  return forget_status(answer);
}

Result<ManagerClient::ForgetStatus> ManagerClient::forgetting(ForgetId id) {
  MAGPIE_TRY(const std::string answer, ask(fmt::format("/api/v1/forgettings/{}", id), std::nullopt));
  return forget_status(answer);
}

Result<std::uint64_t> ManagerClient::allow_again(const ForgetTarget& target) {
  MAGPIE_TRY(const std::string answer, ask("/api/v1/forgettings/allow", forget_body(target, false)));
  return id_in(answer, "allowed");
}

Result<ModelChangeView> ManagerClient::change_model(const std::string& model, bool dry_run) {
  JsonWriter json;
  json.begin_object().field("model", model).field("dry_run", dry_run).end_object();
  MAGPIE_TRY(const std::string answer, ask("/api/v1/model_changes", json.text()));
  return model_change_from_json(answer);
}

Result<ModelChangeView> ManagerClient::model_change(ModelChangeId id) {
  MAGPIE_TRY(const std::string answer, ask(fmt::format("/api/v1/model_changes/{}", id), std::nullopt));
  return model_change_from_json(answer);
}

Result<void> ManagerClient::cancel_model_change(ModelChangeId id) {
  MAGPIE_TRY_DO(ask(fmt::format("/api/v1/model_changes/{}/cancel", id), "{}"));
  return {};
}

Result<JobId> ManagerClient::retry(JobId id, const std::vector<Cause>& causes) {
  JsonWriter json;
  json.begin_object().key("causes").begin_array();
  for (const Cause cause : causes) json.string(to_string(cause));
  MAGPIE_TRY_DO(ask(fmt::format("/api/v1/jobs/{}/retry", id), json.end_array().end_object().text()));
  return id;
}

Result<JobId> ManagerClient::revisit(JobId id, bool all) {
  JsonWriter json;
  MAGPIE_TRY_DO(ask(fmt::format("/api/v1/jobs/{}/revisit", id), json.begin_object().field("all", all).end_object().text()));
  return id;
}

Result<ManagerClient::JobStatus> ManagerClient::job(JobId id) {
  MAGPIE_TRY(const std::string answer, ask(fmt::format("/api/v1/jobs/{}", id), std::nullopt));
  simdjson::dom::parser parser;
  simdjson::dom::element root, progress;
  JobStatus status;
  if (parser.parse(answer).get(root) != simdjson::SUCCESS || root["progress"].get(progress) != simdjson::SUCCESS) {
    return fail(Code::kInternal, "the manager's answer is no job: {}", answer.substr(0, 200));
  }
  std::string_view text;
  if (root["state"].get(text) == simdjson::SUCCESS) status.state = state_named(text);
  if (root["message"].get(text) == simdjson::SUCCESS) status.message = text;
  status.progress = progress_from_json(simdjson::minify(progress));
  status.progress.pages_per_second = number(progress, "pages_per_second").value_or(0);
  status.progress.images_per_second = number(progress, "images_per_second").value_or(0);
  status.progress.seconds_left = number(progress, "seconds_left");
  status.progress.failures = failures_of(progress);
  return status;
}

Result<void> ManagerClient::cancel(JobId id) {
  MAGPIE_TRY_DO(ask(fmt::format("/api/v1/jobs/{}/cancel", id), "{}"));
  return {};
}

}  // namespace magpie
