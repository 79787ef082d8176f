// What a browser says over its pipe, in pieces as a pipe has them, to a tab that is on its way through a page: whatever comes, the tab
// ends with a page or an error once its time is over, and every request it let through is answered once.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/check.h"
#include "browser/devtools.h"
#include "browser/tab.h"

namespace {

using namespace magpie;
using namespace magpie::browser;

constexpr std::size_t kPieceBytes = 4'096;  // less than a socket takes at once

class Dialogue {
 public:
  Dialogue()
      : tools_(open_pipe()),
        tab_({tools_, scripts_, options_, [this](std::string id, const SubRequest&) { asked_.push_back(std::move(id)); }},
             "https://shop.test/p/1", PlainPage{.status = 200, .headers = {{"Content-Type", "text/html"}}, .body = "<p>plain"}, now_) {}
  ~Dialogue() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  void hear(std::string_view bytes) {
    for (; !bytes.empty(); bytes.remove_prefix(std::min(bytes.size(), kPieceBytes))) {
      const std::string_view piece = bytes.substr(0, kPieceBytes);
      MAGPIE_CHECK(::send(ends_[1], piece.data(), piece.size(), 0) == static_cast<ssize_t>(piece.size()), "the socket is full");
      if (!tools_.read([this](const DevToolsMessage& message) { take(message); })) return;  // no JSON: the browser is given up
      answer_requests();
    }
  }

  /// Runs the clock until the tab gives up.
  void end() {
    for (int steps = 0; steps < 10'000 && !tab_.result(); ++steps) now_ = std::max(tab_.tick(now_), now_ + std::chrono::milliseconds(10));
    MAGPIE_CHECK(tab_.result().has_value(), "the tab has no end");
  }

 private:
  int open_pipe() {
    MAGPIE_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_) == 0, "no sockets");
    return ends_[0];
  }

  void take(const DevToolsMessage& message) {
    now_ += std::chrono::milliseconds(20);
    tab_.take(message, now_);
    tab_.tick(now_);
  }

  // As the crawl does, later and one after the other.
  void answer_requests() {
    for (const std::string& id : std::exchange(asked_, {})) {
      HttpResponse response{.url = Url::parse("https://shop.test/a.js").value()};
      response.status = 200;
      response.headers = {{"Content-Type", "text/javascript"}, {"Cache-Control", "max-age=60"}};
      response.body = "1";
      tab_.answered(id, std::move(response), now_);
    }
    MAGPIE_CHECK(asked_.empty(), "an answer asks for more");
  }

  int ends_[2] = {-1, -1};
  SteadyTime now_{std::chrono::hours(1)};
  RendererOptions options_;
  ScriptCache scripts_{1 << 20};
  std::vector<std::string> asked_;
  DevTools tools_;
  Tab tab_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // Line feeds stand for the zero bytes, so that seeds are texts.
  std::string bytes(reinterpret_cast<const char*>(data), size);
  std::replace(bytes.begin(), bytes.end(), '\n', '\0');
  Dialogue dialogue;
  dialogue.hear(bytes);
  dialogue.end();
  return 0;
}
