#include "extract/page_class.h"

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/ascii.h"
#include "base/hash.h"
#include "extract/page_phrases.h"
#include "net/url.h"

namespace magpie {
namespace {

// Bytes of visible text. Interstitials of the known vendors have 0 to 500; error pages inside a shop's frame of menus up to some 3,000.
constexpr std::size_t kTextNone = 300;                   // a sentence or two
constexpr std::size_t kTextHardly = 600;                 // a paragraph
constexpr std::size_t kTextLittle = 1'500;               // a small menu, too
constexpr std::size_t kTextWhole = kPageTextBytes - 64;  // more may have been cut
constexpr std::size_t kNodesMax = 5'000;                 // looked at on a page under suspicion

// Names that only a challenge page carries in its scripts, frames and ids: Cloudflare, DataDome, HUMAN (PerimeterX), Imperva, Akamai and
// AWS WAF, as their manuals and pages have them. What those vendors add to every page (challenge-platform/scripts/jsd, tags.js, the script
// of _Incapsula_Resource) is left out.
constexpr std::string_view kChallenges[] = {
    "_cf_chl_opt", "challenge-platform/h/", "captcha-delivery.com", "px-captcha", "sec-if-cpt", "awswafintegration",
    "sgcaptcha",   "challenge-container",   "ddos-guard/check"};
// Names of what a person solves. "captcha" covers reCAPTCHA, hCaptcha, Friendly Captcha, MTCaptcha, FunCaptcha and home-made ones.
constexpr std::string_view kWidgets[] = {"captcha", "cf-turnstile", "challenges.cloudflare.com", "geetest", "arkoselabs"};
constexpr std::string_view kLoginWords[] = {"login",    "signin",   "sign-in",    "sign_in",  "log-in",    "log_in",
                                            "logon",    "wp-login", "user-login", "anmelden", "einloggen", "connexion",
                                            "inloggen", "logga-in", "zaloguj",    "giris"};
constexpr std::string_view kReturnNames[] = {"return",      "returnurl",    "return_url",  "returnto", "return_to", "next",    "redirect",
                                             "redirect_to", "redirect_url", "redirecturl", "continue", "goto",      "back",    "backurl",
                                             "back_url",    "dest",         "destination", "target",   "referer",   "referrer"};

template <std::size_t kCount>
bool is_one_of(std::string_view text, const std::string_view (&names)[kCount]) {
  return std::find(std::begin(names), std::end(names), text) != std::end(names);
}

template <std::size_t kCount>
bool names_one_of(std::string_view text, const std::string_view (&names)[kCount]) {
  return std::any_of(std::begin(names), std::end(names), [&](std::string_view name) { return text.find(name) != std::string_view::npos; });
}

// ---- what headings say ----

struct Said {
  PagePhrase phrase;
  std::string_view where;
};

/// Parts of "Page not found – Lamps | Shop", as signs and spaces set them apart.
template <class Use>
void each_title_part(std::string_view title, Use&& use) {
  static constexpr std::string_view kBetween[] = {" - ", "|", "\u2013", "\u2014", "\u00b7", "\u2022", ":", "\u00bb", "\u00ab", "/"};
  while (!title.empty()) {
    std::size_t end = title.size(), next = title.size();
    for (const std::string_view between : kBetween) {
      if (const std::size_t at = title.find(between); at < end) {
        end = at;
        next = at + between.size();
      }
    }
    use(title.substr(0, end));
    title.remove_prefix(next);
  }
}

std::vector<Said> said_by_headings(const PageParts& parts) {
  constexpr std::size_t kTitleBytesMax = 512;
  std::vector<Said> said;
  const auto listen = [&](std::string_view text, std::string_view where) {
    if (const auto phrase = phrase_in_heading(text)) said.push_back({*phrase, where});
  };
  each_title_part(std::string_view(parts.title).substr(0, kTitleBytesMax), [&](std::string_view part) { listen(part, "title"); });
  for (std::size_t i = 0; i < std::min<std::size_t>(parts.h1.size(), 2); ++i) listen(parts.h1[i], "heading");
  listen(parts.lower_heading, "heading");
  return said;
}

const Said* said_of(const std::vector<Said>& all, Cause cause) {
  const Said* best = nullptr;
  for (const Said& said : all) {
    if (said.phrase.cause == cause && (best == nullptr || (best->phrase.is_weak && !said.phrase.is_weak))) best = &said;
  }
  return best;
}

PageVerdict verdict_of(const Said& said) { return {said.phrase.cause, fmt::format("its {} says '{}'", said.where, said.phrase.words)}; }

// ---- what the tree holds ----

/// What a page asks of its visitor.
struct Demands {
  std::string challenge;   // the name that gave an interstitial away
  std::string widget;      // the name of a puzzle that is shown
  std::size_t fields = 0;  // to be filled in, without the puzzle's own
};

class DemandReader {
 public:
  Demands read(const HtmlTree& tree) {
    std::size_t nodes = 0;
    const HtmlNode root = tree.root();
    for (HtmlNode node = root; node && ++nodes < kNodesMax; node = node.next_in_order(root)) {
      if (node.is_element()) read_element(node);
    }
    return std::move(demands_);
  }

 private:
  void read_element(HtmlNode node) {
    if (node.is("script")) {
      note_challenge(node.attribute("src"));
      if (const HtmlNode text = node.first_child()) note_challenge(text.data().substr(0, 4'096));
      return;
    }
    const std::string_view id = node.attribute("id"), css_class = node.attribute("class");
    note_challenge(id);
    note_challenge(css_class);
    if (node.is("iframe")) {
      note_challenge(node.attribute("src"));
      if (node.attribute("src").find("_Incapsula_Resource") != std::string_view::npos) demands_.challenge = "_Incapsula_Resource";
    }
    const bool is_field = node.is("input") || node.is("textarea") || node.is("select");
    const bool is_puzzle = note_widget(id) || note_widget(css_class) || (is_field && note_widget(node.attribute("name"))) ||
                           ((node.is("iframe") || node.is("img")) && note_widget(node.attribute("src")));
    if (is_field && !is_puzzle && asks(node)) ++demands_.fields;
  }

  static bool asks(HtmlNode field) {
    static constexpr std::string_view kSilent[] = {"hidden", "submit", "button", "image", "reset", "checkbox"};
    return !is_one_of(ascii_lowered(field.attribute("type").substr(0, 16)), kSilent);
  }

  void note_challenge(std::string_view text) {
    if (text.empty() || !demands_.challenge.empty()) return;
    const std::string low = ascii_lowered(text);
    for (const std::string_view name : kChallenges) {
      if (low.find(name) != std::string::npos) demands_.challenge = name;
    }
  }

  bool note_widget(std::string_view text) {
    if (text.empty()) return false;
    const std::string low = ascii_lowered(text.substr(0, 512));
    for (const std::string_view name : kWidgets) {
      if (low.find(name) == std::string::npos) continue;
      demands_.widget = name;
      return true;
    }
    return false;
  }

  Demands demands_;
};

// ---- the address ----

// Whether the path's last two parts call it a login ("/account/login.php").
bool is_login_path(std::string_view path) {
  for (int i = 0; i < 2 && !path.empty(); ++i) {
    const std::size_t slash = path.rfind('/');
    std::string part = ascii_lowered(path.substr(slash == std::string_view::npos ? 0 : slash + 1));
    part.resize(std::min(part.find('.'), part.size()));
    if (is_one_of(part, kLoginWords)) return true;
    path = path.substr(0, slash == std::string_view::npos ? 0 : slash);
  }
  return false;
}

// "?next=/account", "?return_url=https%3A%2F%2F…".
bool has_return_address(std::string_view query) {
  if (!query.empty()) query.remove_prefix(1);
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string pair = ascii_lowered(query.substr(0, end));
    const std::size_t equals = pair.find('=');
    if (equals != std::string::npos && is_one_of(std::string_view(pair).substr(0, equals), kReturnNames)) {
      const std::string_view value = std::string_view(pair).substr(equals + 1);
      if (value.starts_with('/') || value.starts_with("%2f") || value.starts_with("http")) return true;
    }
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return false;
}

// ---- the classes ----

class Classifier {
 public:
  explicit Classifier(const PageToClassify& page) : it_(page), said_(said_by_headings(page.parts)) {}

  PageVerdict run() {
    const bool suspect = !said_.empty() || it_.parts.password_fields > 0 || size() < kTextHardly;
    if (!suspect) return {};
    for (const auto& judge : {&Classifier::captcha, &Classifier::rate_limit, &Classifier::soft_error, &Classifier::login_wall}) {
      if (PageVerdict verdict = (this->*judge)(); verdict.cause != Cause::kNone) return verdict;
    }
    return {};
  }

 private:
  std::size_t size() const { return it_.text.size(); }
  bool shows_little(std::size_t links_max) const { return it_.page.images.size() <= 2 && it_.page.links.size() <= links_max; }

  const Demands& demands() {
    if (!demands_) demands_ = DemandReader().read(it_.tree);
    return *demands_;
  }

  PageVerdict captcha() {
    const Said* said = said_of(said_, Cause::kCaptcha);
    if (said != nullptr && size() < kTextLittle) {
      if (!said->phrase.is_weak) return verdict_of(*said);
      if (!demands().challenge.empty()) return also(*said, demands().challenge);
      if (!demands().widget.empty() && demands().fields == 0) return also(*said, demands().widget);
    }
    if (size() >= kTextHardly || it_.parts.password_fields > 0 || !shows_little(10)) return {};
    // A form that asks for more has a purpose of its own: the puzzle only guards it.
    if (demands().fields > 0) return {};
    if (size() < kTextNone && !demands().widget.empty())
      return {Cause::kCaptcha, fmt::format("it has a '{}' to solve, and nothing else", demands().widget)};
    if (size() < kTextNone && !demands().challenge.empty())
      return {Cause::kCaptcha, fmt::format("it has a '{}', and nothing else", demands().challenge)};
    return by_text(Cause::kCaptcha);
  }

  PageVerdict rate_limit() {
    if (const Said* said = said_of(said_, Cause::kRateLimited); said != nullptr && size() < kTextLittle) return verdict_of(*said);
    return size() < kTextHardly && shows_little(10) ? by_text(Cause::kRateLimited) : PageVerdict{};
  }

  PageVerdict soft_error() {
    if (const Said* said = said_of(said_, Cause::kSoftError)) {
      // Inside a shop's frame of menus title and heading have to agree.
      const bool twice =
          std::count_if(said_.begin(), said_.end(), [](const Said& one) { return one.phrase.cause == Cause::kSoftError; }) > 1;
      if (size() < kTextLittle || twice) return verdict_of(*said);
    }
    return size() < kTextNone && shows_little(20) ? by_text(Cause::kSoftError) : PageVerdict{};
  }

  PageVerdict login_wall() {
    if (it_.parts.password_fields == 0 || it_.page.images.size() > 5) return {};
    const auto url = Url::parse(it_.page.url);
    const bool by_path = url && is_login_path(url->pathname());
    if (const Said* said = said_of(said_, Cause::kLoginWall)) {
      if (size() < kTextLittle || by_path) return also(*said, "a password field");
    }
    if (by_path && size() < kTextLittle) {
      return {Cause::kLoginWall, has_return_address(url->search())
                                     ? "it has a password field, and a login's address with one to come back to"
                                     : "it has a password field, and a login's address"};
    }
    if (size() < kTextNone && it_.page.images.empty() && it_.page.links.size() <= 10)
      return {Cause::kLoginWall, "it has a password field, and nothing else"};
    return {};
  }

  static PageVerdict also(const Said& said, std::string_view found) {
    PageVerdict verdict = verdict_of(said);
    verdict.evidence += fmt::format(", and it has {}", found);
    return verdict;
  }

  PageVerdict by_text(Cause cause) {
    if (!text_said_) text_said_.emplace(phrase_in_text(it_.text));
    const std::optional<PagePhrase>& phrase = *text_said_;
    if (!phrase || phrase->cause != cause) return {};
    return {cause, fmt::format("it says little but '{}'", phrase->words)};
  }

  const PageToClassify& it_;
  std::vector<Said> said_;
  std::optional<Demands> demands_;
  std::optional<std::optional<PagePhrase>> text_said_;
};

bool may_be_judged(const PageToClassify& page) { return page.page.products.empty() && page.text.size() < kTextWhole; }

// Path and query in lower case, percent signs undone as far as ASCII and UTF-8 words need it.
std::string words_of_address(std::string_view url) {
  const auto hex = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  const auto parsed = Url::parse(url);
  const std::string low = ascii_lowered(parsed ? parsed->path_and_query() : url);
  std::string out;
  for (std::size_t i = 0; i < low.size(); ++i) {
    const bool coded = low[i] == '%' && i + 2 < low.size() && hex(low[i + 1]) >= 0 && hex(low[i + 2]) >= 0;
    out += coded ? static_cast<char>(hex(low[i + 1]) * 16 + hex(low[i + 2])) : low[i];
    if (coded) i += 2;
  }
  return out;
}

// What a byte is in a word: letters of ASCII in lower case, digits and all bytes beyond ASCII as they are, 0 for what separates words.
constexpr std::array<std::uint8_t, 256> kWordBytes = [] {
  std::array<std::uint8_t, 256> bytes{};
  for (std::size_t c = 0; c < bytes.size(); ++c) {
    const bool is_capital = c >= 'A' && c <= 'Z';
    const bool in_word = is_capital || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c >= 0x80;
    bytes[c] = in_word ? static_cast<std::uint8_t>(is_capital ? c + 32 : c) : 0;
  }
  return bytes;
}();

// Calls use(hash) for each word (FNV-1a).
template <class Use>
void each_word_hash(std::string_view text, Use&& use) {
  constexpr std::uint64_t kBasis = 0xcbf29ce484222325, kPrime = 0x100000001b3;
  std::uint64_t hash = kBasis;
  for (const char c : text) {
    if (const std::uint8_t byte = kWordBytes[static_cast<unsigned char>(c)]; byte != 0) {
      hash = (hash ^ byte) * kPrime;
    } else if (hash != kBasis) {
      use(hash);
      hash = kBasis;
    }
  }
  if (hash != kBasis) use(hash);
}

}  // namespace

PageVerdict classify_page(const PageToClassify& page) {
  if (!may_be_judged(page)) return {};
  return Classifier(page).run();
}

std::uint64_t page_shape(const PageToClassify& page) {
  if (!page.page.products.empty() || page.text.size() > kShapeTextBytes) return 0;
  constexpr std::size_t kAddressWordsMax = 64;
  std::vector<std::uint64_t> own;
  each_word_hash(words_of_address(page.page.url), [&](std::uint64_t word) {
    if (own.size() < kAddressWordsMax) own.push_back(word);
  });
  std::vector<std::uint64_t> words;
  words.reserve(kShapeTextBytes / 4);
  const auto take = [&](std::uint64_t word) {
    if (std::find(own.begin(), own.end(), word) == own.end()) words.push_back(word);
  };
  each_word_hash(page.page.title, take);
  each_word_hash(page.text, take);
  std::uint64_t shape = signature64({reinterpret_cast<const char*>(words.data()), words.size() * sizeof(words[0])}, words.size());
  for (const ImageRef& image : page.page.images) shape = signature64(image.url, shape);
  return std::max<std::uint64_t>(shape, 1);
}

}  // namespace magpie
