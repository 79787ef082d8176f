#include "extract/app_shell.h"

#include <algorithm>
#include <iterator>

namespace magpie {
namespace {

constexpr std::size_t kPicturesMax = 3;  // a logo, a flag, a payment mark
constexpr std::size_t kTextNone = 200;   // bytes: a title bar, "Loading…"
constexpr std::size_t kNodesMax = 5'000;
constexpr std::size_t kMountTextMax = 100;  // what stands in an app's place until it is there

// Where React, Vue, Angular, Next, Nuxt, Gatsby, Svelte, Ember, Salesforce, Magento PWA and their like are mounted by default.
constexpr std::string_view kMounts[] = {"root",      "app",        "__next",    "__nuxt",   "__layout",
                                        "___gatsby", "svelte",     "ember-app", "main-app", "app-root",
                                        "react-app", "react-root", "vue-app",   "q-app",    "wrapper-app"};
// Elements that frameworks leave to be filled.
constexpr std::string_view kMountElements[] = {"app-root", "my-app", "app-shell", "ion-app", "polymer-app"};

template <std::size_t kCount>
bool is_one_of(std::string_view text, const std::string_view (&names)[kCount]) {
  return std::find(std::begin(names), std::end(names), text) != std::end(names);
}

bool asks_for_scripts(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text.find("javascript") != std::string::npos || text.find("java script") != std::string::npos;
}

struct Signs {
  bool script_file = false, mount = false, asks = false;
};

Signs read_signs(const HtmlTree& tree) {
  Signs signs;
  std::size_t nodes = 0;
  const HtmlNode root = tree.root();
  for (HtmlNode node = root; node && ++nodes < kNodesMax; node = node.next_in_order(root)) {
    if (!node.is_element()) continue;
    if (node.is("script")) signs.script_file = signs.script_file || !node.attribute("src").empty();
    else if (node.is("noscript")) signs.asks = signs.asks || asks_for_scripts(node.text_content(1'024));
    else if (is_one_of(node.attribute("id"), kMounts) || is_one_of(node.name(), kMountElements))
      signs.mount = signs.mount || node.visible_text(kMountTextMax + 1).size() <= kMountTextMax;
  }
  return signs;
}

}  // namespace

bool is_app_shell(const PageToClassify& page) {
  if (!page.page.products.empty() || page.text.size() > kShapeTextBytes) return false;
  const auto is_picture = [](const ImageRef& image) { return image.origin != ImageOrigin::kIcon; };
  const auto pictures = static_cast<std::size_t>(std::count_if(page.page.images.begin(), page.page.images.end(), is_picture));
  if (pictures > kPicturesMax) return false;
  const Signs signs = read_signs(page.tree);
  if (signs.mount || signs.asks) return true;
  // A noscript among the head's elements is closed by its text, which then stands in the body.
  if (page.text.size() <= 2 * kTextNone && asks_for_scripts(std::string(page.text))) return true;
  return signs.script_file && pictures == 0 && page.text.size() <= kTextNone;
}

}  // namespace magpie
