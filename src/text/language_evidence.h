#pragma once
// What a text's letters and its commonest words say of its language, at a hundredth of the time that CLD2 takes. It never names a
// language by itself where there is doubt: it only spares CLD2 the texts whose answer is plain.
#include <string_view>

namespace magpie {

/// Whether the text can hardly be in another language than `primary` (BCP 47 primary tag), or at least no other language has four fifths
/// of it: its letters are of many scripts, or of one that only this language uses, or a good part of its words are the language's
/// commonest (text/stop_words.h) and far more than those of any other. False says nothing. `text` is UTF-8; thread-safe; about 300 MB/s.
bool speaks_language(std::string_view text, std::string_view primary);

/// English, German or French where a quarter of the words are the commonest of that language and no other comes near; else empty. These
/// three have no close relative without a list of its own.
std::string_view plain_language(std::string_view text);

}  // namespace magpie
