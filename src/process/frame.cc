#include "process/frame.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <limits>
#include <utility>

#include "base/wire.h"

namespace magpie {
namespace {

static_assert(std::endian::native == std::endian::little, "frames are copied as they lie in memory");
constexpr std::uint32_t kMagic = 0x3246'574D;  // "MWF2"
constexpr std::uint32_t kFlagFile = 1;
constexpr std::size_t kErrorMessageBytesMax = 4'096;
constexpr std::size_t kReadBytes = 1 << 20;
constexpr std::size_t kReadAheadBytes = 64 << 10;

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}
template <class T>
T take(std::string_view& rest) {
  T value{};
  std::memcpy(&value, rest.data(), sizeof value);
  rest.remove_prefix(sizeof value);
  return value;
}

Result<void> wait_for(int socket, short events, Deadline deadline) {
  while (true) {
    pollfd one{socket, events, 0};
    const int ready = ::poll(&one, 1, static_cast<int>(deadline.left().count()));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail_errno("poll");
    if (deadline.passed()) return fail(Code::kTimeout, "no answer in time");
  }
}

// Room for one descriptor, two with the padding; more are closed by the kernel (MSG_CTRUNC).
struct alignas(cmsghdr) Control {
  std::array<char, CMSG_SPACE(sizeof(int))> bytes{};
};

void attach(msghdr& message, Control& control, int file) {
  message.msg_control = control.bytes.data();
  message.msg_controllen = control.bytes.size();
  cmsghdr* part = CMSG_FIRSTHDR(&message);
  part->cmsg_level = SOL_SOCKET;
  part->cmsg_type = SCM_RIGHTS;
  part->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(part), &file, sizeof file);
}

// The first descriptor; others that a misbehaving worker sent along are closed.
UniqueFd detach(msghdr& message) {
  UniqueFd file;
  for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr; part = CMSG_NXTHDR(&message, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS || part->cmsg_len < CMSG_LEN(0)) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      UniqueFd one(fd);
      if (!file) file = std::move(one);
    }
  }
  return file;
}

bool would_block() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// Sends `first`, then `second`, the descriptor with the first of them.
Result<void> send_bytes(int socket, std::string_view first, std::string_view second, int file, Deadline deadline) {
  while (!first.empty() || !second.empty()) {
    std::array<iovec, 2> pieces{iovec{const_cast<char*>(first.data()), first.size()},
                                iovec{const_cast<char*>(second.data()), second.size()}};
    msghdr message{};
    Control control;
    message.msg_iov = pieces.data();
    message.msg_iovlen = pieces.size();
    if (file >= 0) attach(message, control, file);
    const ssize_t sent = ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      const std::size_t of_first = std::min(first.size(), static_cast<std::size_t>(sent));
      first.remove_prefix(of_first);
      second.remove_prefix(static_cast<std::size_t>(sent) - of_first);
      file = -1;
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && !would_block()) return fail_errno("send");
    MAGPIE_TRY_DO(wait_for(socket, POLLOUT, deadline));
  }
  return {};
}

// Reads up to `room` bytes; 0 at the end. A descriptor that comes along is put behind `files`.
Result<std::size_t> receive_some(int socket, char* into, std::size_t room, std::deque<UniqueFd>& files, Deadline deadline) {
  while (true) {
    iovec piece{into, room};
    msghdr message{};
    Control control;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.bytes.data();
    message.msg_controllen = control.bytes.size();
    const ssize_t got = ::recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got >= 0) {
      if (UniqueFd came = detach(message)) files.push_back(std::move(came));
      return static_cast<std::size_t>(got);
    }
    if (errno == EINTR) continue;
    if (errno == ECONNRESET) return std::size_t{0};
    if (!would_block()) return fail_errno("receive");
    MAGPIE_TRY_DO(wait_for(socket, POLLIN, deadline));
  }
}

}  // namespace

std::string encode_header(const FrameHeader& header) {
  std::string out;
  out.reserve(kFrameHeaderBytes);
  put(out, kMagic);
  put(out, header.kind);
  put(out, header.has_file ? kFlagFile : 0u);
  put(out, header.time_max_ms);
  put(out, header.file_offset);
  put(out, header.file_size);
  put(out, header.request);
  put(out, header.payload_size);
  return out;
}

Result<FrameHeader> decode_header(std::string_view bytes, std::uint64_t payload_max) {
  if (bytes.size() != kFrameHeaderBytes) return fail(Code::kCorrupt, "a frame's header of {} bytes", bytes.size());
  if (take<std::uint32_t>(bytes) != kMagic) return fail(Code::kCorrupt, "a frame without its magic number");
  FrameHeader header;
  header.kind = take<std::uint32_t>(bytes);
  const auto flags = take<std::uint32_t>(bytes);
  header.has_file = flags == kFlagFile;
  header.time_max_ms = take<std::uint32_t>(bytes);
  header.file_offset = take<std::uint64_t>(bytes);
  header.file_size = take<std::uint64_t>(bytes);
  header.request = take<std::uint64_t>(bytes);
  header.payload_size = take<std::uint64_t>(bytes);
  constexpr auto kOffsetMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (flags > kFlagFile) return fail(Code::kCorrupt, "a frame with unknown flags {}", flags);
  if (header.payload_size > payload_max) return fail(Code::kCorrupt, "a frame of {} bytes, {} allowed", header.payload_size, payload_max);
  if (header.file_offset > kOffsetMax || header.file_size > kOffsetMax - header.file_offset) {
    return fail(Code::kCorrupt, "a frame with an impossible place in a file");
  }
  return header;
}

std::string encode_error(const Error& error) {
  WireWriter out;
  out.u64(static_cast<std::uint64_t>(error.code));
  out.bytes(std::string_view(error.message).substr(0, kErrorMessageBytesMax));
  return out.take();
}

Error decode_error(std::string_view payload) {
  WireReader in(payload);
  const std::uint64_t code = in.u64();
  std::string message = in.string();
  if (!in.finish() || code > static_cast<std::uint64_t>(Code::kInternal) || message.size() > kErrorMessageBytesMax) {
    return {Code::kCorrupt, "the worker sent an error that cannot be read"};
  }
  return {static_cast<Code>(code), std::move(message)};
}

void append_frame(std::string& out, FrameHeader header, std::string_view payload) {
  header.has_file = false;
  header.payload_size = payload.size();
  out.append(encode_header(header)).append(payload);
}

Result<void> send_frames(int socket, std::string_view frames, Deadline deadline) { return send_bytes(socket, frames, {}, -1, deadline); }

Result<void> send_frame(int socket, FrameHeader header, std::string_view payload, int file, Deadline deadline) {
  header.has_file = file >= 0;
  header.payload_size = payload.size();
  return send_bytes(socket, encode_header(header), payload, file, deadline);
}

Result<std::optional<Frame>> FrameReader::next(std::uint64_t payload_max, Deadline deadline) {
  while (end_ - begin_ < kFrameHeaderBytes) {
    MAGPIE_TRY(const bool more, fill(deadline));
    if (more) continue;
    if (end_ == begin_) return std::optional<Frame>();
    return fail(Code::kCorrupt, "a frame is cut off in its header");
  }
  Frame frame;
  MAGPIE_TRY(frame.header, decode_header({buffer_.data() + begin_, kFrameHeaderBytes}, payload_max));
  begin_ += kFrameHeaderBytes;
  // A descriptor arrives with the first byte of its frame or not at all. One too many shows itself at the latest with the next frame.
  const bool last = end_ - begin_ <= frame.header.payload_size;
  if (frame.header.has_file ? files_.empty() : last && !files_.empty())
    return fail(Code::kCorrupt, "a frame and its file do not fit together");
  if (frame.header.has_file) {
    frame.file = std::move(files_.front());
    files_.pop_front();
  }
  MAGPIE_TRY_DO(read_payload(frame, deadline));
  return std::optional<Frame>(std::move(frame));
}

// False at the end of the stream.
Result<bool> FrameReader::fill(Deadline deadline) {
  buffer_.resize(kReadAheadBytes);
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= std::exchange(begin_, 0);
  MAGPIE_TRY(const std::size_t got, receive_some(socket_, buffer_.data() + end_, buffer_.size() - end_, files_, deadline));
  end_ += got;
  return got > 0;
}

Result<void> FrameReader::read_payload(Frame& frame, Deadline deadline) {
  const std::uint64_t size = frame.header.payload_size;
  const std::size_t here = std::min<std::uint64_t>(size, end_ - begin_);
  frame.payload.assign(buffer_.data() + begin_, here);
  begin_ += here;
  // Grows with what arrives, not with what was announced: a lying header costs no memory.
  while (frame.payload.size() < size) {
    const std::size_t before = frame.payload.size();
    frame.payload.resize(before + std::min<std::uint64_t>(kReadBytes, size - before));
    std::deque<UniqueFd> strays;
    MAGPIE_TRY(const std::size_t got,
               receive_some(socket_, frame.payload.data() + before, frame.payload.size() - before, strays, deadline));
    if (got == 0) return fail(Code::kCorrupt, "a frame is cut off in its payload");
    frame.payload.resize(before + got);
  }
  return {};
}

}  // namespace magpie
