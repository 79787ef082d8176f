#include "extract/image_language.h"

#include <string>

#include "text/language.h"
#include "text/language_evidence.h"

namespace magpie {
namespace {

constexpr std::size_t kTellingBytes = 60;  // in shorter texts names of makes and models outweigh the language
constexpr int kAsksInVainMax = 4;

}  // namespace

void settle_image_languages(std::vector<ImageRef>& images, std::string_view page_language) {
  if (page_language.empty()) return;
  const std::string primary = primary_language(page_language);
  int asked_in_vain = 0;
  for (ImageRef& image : images) {
    if (!image.language.empty()) {
      if (same_language(image.language, page_language)) image.language.clear();
      continue;
    }
    if (asked_in_vain >= kAsksInVainMax || image.alt.size() + image.caption.size() < kTellingBytes) continue;
    const std::string words = image.alt == image.caption ? image.alt : image.alt + ' ' + image.caption;
    if (words.size() < kTellingBytes || speaks_language(words, primary)) continue;
    std::string found = detect_language(words, "");
    if (found.empty() || same_language(found, page_language)) ++asked_in_vain;
    else image.language = std::move(found);
  }
}

}  // namespace magpie
