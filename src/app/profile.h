#pragma once
// What a kind of shop sells, and what is to be known of it: words that lead a crawl to its products, the fields a product must have to
// count as complete, the least size of its pictures, and classes by which products are counted. YAML; some are shipped (profiles/).
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "core/records.h"

namespace magpie {

struct Profile {
  std::string about;
  std::vector<std::string> words;   // links that have one in their text or address are followed sooner
  std::vector<std::string> avoid;   // and those later
  std::vector<std::string> fields;  // of "price", "currency", "brand", "availability", "sku", "gtin", "category", "description", "picture"
  std::uint32_t picture_side_min = 500;                     // pixels of the longer side
  std::map<std::string, std::vector<std::string>> classes;  // name, and words of which a product's name or category has one
};

/// A shipped one by its name, or a file. kNotFound names the shipped ones; kBadInput names file and key.
Result<Profile> load_profile(const std::string& name);
/// Whether load_profile() takes it as a file.
bool is_profile_file(const std::string& name);
/// Of the shipped ones, in order. kNotFound when they are not installed.
Result<std::vector<std::string>> shipped_profiles();

/// The first class that a word of the product's name or category belongs to; "" for none.
std::string class_of(const Profile& profile, const Product& product);

}  // namespace magpie
