#include "extract/app_shell.h"

#include <gtest/gtest.h>

#include "extract/extract_page.h"

namespace magpie {
namespace {

bool is_shell(const std::string& html) {
  const auto page = extract_page(html, {.url = "https://shop.example/p/1", .content_type = "text/html; charset=utf-8"});
  EXPECT_TRUE(page) << html;
  return page && page->app_shell;
}

TEST(AppShell, PagesThatLeaveAllToScripts) {
  EXPECT_TRUE(is_shell("<title>Shop</title><div id=root></div><script src=/main.js></script>"));
  EXPECT_TRUE(is_shell("<title>Shop</title><div id=__next><p>Loading…</p></div><script>boot()</script>"));
  EXPECT_TRUE(is_shell("<title>Shop</title><app-root></app-root><script type=module src=/main.js></script>"));
  EXPECT_TRUE(is_shell("<title>Shop</title><noscript>You need to enable JavaScript to run this app.</noscript><div id=x></div>"));
  EXPECT_TRUE(is_shell("<title>Shop</title><body><script src=/main.js></script>"));
  EXPECT_TRUE(is_shell("<title>Shop</title><header><img src=/logo.png> Menu</header><div id=app></div><script src=/a.js></script>"));
}

TEST(AppShell, PagesThatSpeakForThemselves) {
  const std::string text = "Around the harbour of the old town there are boats, nets and a market on Saturdays. ";
  std::string much;
  for (int i = 0; i < 20; ++i) much += text;
  EXPECT_FALSE(is_shell("<title>About</title><p>" + text + text + text + "</p><script src=/menu.js></script>"));
  EXPECT_FALSE(is_shell("<title>About</title><div id=root></div><p>" + much + "</p>"));
  EXPECT_FALSE(is_shell("<title>Hello</title><p>Hello.</p>")) << "nothing that could say more";
  EXPECT_FALSE(is_shell("<title>Shop</title><div id=app><p>" + text + text + "</p></div><p>.</p>")) << "the app was made by the server";
  EXPECT_FALSE(is_shell("<title>Cats</title><div id=root></div><img src=1.jpg><img src=2.jpg><img src=3.jpg><img src=4.jpg>"));
  EXPECT_FALSE(is_shell(R"(<title>Cup</title><div id=root></div><script type="application/ld+json">{"@type":"Product","name":"Cup",
      "offers":{"price":"3","priceCurrency":"EUR"}}</script>)"));
}

}  // namespace
}  // namespace magpie
