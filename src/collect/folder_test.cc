// A folder as a source: which files are pictures, what they are called, and that the client gives nothing beyond the folder.
#include "collect/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/hash.h"

namespace magpie::collect {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class FolderTest : public testing::Test {
 protected:
  FolderTest() : root_(fs::canonical(fs::temp_directory_path()) / fmt::format("magpie-folder-{:x}", random_u64())) {
    fs::create_directories(root_);
  }
  ~FolderTest() override { fs::remove_all(root_); }

  fs::path put(const fs::path& name, std::string_view text = "picture") {
    const fs::path path = root_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  /// "name label" of each, in order.
  std::vector<std::string> walked(const std::string& label = "", std::size_t at_once = 100) {
    auto walk = FolderWalk::open(root_, label, "CC0");
    EXPECT_TRUE(walk) << walk.error().message;
    std::vector<std::string> found;
    while (walk) {
      const FolderWalk::Piece piece = walk->next(at_once);
      EXPECT_LE(piece.items.size(), at_once);
      for (const Item& item : piece.items) {
        EXPECT_EQ(item.licence, "CC0");
        const std::string name = item.picture.substr(("file://" + root_.string() + "/").size());
        found.push_back(name + " " + (item.labels.empty() ? "" : item.labels.front()));
      }
      if (piece.end) break;
    }
    return found;
  }
  static HttpResponse ask(HttpClient& client, const std::string& address, const std::string& etag = "", std::size_t bytes_max = 1'000) {
    HttpRequest request{.url = *Url::parse(address), .etag = etag};
    request.limits.body_bytes_max = bytes_max;
    client.submit(std::move(request));
    return std::move(client.poll(Deadline::after(std::chrono::seconds(5))).at(0));
  }

  const fs::path root_;
};

TEST_F(FolderTest, PicturesAreWalkedInOrderWithTheirFoldersAsLabels) {
  put("b/2.JPG"), put("b/1.png"), put("b/deep/3.webp"), put("a cat/x y#1.gif"), put("top.avif");
  put("b/notes.txt"), put(".hidden.jpg"), put(".git/4.jpg"), put("a cat/noending");
  EXPECT_THAT(walked(), ElementsAre("a%20cat/x%20y%231.gif a cat", "b/1.png b", "b/2.JPG b", "b/deep/3.webp b", "top.avif "));
  EXPECT_EQ(walked("", 1), walked());
  EXPECT_THAT(walked("all"), ElementsAre("a%20cat/x%20y%231.gif all", "b/1.png all", "b/2.JPG all", "b/deep/3.webp all", "top.avif all"));
}

TEST_F(FolderTest, LinksToFilesAreFollowedAndLinksToFoldersAreNot) {
  put("real/1.jpg");
  fs::create_symlink(root_, root_ / "real" / "loop");
  fs::create_symlink(root_ / "real" / "1.jpg", root_ / "real" / "2.jpg");
  fs::create_symlink(root_ / "nowhere", root_ / "real" / "3.jpg");
  EXPECT_THAT(walked(), ElementsAre("real/1.jpg real", "real/2.jpg real"));
}

TEST_F(FolderTest, LinksOutOfTheFolderAreNeitherWalkedNorAnswered) {
  const fs::path secret = put("secret.jpg", "secret");
  put("in/1.jpg");
  fs::create_symlink(secret, root_ / "in" / "2.jpg");
  auto walk = FolderWalk::open(root_ / "in", "", "");
  ASSERT_TRUE(walk);
  EXPECT_EQ(walk->next(10).items.size(), 1u);
  const auto client = make_folder_client(root_ / "in");
  ASSERT_TRUE(client);
  EXPECT_EQ(ask(**client, file_address(root_ / "in" / "1.jpg")).status, 200);
  EXPECT_EQ(ask(**client, file_address(root_ / "in" / "2.jpg")).status, 404);
}

TEST_F(FolderTest, WhatIsNoFolderIsNamed) {
  EXPECT_EQ(FolderWalk::open(root_ / "gone", "", "").error().code, Code::kNotFound);
  EXPECT_THAT(walked(), IsEmpty());
}

TEST_F(FolderTest, TheClientGivesFilesOfTheFolderAndNothingElse) {
  const fs::path inside = put("in/a b.jpg", "bytes"), outside = root_.string() + "-other.jpg";
  std::ofstream(outside) << "secret";
  const auto client = make_folder_client(root_ / "in");
  ASSERT_TRUE(client);
  const HttpResponse whole = ask(**client, file_address(inside));
  EXPECT_EQ(whole.status, 200);
  EXPECT_EQ(whole.body, "bytes");
  EXPECT_EQ(whole.header("content-type"), "image/jpeg");
  EXPECT_THAT(whole.header_block, testing::StartsWith("HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"));
  EXPECT_EQ(ask(**client, file_address(inside), std::string(*whole.header("etag"))).status, 304);
  EXPECT_EQ(ask(**client, file_address(inside), "", 3).cause, HttpCause::kTooLarge);
  EXPECT_EQ(ask(**client, file_address(root_ / "in" / "gone.jpg")).status, 404);
  EXPECT_EQ(ask(**client, "file:///robots.txt").status, 404);
  const std::string in = file_address(root_ / "in");
  for (const std::string& beyond :
       {file_address(outside), in + "/../in2.jpg", in + "/..%2F" + file_address(outside.filename()).substr(7),
        std::string("file://host.test") + root_.string() + "/in/a%20b.jpg", std::string("http://a.test/in/a%20b.jpg")}) {
    EXPECT_EQ(ask(**client, beyond).status, 404) << beyond;
  }
  fs::remove(outside);
}

}  // namespace
}  // namespace magpie::collect
