#include "app/profile.h"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>

#include "app/assets.h"
#include "base/files.h"

namespace magpie {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20;
constexpr std::size_t kWordsMax = 2'000;
constexpr std::array<std::string_view, 9> kFields = {"price", "currency", "brand",       "availability", "sku",
                                                     "gtin",  "category", "description", "picture"};

std::string lower(std::string text) {
  for (char& c : text) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  return text;
}

Result<std::vector<std::string>> words_of(const YAML::Node& node, std::string_view key) {
  std::vector<std::string> words;
  if (!node.IsDefined() || node.IsNull()) return words;
  if (!node.IsSequence() || node.size() > kWordsMax) return fail(Code::kBadInput, "{}: must be a list of at most {} words", key, kWordsMax);
  for (const YAML::Node& one : node) {
    if (!one.IsScalar() || one.Scalar().empty() || one.Scalar().size() > 64 || one.Scalar().find(',') != std::string::npos)
      return fail(Code::kBadInput, "{}: each is one word of at most 64 bytes, without a comma", key);
    words.push_back(lower(one.Scalar()));
  }
  return words;
}

Result<Profile> parse(const YAML::Node& root) {
  if (!root.IsMap()) return fail(Code::kBadInput, "a profile holds keys and values");
  Profile profile;
  for (const auto& entry : root) {
    const std::string key = entry.first.Scalar();
    const YAML::Node& value = entry.second;
    if (key == "about" && value.IsScalar()) {
      profile.about = value.Scalar();
    } else if (key == "words") {
      MAGPIE_TRY(profile.words, words_of(value, key));
    } else if (key == "avoid") {
      MAGPIE_TRY(profile.avoid, words_of(value, key));
    } else if (key == "fields") {
      MAGPIE_TRY(profile.fields, words_of(value, key));
      for (const std::string& field : profile.fields) {
        if (std::find(kFields.begin(), kFields.end(), field) == kFields.end())
          return fail(Code::kBadInput,
                      "fields: '{}' is none of price, currency, brand, availability, sku, gtin, category, description, picture", field);
      }
    } else if (key == "picture_side_min") {
      if (!YAML::convert<std::uint32_t>::decode(value, profile.picture_side_min) || profile.picture_side_min > 100'000)
        return fail(Code::kBadInput, "picture_side_min: must be a number of pixels, 0 to 100000");
    } else if (key == "classes" && value.IsMap()) {
      for (const auto& one : value) {
        MAGPIE_TRY(profile.classes[one.first.Scalar()], words_of(one.second, "classes." + one.first.Scalar()));
      }
    } else {
      return fail(Code::kBadInput, "{}: no key of a profile, or of the wrong kind (about, words, avoid, fields, picture_side_min, classes)",
                  key);
    }
  }
  return profile;
}

// A word stands by itself, or with an ending of up to two letters: "dress" is in "dresses", not in "address".
bool has_word(const std::string& text, const std::string& word) {
  const auto is_letter = [](unsigned char c) { return (c >= 'a' && c <= 'z') || c >= 0x80; };
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    if (at > 0 && is_letter(static_cast<unsigned char>(text[at - 1]))) continue;
    std::size_t end = at + word.size();
    while (end < text.size() && is_letter(static_cast<unsigned char>(text[end]))) ++end;
    if (end - at - word.size() <= 2) return true;
  }
  return false;
}

}  // namespace

bool is_profile_file(const std::string& name) { return name.find('/') != std::string::npos || name.ends_with(".yaml"); }

Result<Profile> load_profile(const std::string& name) {
  fs::path file = name;
  if (!is_profile_file(name)) {
    MAGPIE_TRY(const std::vector<std::string> known, shipped_profiles());
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      std::string all;
      for (const std::string& one : known) all += (all.empty() ? "" : ", ") + one;
      return fail(Code::kNotFound, "there is no profile '{}'; Magpie has {}, and a file of your own ends in .yaml", name, all);
    }
    MAGPIE_TRY(const fs::path folder, asset("profiles"));
    file = folder / (name + ".yaml");
  }
  MAGPIE_TRY(const std::string text, read_file(file, kFileBytesMax));
  try {
    auto profile = parse(YAML::Load(text));
    return profile ? std::move(profile) : fail(profile.error(), file.string());
  } catch (const YAML::Exception& problem) { return fail(Code::kBadInput, "{} is not YAML: {}", file.string(), problem.what()); }
}

Result<std::vector<std::string>> shipped_profiles() {
  MAGPIE_TRY(const fs::path folder, asset("profiles"));
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".yaml") names.push_back(entry->path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string class_of(const Profile& profile, const Product& product) {
  for (const std::string& text : {lower(product.name), lower(product.category)}) {
    for (const auto& [name, words] : profile.classes) {
      if (std::any_of(words.begin(), words.end(), [&](const std::string& word) { return has_word(text, word); })) return name;
    }
  }
  return "";
}

}  // namespace magpie
