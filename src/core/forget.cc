#include "core/forget.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/wire.h"
#include "core/frontier.h"
#include "net/url.h"

namespace magpie {
namespace {

constexpr std::array<std::string_view, 5> kKinds = {"picture", "page", "host", "label", "artist"};
constexpr std::string_view kPlanHead = "forget 1\n";
constexpr std::string_view kNowhere = "about:";
constexpr std::size_t kWordBytesMax = 16 * 1024;

/// Bytes at the front of `text` that end an address in HTML, JSON, CSS or prose; 0 for none. A comma does where another address follows it.
std::size_t end_at(std::string_view text) {
  constexpr std::string_view kEnds = "\"'<>()`";
  const char c = text.front();
  if (static_cast<unsigned char>(c) <= ' ' || kEnds.find(c) != std::string_view::npos) return 1;
  if (c == ',') return text.substr(1).starts_with("http") || text.substr(1).starts_with("/") ? 1 : 0;
  if (c != '&' && c != '\\') return 0;
  for (const std::string_view quote : {"&quot;", "&#34;", "&#39;", "&apos;", "&lt;", "&gt;", "\\u0022", "\\u003C", "\\u003E"}) {
    if (text.starts_with(quote)) return quote.size();
  }
  return 0;
}

/// Escapes of HTML and JSON taken off, as far as addresses need it.
std::string unescaped(std::string_view word) {
  constexpr std::array<std::pair<std::string_view, char>, 5> kEscapes = {
      {{"&amp;", '&'}, {"&#38;", '&'}, {"\\/", '/'}, {"\\u002F", '/'}, {"\\u0026", '&'}}};
  std::string plain;
  while (!word.empty()) {
    const auto escape = std::find_if(kEscapes.begin(), kEscapes.end(), [&](const auto& one) { return word.starts_with(one.first); });
    plain += escape == kEscapes.end() ? word.front() : escape->second;
    word.remove_prefix(escape == kEscapes.end() ? 1 : escape->first.size());
  }
  return plain;
}

/// "cat.jpg" of "http://a.test/x/cat.jpg?w=3#top".
std::string_view last_part(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const std::size_t slash = url.rfind('/');
  return slash == std::string_view::npos ? url : url.substr(slash + 1);
}

/// Where an address may begin in a word: at its start, behind '=' of an attribute without quotes, and at "http".
std::size_t begin_of_address(std::string_view word) {
  const std::size_t http = std::min(word.find("http:"), word.find("https:"));
  if (http != std::string_view::npos) return http;
  const std::size_t equals = word.find('=');
  const bool is_attribute =
      equals != std::string_view::npos && std::all_of(word.begin(), word.begin() + static_cast<std::ptrdiff_t>(equals),
                                                      [](char c) { return (c | 32) >= 'a' && (c | 32) <= 'z'; });
  return is_attribute && equals > 0 ? equals + 1 : 0;
}

/// Without what a sentence or a quote within a quote puts behind an address.
std::string_view without_tail(std::string_view word) {
  while (!word.empty() && std::string_view(",.;!\\").find(word.back()) != std::string_view::npos) word.remove_suffix(1);
  return word;
}

/// Same length: whoever counts the text's bytes counts right.
void overwrite_with_nothing(char* begin, std::size_t bytes) {
  std::fill_n(begin, bytes, bytes < kNowhere.size() ? '#' : 'x');
  if (bytes >= kNowhere.size()) std::copy(kNowhere.begin(), kNowhere.end(), begin);
}

}  // namespace

std::string_view to_string(ForgetKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

std::optional<ForgetKind> forget_kind_from(std::string_view name) {
  const auto found = std::find(kKinds.begin(), kKinds.end(), name);
  if (found == kKinds.end()) return std::nullopt;
  return static_cast<ForgetKind>(found - kKinds.begin());
}

std::string encode(const ForgetPlan& plan) {
  WireWriter out;
  out.u64(static_cast<std::uint64_t>(plan.target.kind));
  out.bytes(plan.target.name);
  out.u64(plan.target.copies ? 1 : 0);
  out.bytes(plan.host);
  out.strings(plan.urls);
  out.u64(plan.images.size());
  for (std::size_t i = 0; i < plan.images.size(); ++i) {
    out.u64(plan.images[i]);
    out.bytes({reinterpret_cast<const char*>(plan.contents[i].data()), plan.contents[i].size()});
  }
  return std::string(kPlanHead) + std::string(out.text());
}

Result<ForgetPlan> decode_forget_plan(std::string_view bytes) {
  ForgetPlan plan;
  const auto broken = [] { return fail(Code::kCorrupt, "what was to be forgotten does not read; start it again"); };
  if (!bytes.starts_with(kPlanHead)) return broken();
  WireReader in(bytes.substr(kPlanHead.size()));
  const std::uint64_t kind = in.u64();
  if (kind >= kKinds.size()) return broken();
  plan.target.kind = static_cast<ForgetKind>(kind);
  plan.target.name = in.string();
  plan.target.copies = in.u64() == 1;
  plan.host = in.string();
  plan.urls = in.strings();
  const std::uint64_t images = in.u64();
  for (std::uint64_t i = 0; i < images && in.ok(); ++i) {
    plan.images.push_back(static_cast<ImageId>(in.u64()));
    const std::string content = in.string();
    if (content.size() != sizeof(Sha256)) return broken();
    std::memcpy(plan.contents.emplace_back().data(), content.data(), content.size());
  }
  if (!in.ok()) return broken();
  return plan;
}

GoneAddresses::GoneAddresses(const ForgetPlan& plan) : host_(plan.host), urls_(plan.urls.begin(), plan.urls.end()) {
  for (const std::string& url : plan.urls) last_parts_.emplace(last_part(url));
}

bool GoneAddresses::has(std::string_view canonical_url) const {
  return (!host_.empty() && host_of_url(canonical_url) == host_) || (!urls_.empty() && urls_.contains(std::string(canonical_url)));
}

bool GoneAddresses::names_gone(std::string_view word, std::string_view base) const {
  const std::string plain = unescaped(word);
  const bool may_be = last_parts_.contains(std::string(last_part(plain))) || (!host_.empty() && plain.find("//") != std::string::npos);
  if (!may_be) return false;
  const auto parsed_base = Url::parse(base);
  const auto url = parsed_base ? Url::parse(plain, *parsed_base) : Url::parse(plain);
  return url && has(canonical_url(*url).href());
}

std::size_t GoneAddresses::overwrite(std::string& text, std::string_view base) const {
  const std::string_view all = text;
  std::size_t count = 0;
  for (std::size_t at = 0; at < all.size();) {
    if (const std::size_t ends = end_at(all.substr(at)); ends > 0) {
      at += ends;
      continue;
    }
    std::size_t end = at + 1;
    while (end < all.size() && end_at(all.substr(end)) == 0) ++end;
    const std::size_t begin = at + begin_of_address(all.substr(at, end - at));
    const std::string_view word = without_tail(all.substr(begin, end - begin));
    if (!word.empty() && word.size() <= kWordBytesMax && names_gone(word, base)) {
      overwrite_with_nothing(text.data() + begin, word.size());
      ++count;
    }
    at = end;
  }
  return count;
}

}  // namespace magpie
