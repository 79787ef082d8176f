#include "image/sniff_svg.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "image/bytes.h"

namespace magpie::image {
namespace {

constexpr std::size_t kPrologBytesMax = 64 * 1024;
constexpr std::string_view kSpace = " \t\r\n\f";

std::string_view without_space(std::string_view text) {
  const std::size_t start = text.find_first_not_of(kSpace);
  return start == std::string_view::npos ? std::string_view() : text.substr(start);
}

// Behind "<!DOCTYPE …>", whose internal subset in brackets may hold further '>'.
std::size_t doctype_end(std::string_view text) {
  const std::size_t close = text.find('>');
  const std::size_t bracket = text.find('[');
  if (bracket >= close) return close == std::string_view::npos ? close : close + 1;
  const std::size_t end = text.find(']', bracket);
  const std::size_t after = end == std::string_view::npos ? end : text.find('>', end);
  return after == std::string_view::npos ? after : after + 1;
}

// The length of the prolog piece that `text` starts with; 0 if it starts with none, npos if the piece does not end.
std::size_t prolog_piece(std::string_view text) {
  const auto until = [&](std::string_view end) {
    const std::size_t at = text.find(end);
    return at == std::string_view::npos ? at : at + end.size();
  };
  if (text.starts_with("<?")) return until("?>");
  if (text.starts_with("<!--")) return until("-->");
  if (text.starts_with("<!DOCTYPE") || text.starts_with("<!doctype")) return doctype_end(text);
  return 0;
}

// The value of an attribute in a start tag; empty if absent.
std::string_view attribute(std::string_view tag, std::string_view name) {
  for (std::size_t at = tag.find(name); at != std::string_view::npos; at = tag.find(name, at + 1)) {
    if (at == 0 || kSpace.find(tag[at - 1]) == std::string_view::npos) continue;
    std::string_view rest = without_space(tag.substr(at + name.size()));
    if (!rest.starts_with('=')) continue;
    rest = without_space(rest.substr(1));
    if (rest.empty() || (rest[0] != '"' && rest[0] != '\'')) continue;
    return rest.substr(1, std::min(rest.find(rest[0], 1), rest.size()) - 1);
  }
  return {};
}

std::optional<double> number_at_start(std::string_view& text) {
  text = without_space(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "120", "120px", "3cm"; nothing for per cent and em, which need a surrounding.
std::optional<double> length_px(std::string_view text) {
  const std::optional<double> value = number_at_start(text);
  if (!value || *value <= 0) return std::nullopt;
  constexpr std::array<std::pair<std::string_view, double>, 7> kUnits = {
      {{"", 1}, {"px", 1}, {"pt", 96.0 / 72}, {"pc", 16}, {"in", 96}, {"cm", 96 / 2.54}, {"mm", 96 / 25.4}}};
  const std::string_view unit = text.substr(0, std::min(text.find_first_of(kSpace), text.size()));
  for (const auto& [name, px] : kUnits) {
    if (unit == name) return *value * px;
  }
  return std::nullopt;
}

struct ViewBox {
  double width = 0, height = 0;
};

std::optional<ViewBox> view_box(std::string_view text) {
  std::array<double, 4> numbers{};
  for (double& number : numbers) {
    text = text.substr(std::min(text.find_first_not_of(" \t\r\n\f,"), text.size()));
    const std::optional<double> value = number_at_start(text);
    if (!value) return std::nullopt;
    number = *value;
  }
  if (numbers[2] <= 0 || numbers[3] <= 0) return std::nullopt;
  return ViewBox{numbers[2], numbers[3]};
}

std::uint32_t whole_px(double px) { return static_cast<std::uint32_t>(std::clamp(std::round(px), 1.0, 1e9)); }

}  // namespace

std::size_t find_svg_root(std::string_view bytes) {
  std::string_view text = part(bytes, 0, kPrologBytesMax);
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  for (text = without_space(text); text.starts_with('<'); text = without_space(text)) {
    const std::size_t length = prolog_piece(text);
    if (length == std::string_view::npos) break;
    if (length > 0) {
      text.remove_prefix(length);
      continue;
    }
    const std::string_view behind = text.starts_with("<svg:svg") ? part(text, 8, 1) : text.starts_with("<svg") ? part(text, 4, 1) : "";
    if (behind.empty() || (kSpace.find(behind[0]) == std::string_view::npos && behind != ">" && behind != "/")) break;
    return static_cast<std::size_t>(text.data() - bytes.data());
  }
  return std::string_view::npos;
}

Size svg_size(std::string_view bytes) {
  const std::size_t root = find_svg_root(bytes);
  if (root == std::string_view::npos) return {};
  std::string_view tag = part(bytes, root, kPrologBytesMax);
  tag = tag.substr(0, tag.find('>'));
  const std::optional<double> width = length_px(attribute(tag, "width"));
  const std::optional<double> height = length_px(attribute(tag, "height"));
  const std::optional<ViewBox> box = view_box(attribute(tag, "viewBox"));
  if (width && height) return {whole_px(*width), whole_px(*height)};
  if (!box) return {};
  if (width) return {whole_px(*width), whole_px(*width * box->height / box->width)};
  if (height) return {whole_px(*height * box->width / box->height), whole_px(*height)};
  return {whole_px(box->width), whole_px(box->height)};
}

}  // namespace magpie::image
