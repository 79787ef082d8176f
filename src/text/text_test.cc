// Charset, language, tokens and keywords.
#include <gtest/gtest.h>

#include "text/charset.h"
#include "text/keywords.h"
#include "text/language.h"
#include "text/language_evidence.h"
#include "text/tokens.h"

namespace magpie {
namespace {

std::string terms(std::string_view text) {
  std::string out;
  for (const Token& token : tokenise(text)) out += (out.empty() ? "" : "|") + token.term;
  return out;
}

TEST(Charset, IsLookedForInTheStandardsOrder) {
  EXPECT_EQ(sniff_charset("\xEF\xBB\xBF<meta charset=gbk>", "text/html; charset=big5"), "utf-8");
  EXPECT_EQ(sniff_charset("<meta charset=gbk>", "text/html; charset=Big5"), "big5");
  EXPECT_EQ(sniff_charset("<meta charset=gb2312>", "text/html"), "gbk");
  EXPECT_EQ(sniff_charset("<p>ccharacharse<META CHARSET=gb2312>", "text/html"), "gbk");
  EXPECT_EQ(sniff_charset("<p>charset is a word", "text/html"), "windows-1252");
  EXPECT_EQ(sniff_charset("<p>plain", ""), "windows-1252");
  EXPECT_EQ(sniff_charset("<p>Grün", ""), "utf-8");
  EXPECT_EQ(sniff_charset("<p>Gr\xFCn", ""), "windows-1252");
  EXPECT_EQ(sniff_charset("<!--" + std::string(3000, 'x') + "--><script>'<meta charset=gbk>'</script><meta charset=koi8-r>", ""), "koi8-r");
}

TEST(Charset, DecodesToUtf8) {
  EXPECT_EQ(decode_to_utf8("Gr\xFCn \x80", "windows-1252"), "Grün €");
  EXPECT_EQ(decode_to_utf8("\x8A\xBF\x8E\x9A", "shift_jis"), "漢字");
  EXPECT_EQ(decode_to_utf8(std::string_view("\xFF\xFE\x41\x00\x3D\xD8\x00\xDE", 8), "utf-16le"), "A😀");
  EXPECT_EQ(decode_to_utf8("a\xFF\xE2\x82z", "utf-8"), "a\uFFFD\uFFFDz");
  EXPECT_EQ(decode_to_utf8("\xEF\xBB\xBFx", "utf-8"), "x");
  EXPECT_EQ(decode_to_utf8("\xFC", "no-such-charset"), "ü");
  EXPECT_EQ(decode_to_utf8("\xFCx", ""), "üx");
  EXPECT_EQ(decode_to_utf8("", ""), "");
  EXPECT_EQ(decode_to_utf8("plain and more than eight bytes \xFC!", "windows-1252"), "plain and more than eight bytes ü!");
  EXPECT_EQ(decode_to_utf8("\x1B$B4A\x1B(B plain", "iso-2022-jp"), "漢 plain");
  EXPECT_EQ(decode_to_utf8("a\x8A\xBF", "shift_jis"), "a漢");
  EXPECT_EQ(decode_to_utf8(std::string(100'000, '\xE4'), "windows-1252").size(), 200'000u);
}

TEST(Charset, EncodesQueriesInThePagesCharset) {
  EXPECT_EQ(encode_for_url_query("ü€", "windows-1252"), "\xFC\x80");
  EXPECT_EQ(encode_for_url_query("漢", "shift_jis"), "\x8A\xBF");
  EXPECT_EQ(encode_for_url_query("漢", "windows-1252"), "%26%2328450%3B");
  EXPECT_EQ(encode_for_url_query("漢", "utf-8"), "漢");
}

TEST(Tokens, FoldCaseAccentsAndWidth) {
  EXPECT_EQ(terms("Übergröße, CAFÉ; ＡＢＣ ﬁne Ærø İstanbul"), "ubergrosse|cafe|abc|fine|aero|istanbul");
  EXPECT_EQ(terms("don't 3.5 kg end.Next 1,000 a-b 'quoted'"), "dont|3.5|kg|end|next|1|000|a|b|quoted");
}

TEST(Tokens, PairCharactersOfScriptsWithoutSpaces) {
  EXPECT_EQ(terms("東京都 red 本"), "東京|京都|red|本");
  EXPECT_EQ(terms("한국어 문서"), terms("한국어 문서"));
  EXPECT_EQ(tokenise("東京都 red").back().position, 2u);
}

TEST(Tokens, SurviveAnyBytes) {
  EXPECT_EQ(terms("\xFF\xC3ok\x80"), "ok");
  EXPECT_EQ(tokenise(std::string(1000, 'x')).front().term.size(), kTermBytesMax);
  EXPECT_EQ(tokenise("a b c", 2).size(), 2u);
}

TEST(Tokens, StemPerLanguage) {
  EXPECT_EQ(stem("dresses", "en-GB"), stem("dress", "en"));
  EXPECT_EQ(stem("kleider", "de"), stem("kleid", "de"));
  EXPECT_EQ(stem("dresses", "xx"), "dresses");
  EXPECT_TRUE(is_stop_word("the", "en"));
  EXPECT_FALSE(is_stop_word("he the", "en"));
  EXPECT_FALSE(is_stop_word("lamp", "en"));
}

TEST(Language, TrustsThePageUnlessTheTextSaysOtherwise) {
  const std::string german =
      "Dieser Stuhl ist aus Eichenholz gefertigt und passt in jedes Wohnzimmer. Die Lieferung erfolgt innerhalb von drei Werktagen. "
      "Unsere Möbel werden in kleinen Werkstätten von Hand hergestellt, damit sie viele Jahre halten und immer schöner werden. Bitte "
      "beachten Sie die Pflegehinweise. "
      "Wenn Sie Fragen haben, schreiben Sie uns gerne eine Nachricht oder rufen Sie uns an, wir helfen Ihnen jederzeit weiter und freuen "
      "uns auf Ihren Besuch.";
  EXPECT_EQ(detect_language(german, ""), "de");
  EXPECT_EQ(detect_language(german, "de-AT"), "de-AT");
  EXPECT_EQ(detect_language(german, "en"), "de");
  EXPECT_EQ(detect_language("SKU 1234", "pt_br"), "pt-BR");
  EXPECT_EQ(detect_language("SKU 1234", ""), "");
  EXPECT_EQ(normalise_language_tag("zh-hant-tw"), "zh-Hant-TW");
  EXPECT_EQ(normalise_language_tag("english"), "");
}

std::string repeated(std::string_view text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

TEST(Language, IsPlainFromItsCommonestWordsOnly) {
  const std::string english = repeated("The house of the gardener is in a small town and its windows are blue. ", 8);
  const std::string spanish =
      repeated("La casa del jardinero es una de las de la plaza y no se ve desde el camino que va a la iglesia. ", 8);
  const std::string danish = repeated("Han har ikke set det hus, som hun og de andre kan se fra den anden side af vejen. ", 8);
  EXPECT_EQ(plain_language(english), "en");
  EXPECT_TRUE(speaks_language(english, "en"));
  EXPECT_FALSE(speaks_language(english, "de"));
  EXPECT_TRUE(speaks_language(spanish, "es"));
  EXPECT_FALSE(speaks_language(spanish, "pt"));
  EXPECT_FALSE(speaks_language(danish, "no"));
  EXPECT_EQ(plain_language(danish), "");
  EXPECT_EQ(plain_language(repeated("Lamp 3 Chair 7 Table 12 ", 40)), "");
  EXPECT_FALSE(speaks_language(repeated("Lamp 3 Chair 7 Table 12 ", 40), "en"));
}

TEST(Language, IsPlainFromItsLetters) {
  EXPECT_TRUE(speaks_language(repeated("東京の庭には美しい花があります。", 20), "ja"));
  EXPECT_FALSE(speaks_language(repeated("東京の庭には美しい花があります。", 20), "zh"));
  EXPECT_TRUE(speaks_language(repeated("Το σπίτι του κηπουρού ", 20), "el"));
  // Half Latin, half Cyrillic: nothing has four fifths, whatever is declared.
  EXPECT_TRUE(speaks_language(repeated("дом garden дым window ", 20), "en"));
}

TEST(Language, ASampleOfALongTextSpeaksForIt) {
  const std::string finnish = repeated("Talo seisoo metsän reunassa ja sen ikkunat loistavat illalla kauas järvelle asti. ", 30);
  EXPECT_EQ(detect_language(finnish, ""), "fi");
  EXPECT_EQ(detect_language(finnish, "en"), "fi");
  EXPECT_EQ(detect_language(finnish, "fi-FI"), "fi-FI");
}

TEST(Language, ASampleOfATextWithoutSpacesIsOfItsOwnLetters) {
  const std::string footer = " All rights reserved. Terms of service and privacy policy. Contact us about your order today.";
  const std::pair<const char*, std::string> texts[] = {
      {"ja", repeated("この椅子は木でできていて、とても座りやすいです。", 14)},
      {"zh-Hans", repeated("这把椅子是用木头做的，坐起来非常舒服，价格也很便宜。", 14)},
      {"th", repeated("เก้าอี้ตัวนี้ทำจากไม้และนั่งสบายมาก", 10)},
  };
  for (const auto& [language, text] : texts) {
    ASSERT_GT(text.size(), 720u);
    EXPECT_EQ(detect_language(text, ""), language);
    EXPECT_EQ(detect_language(text + footer, ""), language);
    EXPECT_EQ(detect_language(repeated(text, 3) + footer, ""), language);
    EXPECT_EQ(detect_language(text + footer, "en"), language);
  }
}

TEST(Keywords, PreferHeavyTextsAndDropStopWords) {
  const std::vector<std::string> words = keywords_of({{"The Red Chair", 5}, {"chairs and the table 2024", 1}}, "en");
  EXPECT_EQ(words, (std::vector<std::string>{"chair", "red", "table"}));
}

}  // namespace
}  // namespace magpie
