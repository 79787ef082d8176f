#include "crawl/sitemap.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/utf8.h"
#include "crawl/gunzip.h"
#include "crawl/xml_scanner.h"

namespace magpie::crawl {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";
constexpr std::size_t kFieldBytesMax = 64 * 1024;  // of one address; longer ones are no URL anyway

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

std::string utf8_from_utf16(std::string_view bytes, bool big_endian) {
  const auto unit = [&](std::size_t at) {
    const auto a = static_cast<unsigned char>(bytes[at]), b = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<char32_t>(big_endian ? a << 8 | b : b << 8 | a);
  };
  std::string out;
  for (std::size_t at = 2; at + 1 < bytes.size(); at += 2) {
    char32_t point = unit(at);
    if (point >= 0xD800 && point < 0xDC00 && at + 3 < bytes.size()) {
      if (const char32_t low = unit(at + 2); low >= 0xDC00 && low < 0xE000) {
        point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
        at += 2;
      }
    }
    append_utf8(out, point);
  }
  return out;
}

// Sitemaps must be UTF-8; those that are not are nearly always Latin-1.
std::string utf8_from_latin1(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) append_utf8(out, static_cast<unsigned char>(c));
  return out;
}

// `text`, or `storage` when it had to be converted.
std::string_view as_utf8(std::string_view text, std::string& storage) {
  if (text.starts_with("\xEF\xBB\xBF")) return text.substr(3);
  if (text.starts_with("\xFF\xFE")) return storage = utf8_from_utf16(text, false);
  if (text.starts_with("\xFE\xFF")) return storage = utf8_from_utf16(text, true);
  if (!is_utf8(text)) return storage = utf8_from_latin1(text);
  return text;
}

// The address as written when it is absolute, else resolved; nothing unless it is an http(s) URL.
std::optional<std::string> absolute(std::string_view text, const Url& base) {
  text = trim(text);
  if (text.empty()) return std::nullopt;
  if (const auto url = Url::parse(text)) return url->is_http() ? std::optional(std::string(text)) : std::nullopt;
  const auto url = Url::parse(text, base);
  if (!url || !url->is_http()) return std::nullopt;
  return url->href();
}

bool looks_like_url(std::string_view text) {
  const std::string start = ascii_lowered(text.substr(0, 8));
  return start.starts_with("http://") || start.starts_with("https://");
}

/// The element that tells a form; nothing for one that tells none.
std::optional<SitemapKind> kind_of_element(std::string_view name) {
  if (name == "urlset" || name == "url") return SitemapKind::kUrlSet;
  if (name == "sitemapindex" || name == "sitemap") return SitemapKind::kIndex;
  if (name == "rss" || name == "channel" || name == "rdf") return SitemapKind::kRss;
  if (name == "feed") return SitemapKind::kAtom;
  return std::nullopt;
}

// Reads one XML sitemap. A field (loc, lastmod, …) is whatever text stands between its tag and the next tag of any kind, so tags that
// are missing or misspelt cost their own entry at most.
class XmlReader {
 public:
  XmlReader(std::string_view text, const Url& url, const SitemapLimits& limits) : scanner_(text), base_(url), limits_(limits) {}

  Result<Sitemap> read() {
    while (const std::optional<XmlToken> token = scanner_.next()) {
      switch (token->kind) {
        case XmlToken::Kind::kText:
        case XmlToken::Kind::kCdata: take_text(*token); break;
        case XmlToken::Kind::kOpen: MAGPIE_TRY_DO(open(*token)); break;
        case XmlToken::Kind::kClose: close(*token); break;
      }
      if (out_.entries.size() >= limits_.entries_max) {
        out_.cut = true;
        break;
      }
    }
    if (!kind_) return fail(Code::kBadInput, "no sitemap: the file has none of urlset, sitemapindex, rss, feed");
    if (in_entry_) {
      out_.cut = true;
      finish_entry();
    }
    out_.kind = *kind_;
    return std::move(out_);
  }

 private:
  enum class Field { kNone, kLoc, kGuid, kLastmod, kImage };

  void take_text(const XmlToken& token) {
    if (field_ == Field::kNone) return;
    if (token.cut) {  // half an address is none
      field_ = Field::kNone;
      return;
    }
    if (value_.size() + token.text.size() > kFieldBytesMax) readable_ = false;
    if (!readable_) return;
    if (token.kind == XmlToken::Kind::kCdata) value_ += token.text;
    else readable_ = append_xml_text(value_, token.text);
  }

  Result<void> open(const XmlToken& token) {
    finish_field();
    const std::string name = ascii_lowered(token.name);
    if (!kind_) {
      kind_ = kind_of_element(name);
      if (!kind_ && name == "html") return fail(Code::kBadInput, "no sitemap: the file is an HTML page");
      if (const std::string base = xml_attribute(token.attributes, "xml:base"); kind_ && !base.empty()) {
        if (auto url = Url::parse(base, base_)) base_ = std::move(*url);
      }
    }
    if (!kind_) return {};
    if (is_entry(name) && token.prefix != "image") {
      if (in_entry_) finish_entry();
      in_entry_ = !token.closes_itself;
    } else if (in_entry_ && !token.closes_itself) {
      begin_field(token, name);
    } else if (in_entry_ && *kind_ == SitemapKind::kAtom && name == "link") {
      take_atom_link(token);
    }
    return {};
  }

  void close(const XmlToken& token) {
    finish_field();
    const std::string name = ascii_lowered(token.name);
    if (name == "image") in_image_ = false;
    else if (in_entry_ && kind_ && is_entry(name)) finish_entry();
  }

  bool is_entry(std::string_view name) const {
    switch (*kind_) {
      case SitemapKind::kRss: return name == "item";
      case SitemapKind::kAtom: return name == "entry";
      default: return name == "url" || name == "sitemap";
    }
  }

  void begin_field(const XmlToken& token, std::string_view name) {
    if (*kind_ == SitemapKind::kRss) {
      if (token.prefix.empty() && name == "link") field_ = Field::kLoc;
      else if (name == "guid") field_ = Field::kGuid;
      else if (name == "pubdate" || (token.prefix == "dc" && name == "date")) field_ = Field::kLastmod;
    } else if (*kind_ == SitemapKind::kAtom) {
      if (name == "link") take_atom_link(token);
      else if (name == "id") field_ = Field::kGuid;
      else if (name == "updated" || (name == "published" && lastmod_.empty())) field_ = Field::kLastmod;
    } else if (name == "image") {
      in_image_ = true;
    } else if (name == "loc") {
      field_ = in_image_ || token.prefix == "image" ? Field::kImage : Field::kLoc;
    } else if (name == "lastmod") {
      field_ = Field::kLastmod;
    }
  }

  // An entry's page is its link without rel or with rel="alternate" (RFC 4287 §4.2.7.2).
  void take_atom_link(const XmlToken& token) {
    const std::string rel = ascii_lowered(xml_attribute(token.attributes, "rel"));
    std::string href = xml_attribute(token.attributes, "href");
    if (rel.empty() || rel == "alternate") {
      if (loc_.empty()) loc_ = std::move(href);
    } else if (rel == "self" && guid_.empty()) {
      guid_ = std::move(href);
    }
  }

  void finish_field() {
    const Field field = std::exchange(field_, Field::kNone);
    const std::string value = std::exchange(value_, {});
    if (!std::exchange(readable_, true)) return;
    const std::string_view text = trim(value);
    switch (field) {
      case Field::kNone: return;
      case Field::kLoc:
        if (loc_.empty()) loc_ = text;
        return;
      case Field::kGuid:
        if (guid_.empty() || !looks_like_url(guid_)) guid_ = text;
        return;
      case Field::kLastmod: lastmod_ = text; return;
      case Field::kImage:
        if (images_.size() >= limits_.images_per_entry_max) return;
        if (auto image = absolute(text, base_)) images_.push_back(std::move(*image));
        return;
    }
  }

  void finish_entry() {
    std::optional<std::string> loc = absolute(loc_, base_);
    if (!loc && looks_like_url(guid_)) loc = absolute(guid_, base_);
    if (loc) out_.entries.push_back({std::move(*loc), std::move(lastmod_), std::move(images_)});
    in_entry_ = in_image_ = false;
    loc_.clear(), guid_.clear(), lastmod_.clear(), images_.clear();
  }

  XmlScanner scanner_;
  Url base_;
  const SitemapLimits& limits_;
  Sitemap out_;
  std::optional<SitemapKind> kind_;
  bool in_entry_ = false, in_image_ = false;
  Field field_ = Field::kNone;
  std::string value_;     // of the field under way
  bool readable_ = true;  // no unknown entity and not too long
  std::string loc_, guid_, lastmod_;
  std::vector<std::string> images_;
};

Result<Sitemap> read_text(std::string_view text, const SitemapLimits& limits) {
  Sitemap out{.kind = SitemapKind::kText};
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
    const std::string_view line = trim(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
    if (!looks_like_url(line) || line.find_first_of(" \t") != std::string_view::npos || !Url::parse(line)) continue;
    if (out.entries.size() >= limits.entries_max) {
      out.cut = true;
      break;
    }
    out.entries.push_back({.loc = std::string(line)});
  }
  if (out.entries.empty()) return fail(Code::kBadInput, "no sitemap: neither XML nor a line that is an address");
  return out;
}

}  // namespace

std::string_view to_string(SitemapKind kind) {
  switch (kind) {
    case SitemapKind::kIndex: return "index";
    case SitemapKind::kUrlSet: return "urlset";
    case SitemapKind::kText: return "text";
    case SitemapKind::kRss: return "rss";
    case SitemapKind::kAtom: return "atom";
  }
  return "urlset";
}

Result<Sitemap> parse_sitemap(std::string_view bytes, const Url& url, const SitemapLimits& limits) {
  Gunzipped unpacked;
  if (is_gzip(bytes)) {
    MAGPIE_TRY(unpacked, gunzip(bytes, limits.bytes_max));
    bytes = unpacked.bytes;
  }
  const bool cut = unpacked.cut || bytes.size() > limits.bytes_max;
  std::string storage;
  const std::string_view text = as_utf8(bytes.substr(0, limits.bytes_max), storage);

  const std::string_view start = trim(text.substr(0, 4096));
  const bool xml = start.starts_with('<') || (!looks_like_url(start) && text.substr(0, 4096).find("<?xml") != std::string_view::npos);
  auto sitemap = xml ? XmlReader(text, url, limits).read() : read_text(text, limits);
  if (sitemap && cut) sitemap->cut = true;
  return sitemap;
}

}  // namespace magpie::crawl
