#include "image/sniff.h"

#include <gtest/gtest.h>

#include "image/encode.h"
#include "image/test_pictures.h"

namespace magpie::image {
namespace {

using namespace std::string_literals;

Header sniffed(std::string_view bytes) {
  const Result<Header> header = sniff(bytes);
  EXPECT_TRUE(header) << (header ? "" : header.error().message);
  return header.value_or(Header{});
}

std::string gif_frame(int left, int top, int width, int height) {
  return "\x2C" + le(left, 2) + le(top, 2) + le(width, 2) + le(height, 2) + "\0\x02\x01x\0"s;
}

TEST(Sniff, CountsGifFramesAndGrowsTheScreenToTheFirst) {
  const std::string gif =
      "GIF89a" + le(32, 2) + le(32, 2) + "\0\0\0"s + gif_frame(10, 0, 30, 5) + "\x21\xF9\x04\0\0\0\0\0"s + gif_frame(0, 0, 99, 99) + ";";
  const Header header = sniffed(gif);
  EXPECT_EQ(header.format, Format::kGif);
  EXPECT_EQ(header.size, (Size{40, 32}));
  EXPECT_EQ(header.frames, 2u);
}

TEST(Sniff, ReadsJpegSizeAndOrientation) {
  const std::string jpeg = *encode_jpeg(waves({40, 20}).view());
  EXPECT_EQ(sniffed(jpeg).size, (Size{40, 20}));
  EXPECT_EQ(sniffed(jpeg).orientation, 1);
  for (int orientation = 1; orientation <= 8; ++orientation)
    EXPECT_EQ(sniffed(with_orientation(jpeg, orientation)).orientation, orientation);
  EXPECT_EQ(sniffed(with_orientation(jpeg, 9)).orientation, 1);
}

TEST(Sniff, ReadsWebpOfAllThreeKinds) {
  const auto riff = [](const std::string& chunks) { return "RIFF" + le(chunks.size() + 4, 4) + "WEBP" + chunks; };
  EXPECT_EQ(sniffed(riff("VP8 " + le(10, 4) + "\0\0\0\x9d\x01\x2a"s + le(300, 2) + le(200, 2))).size, (Size{300, 200}));
  EXPECT_EQ(sniffed(riff("VP8L" + le(5, 4) + "\x2F" + le(299 | 199 << 14, 4) + "\0"s)).size, (Size{300, 200}));
  const Header animated = sniffed(riff("VP8X" + le(10, 4) + le(0, 4) + le(299, 3) + le(199, 3) + "ANMF" + le(0, 4) + "ANMF" + le(0, 4)));
  EXPECT_EQ(animated.size, (Size{300, 200}));
  EXPECT_EQ(animated.frames, 2u);
}

TEST(Sniff, RefusesADamagedPngHeader) {
  std::string png = "\x89PNG\r\n\x1a\n" + be(13, 4) + "IHDR" + be(7, 4) + be(5, 4) + "\x08\x02\0\0\0"s + be(0x12345678, 4);
  EXPECT_FALSE(sniff(png));
}

TEST(Sniff, CountsTiffPagesAndEndsOnALoop) {
  const auto directory = [](std::uint32_t next) { return le(1, 2) + le(256, 2) + le(3, 2) + le(1, 4) + le(9, 4) + le(next, 4); };
  EXPECT_EQ(sniffed("II*\0"s + le(8, 4) + directory(26) + directory(0)).frames, 2u);
  EXPECT_FALSE(sniff("II*\0"s + le(8, 4) + directory(8)));
}

TEST(Sniff, KnowsAvifFromHeicByBrands) {
  const auto file = [](const std::string& brands) { return be(8 + brands.size(), 4) + "ftyp" + brands; };
  EXPECT_EQ(sniff_format(file("avif" + be(0, 4))), Format::kAvif);
  EXPECT_EQ(sniff_format(file("mif1" + be(0, 4) + "avif")), Format::kAvif);
  EXPECT_EQ(sniff_format(file("mif1" + be(0, 4) + "heic")), Format::kHeic);
  EXPECT_EQ(sniff_format(file("isom" + be(0, 4) + "mp42")), Format::kUnknown);
}

TEST(Sniff, ReadsTheSizeOfTheAvifPrimaryItem) {
  const auto box = [](const std::string& type, const std::string& data) { return be(8 + data.size(), 4) + type + data; };
  const auto ispe = [&](int w, int h) { return box("ispe", be(0, 4) + be(w, 4) + be(h, 4)); };
  const std::string ipma = box("ipma", be(0, 4) + be(2, 4) + be(1, 2) + be(1, 1) + be(1, 1) + be(2, 2) + be(1, 1) + be(0x82, 1));
  const std::string meta =
      box("meta", be(0, 4) + box("pitm", be(0, 4) + be(2, 2)) + box("iprp", box("ipco", ispe(900, 900) + ispe(64, 48)) + ipma));
  EXPECT_EQ(sniffed(box("ftyp", "avif" + be(0, 4)) + meta).size, (Size{64, 48}));
}

TEST(Sniff, FindsSvgBehindItsProlog) {
  const std::string svg =
      "\xEF\xBB\xBF<?xml version='1.0'?>\n<!-- <svg> --><!DOCTYPE svg [<!ENTITY a \">\">]>\n<svg viewBox='0 0 24 12' width=\"1in\">";
  EXPECT_EQ(sniff_format(svg), Format::kSvg);
  EXPECT_EQ(sniffed(svg).size, (Size{96, 48}));
  EXPECT_EQ(sniff_format("<html><svg></svg></html>"), Format::kUnknown);
  EXPECT_EQ(sniff_format("<svgfoo>"), Format::kUnknown);
}

TEST(Sniff, EveryCutOfAPictureIsSafe) {
  const std::string jpeg = with_orientation(*encode_jpeg(waves({40, 20}).view()), 6);
  for (const std::string& whole : {jpeg, small_bmp()}) {
    // A heap copy of exactly this size, so that the address sanitizer sees a read behind its end.
    for (std::size_t size = 0; size < whole.size(); ++size) (void)sniff(std::string(whole.data(), size));
  }
}

TEST(Sniff, ForeignBytesAreNoPicture) {
  EXPECT_FALSE(sniff(""));
  EXPECT_FALSE(sniff("hello"));
  EXPECT_FALSE(sniff("BMW is a car maker from Munich"));
  EXPECT_FALSE(sniff("GIF88a"));
}

}  // namespace
}  // namespace magpie::image
