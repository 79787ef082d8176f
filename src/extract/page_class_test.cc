// Pages that are no content, each beside an honest page that looks like it.
#include "extract/page_class.h"

#include <gtest/gtest.h>

#include "extract/extract_page.h"
#include "extract/page_phrases.h"

namespace magpie {
namespace {

Page extracted(std::string_view html, std::string_view url = "http://shop.test/p/1") {
  auto page = extract_page(html, {.url = std::string(url), .content_type = "text/html; charset=utf-8"});
  EXPECT_TRUE(page);
  return page ? std::move(*page) : Page{};
}

std::string words(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += "word" + std::to_string(i) + " ";
  return text;
}

// A shop's frame: menus, and whatever stands between them.
std::string framed(std::string_view title, std::string_view body, int menu_words = 100) {
  return fmt::format("<html><head><title>{}</title></head><body><nav><a href=/a>Lamps</a> {}</nav>{}<footer>Imprint</footer></body></html>",
                     title, words(menu_words), body);
}

struct Case {
  const char* name;
  std::string html;
  Cause cause;
  const char* url = "http://shop.test/p/1";
};

std::string name_of(const ::testing::TestParamInfo<Case>& found) { return found.param.name; }

class PageClass : public ::testing::TestWithParam<Case> {};

TEST_P(PageClass, IsTold) {
  const Page page = extracted(GetParam().html, GetParam().url);
  EXPECT_EQ(to_string(page.verdict.cause), to_string(GetParam().cause)) << page.verdict.evidence;
  EXPECT_EQ(page.verdict.evidence.empty(), page.verdict.cause == Cause::kNone);
}

constexpr const char* kCloudflare = R"(<title>Just a moment...</title><noscript>Enable JavaScript and cookies to continue</noscript>
  <script>(function(){window._cf_chl_opt={cvId:'3',cZone:"shop.test",cType:'managed'};var a=document.createElement('script');
  a.src='/cdn-cgi/challenge-platform/h/g/orchestrate/chl_page/v1';}());</script>)";
constexpr const char* kDataDome = R"(<html><head><title>shop.test</title></head><body><script>var dd={'rt':'c','cid':'AHrl',
  'host':'geo.captcha-delivery.com'}</script><script src="https://ct.captcha-delivery.com/c.js"></script></body></html>)";
constexpr const char* kProductMarkup =
    R"(<script type="application/ld+json">{"@type":"Product","name":"404","offers":{"price":"3","priceCurrency":"EUR"}}</script>)";
constexpr const char* kPasswordForm =
    "<form action=/session method=post><input name=user><input type=password name=p><button>OK</button></form>";

INSTANTIATE_TEST_SUITE_P(
    SoftErrors, PageClass,
    ::testing::Values(
        Case{"Plain", "<title>404 Not Found</title><h1>Not Found</h1><p>The requested URL was not found on this server.",
             Cause::kSoftError},
        Case{"TitleOnly", "<title>Page not found | Shop</title><p>Try the search.", Cause::kSoftError},
        Case{"ErrorNumber", "<title>Error 404</title><p>Go home.", Cause::kSoftError},
        Case{"SecondLevelHeading", framed("Shop", "<h2>Oops! We can't find the page you're looking for.</h2>"), Cause::kSoftError},
        Case{"InALargeFrame", framed("Page not found – Shop", "<h1>Sorry, this page does not exist</h1>", 450), Cause::kSoftError},
        Case{"ProductGone", framed("Shop", "<h1>This product is no longer available</h1>"), Cause::kSoftError},
        Case{"Server", "<title>500</title><h1>Internal Server Error</h1>", Cause::kSoftError},
        Case{"German", framed("Fehler 404 – Laden", "<h1>Die Seite wurde nicht gefunden</h1>"), Cause::kSoftError},
        Case{"French", framed("Oups", "<h1>Cette page n’existe pas</h1>"), Cause::kSoftError},
        Case{"Spanish", framed("Página no encontrada", ""), Cause::kSoftError},
        Case{"Swedish", framed("Butik", "<h1>Sidan hittades inte</h1>"), Cause::kSoftError},
        Case{"Russian", framed("Магазин", "<h1>Ошибка 404. Страница не найдена</h1>"), Cause::kSoftError},
        Case{"Persian", framed("فروشگاه", "<h1>صفحه مورد نظر یافت نشد</h1>"), Cause::kSoftError},
        Case{"Japanese", framed("店", "<h1>お探しのページが見つかりません</h1>"), Cause::kSoftError},
        Case{"Chinese", framed("商店", "<h1>抱歉，页面不存在</h1>"), Cause::kSoftError}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Puzzles, PageClass,
    ::testing::Values(
        Case{"Cloudflare", kCloudflare, Cause::kCaptcha}, Case{"DataDome", kDataDome, Cause::kCaptcha},
        Case{"Incapsula",
             "<html><body><iframe id=main-iframe src=\"/_Incapsula_Resource?CWUDNSAI=9\">Request unsuccessful.</iframe></body></html>",
             Cause::kCaptcha},
        Case{"WidgetAlone",
             "<title>shop.test</title><form method=post><div class=g-recaptcha data-sitekey=x></div><input type=submit></form>",
             Cause::kCaptcha},
        Case{"Turnstile", "<title>One moment, please...</title><div class=\"cf-turnstile\"></div>", Cause::kCaptcha},
        Case{"Characters",
             "<title>Robot Check</title><h4>Enter the characters you see below</h4><form><img src=/captcha/x.jpg><input "
             "name=field-keywords></form>",
             Cause::kCaptcha},
        Case{"Words", "<title>shop.test</title><p>Checking your browser before accessing shop.test.", Cause::kCaptcha},
        Case{"German", "<title>Einen Moment</title><p>Bitte bestätigen Sie, dass Sie ein Mensch sind.", Cause::kCaptcha},
        Case{"Russian", "<h1>Подтвердите, что вы не робот</h1>", Cause::kCaptcha},
        Case{"Chinese", "<title>访问验证</title><p>请完成安全验证", Cause::kCaptcha}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    RateLimits, PageClass,
    ::testing::Values(Case{"Heading", "<title>429 Too Many Requests</title><h1>Too Many Requests</h1>", Cause::kRateLimited},
                      Case{"Words", "<title>Sorry...</title><p>Our systems have detected unusual traffic from your computer network.",
                           Cause::kRateLimited},
                      Case{"French", "<h1>Trop de requêtes</h1>", Cause::kRateLimited},
                      Case{"Japanese", "<h1>リクエストが多すぎます</h1>", Cause::kRateLimited}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    LoginWalls, PageClass,
    ::testing::Values(Case{"Heading", framed("Log in | Shop", fmt::format("<h1>Log in</h1>{}", kPasswordForm)), Cause::kLoginWall},
                      Case{"Address", framed("Shop", kPasswordForm), Cause::kLoginWall,
                           "http://shop.test/customer/account/login?return=%2Fp%2F1"},
                      Case{"Script", framed("Shop", kPasswordForm), Cause::kLoginWall, "http://shop.test/login.php"},
                      Case{"LargeFrame", framed("Sign in", kPasswordForm, 450), Cause::kLoginWall, "http://shop.test/signin"},
                      Case{"NothingElse", kPasswordForm, Cause::kLoginWall},
                      Case{"German", framed("Anmelden", kPasswordForm), Cause::kLoginWall},
                      Case{"Persian", framed("ورود به سایت", kPasswordForm), Cause::kLoginWall}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Content, PageClass,
    ::testing::Values(
        Case{"Product404", fmt::format("<title>404</title><h1>404 Not Found</h1>{}", kProductMarkup), Cause::kNone},
        Case{"PictureNumber404", "<title>404</title><h1>404</h1><img src=/404.jpg>", Cause::kNone},
        Case{"Peugeot404", "<title>Peugeot 404 | Cars</title><h1>Peugeot 404</h1><img src=/404.jpg><p>Built until 1975.", Cause::kNone},
        Case{"AboutNotFound", framed("HTTP 404 - Reference", "<h1>404 Not Found</h1>" + words(800)), Cause::kNone},
        Case{"WordsInPassing", framed("Lost things", "<h1>Found and not found</h1><p>The page not found in the old book was the last one."),
             Cause::kNone},
        Case{"NoResults", framed("Search", "<h1>Lamps</h1><p>No results found."), Cause::kNone},
        Case{"OutOfStock", framed("Lamp", "<h1>Lamp</h1><img src=/lamp.jpg><p>Out of stock. 12,00 EUR"), Cause::kNone},
        Case{"LoginInTheHeader", framed("Lamps", fmt::format("{}<h1>Lamps</h1><img src=/1.jpg><img src=/2.jpg>", kPasswordForm)),
             Cause::kNone},
        Case{"LoginBesidePictures", fmt::format("{}<img src=/1.jpg>", kPasswordForm), Cause::kNone},
        Case{"CalledLogin", framed("Login", "<h1>Login</h1><p>A short film."), Cause::kNone},
        Case{"NewsletterCaptcha",
             "<title>News</title><h1>News</h1><p>Every month.<form><input type=email name=mail><div class=g-recaptcha></div></form>",
             Cause::kNone},
        Case{"ContactForm",
             "<title>Contact</title><form><textarea name=t></textarea><div class=h-captcha></div>Please verify you are human.</form>",
             Cause::kNone},
        Case{"InvisibleRecaptcha",
             "<title>Lamps</title><h1>Lamps</h1><script src='https://www.google.com/recaptcha/api.js?render=k'></script>", Cause::kNone},
        Case{"CloudflareOnEveryPage",
             "<title>Lamps</title><h1>Lamps</h1><script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script>", Cause::kNone},
        Case{"CalledJustAMoment", "<title>Just a Moment</title><h1>Just a Moment</h1><img src=/poster.jpg><p>A film of 2004.",
             Cause::kNone},
        Case{"CalledNotARobot", "<title>I'm not a robot</title><h1>I'm not a robot</h1><p>A film.", Cause::kNone},
        Case{"AboutTooManyRequests", framed("Error 429 explained", "<h1>Handling too many requests</h1>" + words(800)), Cause::kNone},
        Case{"Nothing", "", Cause::kNone}, Case{"Frames", "<frameset><frame src=/a><frame src=/b></frameset>", Cause::kNone}),
    name_of);

TEST(PagePhrases, EveryRowIsHeardInAHeadingOfItsOwnWords) {
  EXPECT_EQ(phrase_in_heading("Sorry, not found!")->cause, Cause::kSoftError);
  EXPECT_EQ(phrase_in_heading("404 - Página não encontrada")->cause, Cause::kSoftError);
  EXPECT_TRUE(phrase_in_heading("Just a moment...")->is_weak);
  EXPECT_FALSE(phrase_in_heading("not found objects"));
  EXPECT_FALSE(phrase_in_heading("No. 404"));
  EXPECT_FALSE(phrase_in_heading("login screens of the nineties"));
  EXPECT_FALSE(phrase_in_text("page not found"));
}

std::uint64_t shape(std::string_view html, std::string_view url) { return extracted(html, url).shape; }

TEST(PageShape, ForgetsTheWordsOfTheAddressOnly) {
  const std::string_view one = "<title>Shop</title><p>Nothing at Gone 12 here", other = "<title>Shop</title><p>Nothing at Gone 13 here";
  EXPECT_EQ(shape(one, "http://a.test/gone/12"), shape(other, "http://a.test/gone/13"));
  EXPECT_NE(shape(one, "http://a.test/gone"), shape(other, "http://a.test/gone"));
  EXPECT_EQ(shape("<p>Über uns", "http://a.test/%C3%9Cber"), shape("<p>Wer uns", "http://a.test/wer"));
}

TEST(PageShape, IsThatOfThinPagesWithoutProductsOnly) {
  EXPECT_NE(shape("<img src=/1.jpg>", "http://a.test/1"), shape("<img src=/2.jpg>", "http://a.test/2"));
  EXPECT_EQ(shape("<p>" + words(400), "http://a.test/1"), 0u);
  EXPECT_EQ(shape(fmt::format("<p>x{}", kProductMarkup), "http://a.test/1"), 0u);
  EXPECT_EQ(shape("<h1>Not found</h1>", "http://a.test/1"), 0u) << "it is judged already";
}

}  // namespace
}  // namespace magpie
