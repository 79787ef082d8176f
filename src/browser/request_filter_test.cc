#include "browser/request_filter.h"

#include <gtest/gtest.h>

namespace magpie::browser {
namespace {

Handling judge(std::string_view method, std::string_view type, std::string_view url, bool main_frame = true, bool given = false) {
  return judge_request(
      {.url = url, .method = method, .type = type, .main_frame = main_frame, .page = "https://shop.example/p/1", .page_given = given});
}

TEST(RequestFilter, ThePageItselfComesOnceAndNoOtherDocument) {
  EXPECT_EQ(judge("GET", "Document", "https://shop.example/p/1"), Handling::kPage);
  EXPECT_EQ(judge("GET", "Document", "https://shop.example/p/1", true, true), Handling::kRefuse) << "a page that reloads itself";
  EXPECT_EQ(judge("GET", "Document", "https://shop.example/p/1", false), Handling::kRefuse) << "a frame";
  EXPECT_EQ(judge("GET", "Document", "https://shop.example/other"), Handling::kRefuse);
  EXPECT_EQ(judge("POST", "Document", "https://shop.example/p/1"), Handling::kRefuse);
}

TEST(RequestFilter, ScriptsAndDataAreFetched) {
  EXPECT_EQ(judge("GET", "Script", "https://cdn.example/app.js"), Handling::kFetch);
  EXPECT_EQ(judge("GET", "XHR", "https://api.shop.example/products/1"), Handling::kFetch);
  EXPECT_EQ(judge("GET", "Fetch", "http://shop.example/api"), Handling::kFetch);
  EXPECT_EQ(judge("OPTIONS", "XHR", "https://api.example/x"), Handling::kPreflight);
}

TEST(RequestFilter, OnlyTheOwnSiteIsPostedTo) {
  EXPECT_EQ(judge("POST", "XHR", "https://api.shop.example/graphql"), Handling::kFetch);
  EXPECT_EQ(judge("POST", "XHR", "https://elsewhere.example/graphql"), Handling::kRefuse);
  EXPECT_EQ(judge("DELETE", "XHR", "https://shop.example/api"), Handling::kRefuse);
  EXPECT_EQ(judge("POST", "Script", "https://shop.example/a.js"), Handling::kRefuse);
}

TEST(RequestFilter, WhatSaysNothingIsNotAskedFor) {
  EXPECT_EQ(judge("GET", "Image", "https://shop.example/1.jpg"), Handling::kPicture);
  EXPECT_EQ(judge("GET", "Stylesheet", "https://shop.example/1.css"), Handling::kStyle);
  for (const char* type : {"Font", "Media", "Ping", "WebSocket", "EventSource", "Manifest", "Other", "Prefetch", "CSPViolationReport", ""})
    EXPECT_EQ(judge("GET", type, "https://shop.example/x"), Handling::kRefuse) << type;
  for (const char* url : {"https://www.google-analytics.com/analytics.js", "https://connect.facebook.net/en/sdk.js",
                          "data:text/javascript,1", "file:///etc/passwd", "ftp://shop.example/a.js", "chrome://version/", "no address"})
    EXPECT_EQ(judge("GET", "Script", url), Handling::kRefuse) << url;
}

TEST(RequestFilter, TrackersAreKnownByTheirOwnAndTheirParentsNames) {
  EXPECT_TRUE(is_tracker("stats.g.doubleclick.net"));
  EXPECT_TRUE(is_tracker("bat.bing.com"));
  EXPECT_FALSE(is_tracker("notdoubleclick.net"));
  EXPECT_FALSE(is_tracker("shop.example"));
  EXPECT_FALSE(is_tracker(""));
}

}  // namespace
}  // namespace magpie::browser
