// The real Chromium; its network is a table in this file. Skips where there is none.
#include "browser/renderer.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <csignal>
#include <future>
#include <map>
#include <thread>

#include "base/guarded.h"
#include "browser/browser_process.h"

namespace magpie::browser {
namespace {

struct Answer {
  int status = 200;
  HttpHeaders headers;
  std::string body;
};

class RendererTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto program = find_browser("");
    if (!program) GTEST_SKIP() << program.error().message;
    options_.program = *program;
    options_.folder = fs::temp_directory_path() / fmt::format("magpie-renderer-{}", ::getpid());
    options_.user_agent = "magpie-test/0.1";
  }
  void TearDown() override {
    renderer_.reset();
    std::error_code error;
    EXPECT_FALSE(fs::exists(options_.folder / "profile", error)) << "nothing of the profile stays";
    fs::remove_all(options_.folder, error);
  }

  void start() {
    auto made = Renderer::make(options_, [this](SubRequest request, SubAnswer answer) {
      const std::string url = request.url.href();
      asked_.with([&](auto& asked) { asked.push_back((request.post ? "POST " + *request.post + " " : "") + url); });
      if (const auto agent = find_header(request.headers, "user-agent")) ADD_FAILURE() << "the client has its own: " << *agent;
      const auto known = answers_.find(url);
      if (known == answers_.end()) return answer(fail(Code::kForbidden, "refused"));
      HttpResponse response{
          .url = request.url, .status = known->second.status, .headers = known->second.headers, .body = known->second.body};
      answer(std::move(response));
    });
    ASSERT_TRUE(made) << made.error().message;
    renderer_ = std::move(*made);
  }

  std::future<Result<RenderedPage>> submit(std::string html, const std::string& url = "https://shop.example/p/1") {
    if (!renderer_) start();
    auto promise = std::make_shared<std::promise<Result<RenderedPage>>>();
    const auto load = [html = std::move(html)]() -> Result<PlainPage> {
      return PlainPage{200, {{"Content-Type", "text/html; charset=utf-8"}}, html};
    };
    renderer_->submit({url, load}, [promise](Result<RenderedPage> page) { promise->set_value(std::move(page)); });
    return promise->get_future();
  }
  std::string render(std::string html) {
    auto page = submit(std::move(html)).get();
    return page ? page->html : "failed: " + page.error().message;
  }
  std::vector<std::string> asked() {
    return asked_.with([](auto& asked) { return asked; });
  }

  // The one process that is no child of another one with our profile.
  void kill_browser() {
    const std::string ours = "--user-data-dir=" + fs::absolute(options_.folder).string();
    for (const auto& entry : fs::directory_iterator("/proc")) {
      const auto command = read_file(entry.path() / "cmdline", 1 << 16);
      if (!command || command->find(ours) == std::string::npos || command->find("--type=") != std::string::npos) continue;
      ::kill(std::stoi(entry.path().filename()), SIGKILL);
    }
  }

  RendererOptions options_;
  std::map<std::string, Answer> answers_;
  Guarded<std::vector<std::string>> asked_;
  std::unique_ptr<Renderer> renderer_;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_F(RendererTest, ScriptsFillThePage) {
  answers_["https://cdn.example/app.js"] = {200, {{"Content-Type", "text/javascript"}}, "fetch('/api/1').then(r=>r.json()).then(show)"};
  answers_["https://shop.example/api/1"] = {200, {{"Content-Type", "application/json"}}, R"({"name":"Tässe"})"};
  const std::string html = render(
      "<!DOCTYPE html><title>Shop</title><div id=root></div><script>function show(p){root.innerHTML='<h1>'+p.name+'</h1>'}</script>"
      "<script src=https://cdn.example/app.js></script>");
  EXPECT_TRUE(has(html, "<h1>Tässe</h1>")) << html;
  EXPECT_TRUE(html.starts_with("\xEF\xBB\xBF<!DOCTYPE html>"));
  EXPECT_EQ(asked(), (std::vector<std::string>{"https://cdn.example/app.js", "https://shop.example/api/1"}));
}

TEST_F(RendererTest, ScriptsAreAskedForOnce) {
  answers_["https://shop.example/app.js"] = {200, {}, "root.textContent='ready'"};
  const std::string page = "<div id=root></div><script src=/app.js></script>";
  EXPECT_TRUE(has(render(page), "ready"));
  EXPECT_TRUE(has(render(page), "ready"));
  EXPECT_EQ(asked().size(), 1U);
}

TEST_F(RendererTest, PicturesStylesAndTrackersAreNotAskedFor) {
  const std::string html = render(
      "<link rel=stylesheet href=/a.css onload=\"document.title+=' styled'\"><img src=/1.jpg onload=\"document.title+=' shown'\" "
      "onerror=\"this.src='/none.gif'\"><script src=https://www.googletagmanager.com/gtm.js></script>"
      "<iframe src=/frame></iframe><script>navigator.sendBeacon('/seen','x')</script>");
  EXPECT_TRUE(has(html, "styled")) << html;
  EXPECT_TRUE(has(html, "shown")) << html;
  EXPECT_TRUE(has(html, "src=\"/1.jpg\"")) << html;
  EXPECT_TRUE(asked().empty());
}

TEST_F(RendererTest, DataIsPostedAndReadAcrossOriginsWhereItsServerAllows) {
  answers_["https://shop.example/graphql"] = {200, {}, R"({"name":"Lamp"})"};
  answers_["https://open.example/x"] = {200, {{"Access-Control-Allow-Origin", "*"}}, "open"};
  answers_["https://closed.example/x"] = {200, {}, "closed"};
  const std::string html = render(
      "<p id=a></p><p id=b></p><p id=c></p><script>"
      "fetch('/graphql',{method:'POST',body:'{q}'}).then(r=>r.json()).then(j=>a.textContent=j.name);"
      "fetch('https://open.example/x',{headers:{'X-Key':'1'}}).then(r=>r.text()).then(t=>b.textContent=t);"
      "fetch('https://closed.example/x').then(r=>r.text()).then(t=>c.textContent=t).catch(()=>c.textContent='refused')</script>");
  EXPECT_TRUE(has(html, "Lamp")) << html;
  EXPECT_TRUE(has(html, ">open<")) << html;
  EXPECT_TRUE(has(html, ">refused<")) << html;
  // The three go out side by side, so which is asked for first is chance.
  EXPECT_THAT(asked(), testing::Contains("POST {q} https://shop.example/graphql"));
}

TEST_F(RendererTest, LazyListsAreScrolledThrough) {
  for (int i = 1; i <= 3; ++i) answers_[fmt::format("https://shop.example/more/{}", i)] = {200, {}, fmt::format("part {}", i)};
  const std::string html = render(
      "<div id=list><div style='height:3000px'>first</div></div><div id=end>end</div><script>let n=0,busy=false;"
      "new IntersectionObserver(async es=>{if(!es[0].isIntersecting||busy||n>=3)return;busy=true;"
      "const t=await(await fetch('/more/'+(++n))).text();const d=document.createElement('div');d.style.height='3000px';d.textContent=t;"
      "list.append(d);busy=false}).observe(end)</script>");
  for (int i = 1; i <= 3; ++i) EXPECT_TRUE(has(html, fmt::format("part {}", i))) << html;
}

TEST_F(RendererTest, DialogsReloadsAndPopupsHoldNobodyUp) {
  const std::string html = render(
      "<p id=p></p><script>alert(1);confirm(2);window.open('https://shop.example/pop');p.textContent='went on';"
      "onload=()=>setTimeout(()=>{location.reload();location.href='https://elsewhere.example/'},50)</script>");
  EXPECT_TRUE(has(html, "went on")) << html;
  EXPECT_TRUE(asked().empty());
}

TEST_F(RendererTest, ScriptsThatDoNotEndCostTheirPageOnly) {
  options_.time_max = 1'500ms;
  auto endless = submit("<p>x</p><script>onload=()=>setTimeout(()=>{for(;;);},10)</script>");
  auto other = submit("<p id=p></p><script>p.textContent='fine'</script>", "https://other.example/");
  const auto failed = endless.get();
  EXPECT_FALSE(failed);
  if (!failed) { EXPECT_EQ(failed.error().code, Code::kTimeout) << failed.error().message; }
  const auto fine = other.get();
  ASSERT_TRUE(fine) << fine.error().message;
  EXPECT_TRUE(has(fine->html, ">fine<"));
  EXPECT_TRUE(has(render("<p id=p></p><script>p.textContent='after'</script>"), ">after<"));
}

TEST_F(RendererTest, APageThatAsksForEverIsTakenAsItStands) {
  options_.time_max = 2'000ms;
  options_.requests_max = 10;
  const auto page =
      submit("<p id=p>0</p><script>let n=0;setInterval(()=>fetch('/tick/'+(++n)).catch(()=>p.textContent=n),20)</script>").get();
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_TRUE(page->cut);
  EXPECT_EQ(page->requests, 10U);
}

TEST_F(RendererTest, NothingIsReachedPastTheCrawl) {
  const UniqueFd listening(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(listening.get(), reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(listening.get(), 8), 0);
  ASSERT_EQ(::getsockname(listening.get(), reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int port = ntohs(address.sin_port);
  const std::string html = render(fmt::format(
      "<p id=p></p><script>try{{new WebSocket('ws://127.0.0.1:{0}/')}}catch(e){{}}try{{new "
      "EventSource('http://127.0.0.1:{0}/e')}}catch(e){{}}"
      "const w=new Worker(URL.createObjectURL(new Blob([\"fetch('http://127.0.0.1:{0}/w').catch(()=>0);new "
      "WebSocket('ws://127.0.0.1:{0}/')\"])));"
      "const r=new RTCPeerConnection({{iceServers:[{{urls:'stun:127.0.0.1:{0}'}},{{urls:'turn:127.0.0.1:{0}?transport=tcp',username:'u',"
      "credential:'c'}}]}});r.createDataChannel('x');r.createOffer().then(o=>r.setLocalDescription(o));"
      "document.write('<img src=http://127.0.0.1:{0}/i><iframe src=http://127.0.0.1:{0}/f></iframe>');"
      "window.open('http://127.0.0.1:{0}/popup');fetch('http://127.0.0.1:{0}/x').catch(()=>0);p.textContent='done'</script>",
      port));
  EXPECT_TRUE(has(html, "done")) << html;
  pollfd connection{listening.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&connection, 1, 1'000), 0) << "somebody has connected";
}

TEST_F(RendererTest, ABrowserThatIsKilledIsStartedAgain) {
  answers_["https://shop.example/slow.js"] = {200, {}, "p.textContent='shown'"};
  ASSERT_TRUE(has(render("<p>first</p>"), "first"));
  auto page = submit(
      "<p id=p></p><script>setTimeout(()=>{const s=document.createElement('script');s.src='/slow.js';document.body.append(s)},"
      "300)</script>");
  std::this_thread::sleep_for(150ms);
  kill_browser();
  const auto shown = page.get();
  ASSERT_TRUE(shown) << shown.error().message;
  EXPECT_TRUE(has(shown->html, "<p")) << shown->html;
  EXPECT_EQ(renderer_->counts().starts, 2U);
}

TEST_F(RendererTest, ABrowserThatDoesNotStartIsGivenUp) {
  options_.program = "/bin/false";
  for (int i = 0; i < 3; ++i) {
    const auto page = submit("<p>x</p>").get();
    ASSERT_FALSE(page);
    EXPECT_EQ(page.error().code, Code::kUnavailable) << page.error().message;
  }
  EXPECT_LE(renderer_->counts().starts, 3U);
}

TEST_F(RendererTest, StoppingEndsWhatIsUnderWay) {
  auto page = submit("<script>setInterval(()=>0,10)</script>");
  auto waiting = submit("<p>x</p>");
  renderer_->stop();
  for (auto* one : {&page, &waiting}) {
    const auto ended = one->get();
    if (!ended) { EXPECT_EQ(ended.error().code, Code::kCancelled); }
  }
  const auto late = submit("<p>y</p>").get();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kCancelled);
}

}  // namespace
}  // namespace magpie::browser
