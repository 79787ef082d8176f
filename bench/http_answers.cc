// An HTTP server whose every answer is 50 made-up search results, written as JSON for each request anew: what the server
// (net/http_server.h) and the writer (base/json_writer.h) cost by themselves. tools/bench_http.py asks it, and
// bench/peers/fastapi_answers.py, which says the same.
//   magpie_http_answers PORT [HANDLER_THREADS]     until SIGTERM
//   GET /hello     "hello"
//   GET /search    the results
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <vector>

#include "base/json_writer.h"
#include "base/result.h"
#include "net/http_server.h"

namespace magpie {
namespace {

struct ShownHit {
  std::uint32_t id = 0;
  double score = 0;
  std::string title, shop, page_url, amount;
  std::uint32_t width = 0, height = 0;
};

std::vector<ShownHit> made_hits() {
  std::vector<ShownHit> hits;
  for (std::uint32_t i = 1; i <= 50; ++i) {
    hits.push_back({.id = i * 7'919,
                    .score = 1.0 - i / 64.0,
                    .title = fmt::format("Caf\u00e9 chair \"model {}\" of oak", i),
                    .shop = fmt::format("shop{}.example", i % 7),
                    .page_url = fmt::format("https://shop{}.example/products/{}.html", i % 7, i),
                    .amount = fmt::format("{}.99", 10 + i),
                    .width = 600 + i,
                    .height = 800});
  }
  return hits;
}

class Answers final : public HttpHandler {
 public:
  HttpServerReply answer(HttpServerRequest request) override {
    if (request.path == "/hello") return {.headers = {{"Content-Type", "text/plain"}}, .body = std::string("hello")};
    return {.headers = {{"Content-Type", "application/json"}}, .body = results()};
  }
  HttpServerReply refuse(const HttpServerRequest&, int status, std::string_view why) override {
    return {.status = status, .headers = {{"Content-Type", "text/plain"}}, .body = std::string(why)};
  }

 private:
  std::string results() const {
    JsonWriter json;
    json.begin_object()
        .field("total", 12'345)
        .field("total_is_exact", true)
        .field("offset", 0)
        .field("limit", 50)
        .key("hits")
        .begin_array();
    for (const ShownHit& hit : hits_) {
      json.begin_object().field("image_id", hit.id).field("score", hit.score).field("title", hit.title).field("shop", hit.shop);
      json.field("page_url", hit.page_url).field("width", hit.width).field("height", hit.height);
      json.key("price").begin_object().field("amount", hit.amount).field("currency", "EUR").end_object().end_object();
    }
    json.end_array().end_object();
    return json.take();
  }

  const std::vector<ShownHit> hits_ = made_hits();
};

int run(std::span<char* const> words) {
  if (words.size() < 2) return std::fputs("usage: magpie_http_answers PORT [HANDLER_THREADS]\n", stderr), 2;
  ::mallopt(M_MMAP_THRESHOLD, 16 << 20);  // as magpie serve has it
  ::mallopt(M_TRIM_THRESHOLD, 16 << 20);
  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGTERM);
  sigaddset(&end, SIGINT);
  pthread_sigmask(SIG_BLOCK, &end, nullptr);  // before the server's threads are made, so that only sigwait() gets it
  HttpServerOptions options{.port = static_cast<std::uint16_t>(std::strtoul(words[1], nullptr, 10))};
  if (words.size() > 2) options.handler_threads = std::strtoul(words[2], nullptr, 10);
  Answers answers;
  const auto server = HttpServer::start(options, answers);
  if (!server) return std::fprintf(stderr, "magpie_http_answers: %s\n", server.error().message.c_str()), 1;
  int signal = 0;
  sigwait(&end, &signal);
  (*server)->stop(Deadline::after(std::chrono::seconds(5)));
  return 0;
}

}  // namespace
}  // namespace magpie

int main(int count, char** words) { return magpie::run({words, static_cast<std::size_t>(count)}); }
