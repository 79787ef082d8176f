#pragma once
// The language of a text: CLD2's judgement, helped by what the page itself declares.
#include <string>
#include <string_view>

namespace magpie {

/// BCP 47 tag as written in lower-case primary, upper-case region form ("en", "pt-BR", "zh-Hant"): `declared` (html lang) where it is a
/// well-formed tag and the text does not clearly speak another language; else what CLD2 finds reliable; else empty.
/// `text` is UTF-8; CLD2 reads its first 32 KB. Thread-safe; about 10 MB/s where CLD2 has to read it all, which it has not when the letters
/// and commonest words (text/language_evidence.h) or a sample of a longer text settle the matter.
std::string detect_language(std::string_view text, std::string_view declared);

/// A well-formed tag in its usual letter case, or empty: "EN-us" -> "en-US", "de_DE" -> "de-DE", "english" -> "".
std::string normalise_language_tag(std::string_view tag);

/// Whether two tags name one language, or two that are written so much alike that no text tells them apart ("nb" and "no", "hr" and "sr").
bool same_language(std::string_view a, std::string_view b);

/// The primary part: "pt-BR" -> "pt".
std::string primary_language(std::string_view tag);

}  // namespace magpie
