#include "process/frame.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <string>

#include "process/start_message.h"

namespace magpie {
namespace {

struct Pair {
  Pair() {
    std::array<int, 2> both{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both.data()), 0);
    left = UniqueFd(both[0]);
    right = UniqueFd(both[1]);
  }
  UniqueFd left, right;
};

const FrameHeader kHeader{
    .kind = 7, .has_file = true, .time_max_ms = 500, .file_offset = 12, .file_size = 34, .request = 5, .payload_size = 56};

TEST(Frame, HeaderComesBackAsItWas) {
  const std::string bytes = encode_header(kHeader);
  ASSERT_EQ(bytes.size(), kFrameHeaderBytes);
  const Result<FrameHeader> back = decode_header(bytes, 56);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->kind, 7u);
  EXPECT_TRUE(back->has_file);
  EXPECT_EQ(back->time_max_ms, 500u);
  EXPECT_EQ(back->file_offset, 12u);
  EXPECT_EQ(back->file_size, 34u);
  EXPECT_EQ(back->request, 5u);
  EXPECT_EQ(back->payload_size, 56u);
}

TEST(Frame, LyingHeadersAreRefused) {
  const std::string good = encode_header(kHeader);
  EXPECT_FALSE(decode_header(good, 55));  // payload over the limit
  EXPECT_FALSE(decode_header(good.substr(1), 100));
  std::string bad = good;
  bad[0] = 'x';
  EXPECT_FALSE(decode_header(bad, 100));
  bad = good;
  bad[8] = 2;  // unknown flag
  EXPECT_FALSE(decode_header(bad, 100));
  bad = good;
  bad[23] = '\xff';  // offset beyond what a file can have
  EXPECT_FALSE(decode_header(bad, 100));
}

TEST(Frame, ErrorsTravel) {
  const Error back = decode_error(encode_error({Code::kTooLarge, "40,000 x 40,000 pixels"}));
  EXPECT_EQ(back.code, Code::kTooLarge);
  EXPECT_EQ(back.message, "40,000 x 40,000 pixels");
  EXPECT_EQ(decode_error("").code, Code::kCorrupt);
  EXPECT_EQ(decode_error("\x7f\x01x").code, Code::kCorrupt);
}

TEST(Frame, EndBetweenFramesIsNothingAndWithinIsCorrupt) {
  Pair quiet;
  quiet.right.reset();
  const auto nothing = FrameReader(quiet.left.get()).next(10, Deadline::after(5s));
  ASSERT_TRUE(nothing);
  EXPECT_FALSE(nothing->has_value());

  Pair torn;
  const std::string start = encode_header({.kind = 1, .payload_size = 4}) + "ab";
  ASSERT_TRUE(write_all(torn.right.get(), start));
  torn.right.reset();
  EXPECT_EQ(FrameReader(torn.left.get()).next(10, Deadline::after(5s)).error().code, Code::kCorrupt);
}

TEST(Frame, WaitingEndsAtTheDeadline) {
  Pair silent;
  EXPECT_EQ(FrameReader(silent.left.get()).next(10, Deadline::after(10ms)).error().code, Code::kTimeout);
  const std::string much(8 << 20, 'x');  // more than the socket holds, and nobody reads
  EXPECT_EQ(send_frame(silent.left.get(), {.kind = 1}, much, -1, Deadline::after(10ms)).error().code, Code::kTimeout);
}

TEST(Frame, AnAnnouncedFileMustCome) {
  Pair pair;
  ASSERT_TRUE(write_all(pair.right.get(), encode_header({.kind = 1, .has_file = true})));
  EXPECT_EQ(FrameReader(pair.left.get()).next(10, Deadline::after(5s)).error().code, Code::kCorrupt);
}

TEST(Frame, ReadsAheadAndKeepsEachFrameWithItsFile) {
  Pair pair;
  std::string frames;
  append_frame(frames, {.kind = 1}, "one");
  append_frame(frames, {.kind = 2}, "");
  ASSERT_TRUE(send_frames(pair.right.get(), frames, Deadline::after(5s)));
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe(ends.data()), 0);
  const UniqueFd reading(ends[0]), writing(ends[1]);
  ASSERT_TRUE(send_frame(pair.right.get(), {.kind = 3}, "three", writing.get(), Deadline::after(5s)));
  ASSERT_TRUE(send_frame(pair.right.get(), {.kind = 4}, std::string(200'000, 'x'), -1, Deadline::after(5s)));
  FrameReader reader(pair.left.get());
  constexpr std::array<std::size_t, 5> kSizes = {0, 3, 0, 5, 200'000};
  for (const std::uint32_t kind : {1u, 2u, 3u, 4u}) {
    const auto frame = reader.next(1 << 20, Deadline::after(5s));
    ASSERT_TRUE(frame && *frame) << kind;
    EXPECT_EQ((*frame)->header.kind, kind);
    EXPECT_EQ(static_cast<bool>((*frame)->file), kind == 3);
    EXPECT_EQ((*frame)->payload.size(), kSizes[kind]);
  }
}

// Sends bytes with descriptors that their header says nothing of.
void send_with_files(int socket, std::string bytes, const std::vector<int>& files) {
  iovec piece{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &piece;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = CMSG_SPACE(files.size() * sizeof(int));
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(files.size() * sizeof(int));
  std::memcpy(CMSG_DATA(part), files.data(), files.size() * sizeof(int));
  ASSERT_GT(sendmsg(socket, &message, 0), 0);
}

std::size_t open_files() {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

TEST(Frame, FilesThatNobodyAnnouncedAreRefusedAndClosed) {
  for (const std::size_t count : {1u, 2u, 3u}) {
    Pair pair;
    const std::size_t before = open_files();
    send_with_files(pair.right.get(), encode_header({.kind = 1}), std::vector<int>(count, pair.right.get()));
    EXPECT_EQ(FrameReader(pair.left.get()).next(10, Deadline::after(5s)).error().code, Code::kCorrupt);
    EXPECT_EQ(open_files(), before) << count;
  }
}

TEST(StartMessage, ComesBackAsItWas) {
  StartMessage start{.manager = 42, .config = "{}"};
  start.sandbox.enabled = false;
  start.sandbox.memory_bytes = 5;
  start.sandbox.readable = {"/a", "/b"};
  const Result<StartMessage> back = decode_start(encode_start(start));
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(back->manager, 42);
  EXPECT_FALSE(back->sandbox.enabled);
  EXPECT_EQ(back->sandbox.memory_bytes, 5u);
  EXPECT_EQ(back->sandbox.readable, start.sandbox.readable);
  EXPECT_EQ(back->config, "{}");
  EXPECT_FALSE(decode_start("nonsense"));
}

}  // namespace
}  // namespace magpie
