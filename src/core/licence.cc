#include "core/licence.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "base/ascii.h"

namespace magpie {
namespace {

std::string uppered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c;
  return out;
}

bool is_version(std::string_view text) {
  const auto fits = [](char c) { return (c >= '0' && c <= '9') || c == '.'; };
  return text.size() >= 3 && text.size() <= 4 && text.find('.') != std::string_view::npos && std::ranges::all_of(text, fits);
}

/// One of those that there ever were; sa and nd stood alone in version 1.0.
bool is_licence_code(std::string_view code) {
  static constexpr std::string_view kCodes[] = {"by",       "by-sa", "by-nd", "by-nc", "by-nc-sa", "by-nc-nd",
                                                "by-nd-nc", "sa",    "nd",    "nc",    "nc-sa",    "nd-nc"};
  return std::ranges::find(kCodes, code) != std::end(kCodes);
}

/// "licenses/by/4.0/deed.de" -> "licenses"; the rest stays in `path`.
std::string_view take_part(std::string_view& path) {
  const std::string_view part = path.substr(0, path.find('/'));
  path.remove_prefix(std::min(path.size(), part.size() + 1));
  return part;
}

std::optional<std::string> creative_commons_name(std::string_view terms) {
  constexpr std::size_t kBytesMax = 200;
  if (terms.size() > kBytesMax) return std::nullopt;
  const std::string lowered = ascii_lowered(terms);
  std::string_view path = lowered;
  for (const std::string_view scheme : {"https:", "http:"}) {
    if (path.starts_with(scheme)) path.remove_prefix(scheme.size());
  }
  if (path.starts_with("//")) path.remove_prefix(2);
  if (path.starts_with("www.")) path.remove_prefix(4);
  if (take_part(path) != "creativecommons.org") return std::nullopt;
  path = path.substr(0, path.find_first_of("?#"));
  const std::string_view kind = take_part(path), code = take_part(path), version = take_part(path), land = take_part(path);
  if (kind == "licenses" && code == "publicdomain") return "Public Domain";
  if (!is_version(version)) return std::nullopt;
  if (kind == "publicdomain" && code == "zero") return fmt::format("CC0 {}", version);
  if (kind == "publicdomain" && code == "mark") return fmt::format("Public Domain Mark {}", version);
  if (kind != "licenses" || !is_licence_code(code)) return std::nullopt;
  std::string name = fmt::format("CC {} {}", uppered(code), version);
  // "de", "scotland"; what may stand in its place is a page about the licence.
  if (!land.empty() && !land.starts_with("deed") && !land.starts_with("legalcode") &&
      std::ranges::all_of(land, [](char c) { return c >= 'a' && c <= 'z'; }))
    name += " " + uppered(land);
  return name;
}

}  // namespace

std::string licence_name(std::string_view terms) { return creative_commons_name(terms).value_or(std::string(terms)); }

bool is_creative_commons(std::string_view address) { return creative_commons_name(address).has_value(); }

}  // namespace magpie
