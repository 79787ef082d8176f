#include "crawl/robots.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/ascii.h"

namespace magpie::crawl {
namespace {

// Stands for '*' in a kept pattern. A control byte, so that a literal '*' (written %2A) stays apart; normalised text has none.
constexpr char kWildcard = '\x01';
constexpr std::size_t kRulesMax = 50'000;  // of one group; 512 KiB hold at most about that many
constexpr std::size_t kSitemapsMax = 10'000;

constexpr bool is_alnum(unsigned char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// What a percent-encoded octet is decoded to before comparison: RFC 3986's unreserved characters, and '*' and '$', which RFC 9309
// §2.2.3 has written as %2A and %24 to mean themselves. Reserved ones stay encoded: "/a%2Fb" is not "/a/b".
constexpr bool is_decoded(unsigned char c) { return is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~' || c == '*' || c == '$'; }

// Characters that stand for themselves in a URL; all others are compared percent-encoded.
constexpr std::array<bool, 256> make_literals() {
  std::array<bool, 256> literals{};
  for (int c = 0; c < 256; ++c) literals[static_cast<std::size_t>(c)] = is_alnum(static_cast<unsigned char>(c));
  for (const char c : std::string_view("-._~!$&'()*+,;=:@/?[]%")) literals[static_cast<unsigned char>(c)] = true;
  return literals;
}
constexpr std::array<bool, 256> kLiteral = make_literals();

constexpr int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Takes one character or %XX off `text` and gives its normalised form: 1 or 3 bytes in `out`.
std::size_t normalise_one(std::string_view text, std::size_t& at, char (&out)[3]) {
  constexpr char kHex[] = "0123456789ABCDEF";
  auto c = static_cast<unsigned char>(text[at]);
  bool encoded = false;
  if (c == '%' && at + 2 < text.size() && hex_value(text[at + 1]) >= 0 && hex_value(text[at + 2]) >= 0) {
    c = static_cast<unsigned char>(hex_value(text[at + 1]) * 16 + hex_value(text[at + 2]));
    at += 3;
    encoded = true;
  } else {
    ++at;
  }
  if (encoded ? is_decoded(c) : kLiteral[c]) {
    out[0] = static_cast<char>(c);
    return 1;
  }
  out[0] = '%';
  out[1] = kHex[c >> 4];
  out[2] = kHex[c & 15];
  return 3;
}

bool is_normalised(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '%' || !kLiteral[c]) return false;
  }
  return true;
}

void append_normalised(std::string& out, std::string_view text) {
  char piece[3];
  for (std::size_t at = 0; at < text.size();) out.append(piece, normalise_one(text, at, piece));
}

// Whether the pattern matches a prefix of `path`, or all of it when anchored. Greedy with one step back to the last wildcard:
// O(pattern × path) at worst, without recursion.
bool wildcard_match(std::string_view pattern, bool anchored, std::string_view path) {
  std::size_t p = 0, s = 0;
  std::size_t star = std::string_view::npos, star_s = 0;
  while (true) {
    if (p == pattern.size()) {
      if (!anchored || s == path.size()) return true;
    } else if (pattern[p] == kWildcard) {
      star = p++;
      star_s = s;
      continue;
    } else if (s < path.size() && pattern[p] == path[s]) {
      ++p, ++s;
      continue;
    }
    if (star == std::string_view::npos || star_s >= path.size()) return false;
    p = star + 1;
    s = ++star_s;
  }
}

constexpr bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\v' || c == '\0'; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

// "magpie" of "magpie/0.1 (+http://a.test)".
std::string_view product_token(std::string_view agent) {
  agent = trim(agent);
  return agent.substr(0, agent.find_first_of(" \t/"));
}

enum class Key { kUserAgent, kAllow, kDisallow, kCrawlDelay, kSitemap, kOther };

// Misspellings that sites use and that Google's parser reads, too.
Key key_of(std::string_view name) {
  constexpr std::pair<std::string_view, Key> kNames[] = {
      {"user-agent", Key::kUserAgent},   {"useragent", Key::kUserAgent},
      {"user agent", Key::kUserAgent},   {"allow", Key::kAllow},
      {"disallow", Key::kDisallow},      {"dissallow", Key::kDisallow},
      {"dissalow", Key::kDisallow},      {"disalow", Key::kDisallow},
      {"diasllow", Key::kDisallow},      {"disallaw", Key::kDisallow},
      {"crawl-delay", Key::kCrawlDelay}, {"crawldelay", Key::kCrawlDelay},
      {"crawl delay", Key::kCrawlDelay}, {"sitemap", Key::kSitemap},
      {"site-map", Key::kSitemap},
  };
  for (const auto& [known, key] : kNames) {
    if (ascii_same(name, known)) return key;
  }
  return Key::kOther;
}

struct Line {
  Key key = Key::kOther;
  std::string_view value;
};

// "key: value", or "key value" when the colon was forgotten and exactly two words stand there (Google's rule).
Line parse_line(std::string_view line) {
  line = line.substr(0, line.find('#'));
  line = trim(line);
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos) return {key_of(trim(line.substr(0, colon))), trim(line.substr(colon + 1))};
  const std::size_t gap = line.find_first_of(" \t");
  if (gap == std::string_view::npos) return {};
  const std::string_view value = trim(line.substr(gap));
  if (value.find_first_of(" \t") != std::string_view::npos) return {};
  return {key_of(line.substr(0, gap)), value};
}

std::optional<double> parse_delay(std::string_view value) {
  double seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error != std::errc() || end != value.data() + value.size()) return std::nullopt;
  if (!std::isfinite(seconds) || seconds < 0) return std::nullopt;
  return seconds;
}

}  // namespace

// One pass over the lines. Two sets of rules are kept, for the groups that name the agent and for those of "*"; the first wins.
class RobotsReader {
 public:
  explicit RobotsReader(std::string_view agent) : agent_(product_token(agent)) {}

  RobotsRules read(std::string_view bytes) {
    bytes = bytes.substr(0, kRobotsBytesMax);
    if (bytes.starts_with("\xEF\xBB\xBF")) bytes.remove_prefix(3);
    std::uint32_t number = 0;
    while (!bytes.empty()) {
      const std::size_t end = std::min(bytes.find_first_of("\r\n"), bytes.size());
      take(parse_line(bytes.substr(0, end)), ++number);
      const bool both = end + 1 < bytes.size() && bytes[end] == '\r' && bytes[end + 1] == '\n';
      bytes.remove_prefix(std::min(bytes.size(), end + (both ? 2 : 1)));
    }
    RobotsRules rules = std::move(named_seen_ ? named_ : any_);
    rules.sitemaps_ = std::move(sitemaps_);
    std::stable_sort(rules.rules_.begin(), rules.rules_.end(),
                     [](const auto& a, const auto& b) { return a.length != b.length ? a.length > b.length : a.allow > b.allow; });
    return rules;
  }

 private:
  void take(Line line, std::uint32_t number) {
    switch (line.key) {
      case Key::kUserAgent: return take_agent(line.value);
      case Key::kAllow: return take_rule(line.value, true, number);
      case Key::kDisallow: return take_rule(line.value, false, number);
      case Key::kCrawlDelay: return take_delay(line.value);
      case Key::kSitemap:
        if (!line.value.empty() && sitemaps_.size() < kSitemapsMax) sitemaps_.emplace_back(line.value);
        return;
      case Key::kOther: return;
    }
  }

  void take_agent(std::string_view value) {
    if (rules_begun_) for_named_ = for_any_ = rules_begun_ = false;  // a new group
    const std::string_view token = product_token(value);
    if (token == "*") for_any_ = true;
    if (!token.empty() && ascii_same(token, agent_)) for_named_ = named_seen_ = true;
  }

  void take_rule(std::string_view value, bool allow, std::uint32_t number) {
    rules_begun_ = true;
    if (value.empty()) return;  // "Disallow:" forbids nothing
    if (for_named_) add(named_, value, allow, number);
    if (for_any_) add(any_, value, allow, number);
  }

  // Crawl-delay is no rule of RFC 9309 and so does not end the list of a group's agents (§2.2.4).
  void take_delay(std::string_view value) {
    const std::optional<double> seconds = parse_delay(value);
    if (!seconds) return;
    if (for_named_) named_.crawl_delay_ = std::max(named_.crawl_delay_.value_or(0), *seconds);
    if (for_any_) any_.crawl_delay_ = std::max(any_.crawl_delay_.value_or(0), *seconds);
  }

  static void add(RobotsRules& rules, std::string_view value, bool allow, std::uint32_t number) {
    add_pattern(rules, value, value, allow, number);
    // As Google reads it, "Allow: /a/index.html" opens the folder "/a/" itself, too.
    const std::size_t slash = value.rfind('/');
    if (!allow || slash == std::string_view::npos || !value.substr(slash).starts_with("/index.htm")) return;
    add_pattern(rules, std::string(value.substr(0, slash + 1)) + "$", value, allow, number);
  }

  static void add_pattern(RobotsRules& rules, std::string_view pattern, std::string_view text, bool allow, std::uint32_t number) {
    if (rules.rules_.size() >= kRulesMax) return;
    RobotsRules::Rule rule{.text = std::string(text), .line = number, .allow = allow};
    if (pattern.ends_with('$')) {
      rule.anchored = true;
      pattern.remove_suffix(1);
    }
    // A pattern has to begin with '/' or '*' (§2.2.2); one that does not is read as if the slash had been forgotten.
    if (!pattern.starts_with('/') && !pattern.starts_with('*')) rule.pattern += '/';
    while (!pattern.empty()) {
      const std::size_t star = std::min(pattern.find('*'), pattern.size());
      append_normalised(rule.pattern, pattern.substr(0, star));
      pattern.remove_prefix(star);
      rule.length += static_cast<std::uint32_t>(pattern.empty() ? 0 : 1);
      if (pattern.empty()) break;
      pattern.remove_prefix(1);
      if (rule.pattern.empty() || rule.pattern.back() != kWildcard) rule.pattern += kWildcard;
      rule.plain = false;
    }
    const auto stars = static_cast<std::size_t>(std::count(rule.pattern.begin(), rule.pattern.end(), kWildcard));
    rule.shortest_match = static_cast<std::uint32_t>(rule.pattern.size() - stars);
    rule.length += rule.shortest_match + (rule.anchored ? 1 : 0);
    rules.rules_.push_back(std::move(rule));
  }

  std::string_view agent_;
  RobotsRules named_, any_;
  std::vector<std::string> sitemaps_;
  bool for_named_ = false, for_any_ = false;  // whom the group under way is for
  bool named_seen_ = false;
  bool rules_begun_ = false;
};

RobotsRules RobotsRules::parse(std::string_view bytes, std::string_view agent) { return RobotsReader(agent).read(bytes); }

RobotsVerdict RobotsRules::judge_path(std::string_view path) const {
  if (path.empty()) path = "/";
  if (rules_.empty() || path == "/robots.txt") return {};
  std::string normalised;
  if (!is_normalised(path)) {
    append_normalised(normalised, path);
    path = normalised;
  }
  for (const Rule& rule : rules_) {
    if (rule.shortest_match > path.size()) continue;
    const bool matches = rule.plain ? (rule.anchored ? path == rule.pattern : path.starts_with(rule.pattern))
                                    : wildcard_match(rule.pattern, rule.anchored, path);
    if (matches) return {rule.allow, rule.line, rule.text};
  }
  return {};
}

}  // namespace magpie::crawl
