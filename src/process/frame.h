#pragma once
// The messages between a manager and its worker, over a local stream socket. The worker reads foreign bytes and may be taken over by
// them, so what it sends is foreign too: every field is checked before it is believed.
//
// Frame, little-endian, version 2
//   0  u32  magic "MWF2"
//   4  u32  kind          a request's kind, or an answer's (FrameKind)
//   8  u32  flags         1: a file descriptor travels with the frame (SCM_RIGHTS)
//  12  u32  time_max_ms   requests: the worker is killed after; 0 never
//  16  u64  file_offset   requests with a file
//  24  u64  file_size
//  32  u64  request       requests: their number, from 1 for each worker; answers: the number of the request they answer
//  40  u64  payload_size
//  48  payload
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/deadline.h"
#include "base/files.h"
#include "base/result.h"

namespace magpie {

inline constexpr std::size_t kFrameHeaderBytes = 48;
inline constexpr std::uint64_t kFramePayloadBytesMax = 256ull << 20;

/// Kinds that belong to the machinery itself; requests of the application use smaller numbers.
inline constexpr std::uint32_t kFrameStart = 0xFFFF'0001;      // manager's first: sandbox options and configuration
inline constexpr std::uint32_t kFrameReady = 0xFFFF'0002;      // worker's answer to it
inline constexpr std::uint32_t kFrameAnswer = 0xFFFF'0003;     // a handler's bytes
inline constexpr std::uint32_t kFrameError = 0xFFFF'0004;      // u64 code, bytes message (base/wire.h)
inline constexpr std::uint32_t kFrameLastError = 0xFFFF'0005;  // the same, and the worker ends itself

struct FrameHeader {
  std::uint32_t kind = 0;
  bool has_file = false;
  std::uint32_t time_max_ms = 0;
  std::uint64_t file_offset = 0;
  std::uint64_t file_size = 0;
  std::uint64_t request = 0;
  std::uint64_t payload_size = 0;
};

struct Frame {
  FrameHeader header;
  std::string payload;
  UniqueFd file;  // none unless header.has_file
};

std::string encode_header(const FrameHeader& header);
/// kCorrupt unless `bytes` are kFrameHeaderBytes with the magic, known flags, a payload of at most `payload_max`, and a file range
/// that does not overflow. Thread-safe, no heap but for the error.
Result<FrameHeader> decode_header(std::string_view bytes, std::uint64_t payload_max);

/// An error as the payload of kFrameError, and back. What cannot be read becomes kCorrupt.
std::string encode_error(const Error& error);
Error decode_error(std::string_view payload);

/// Sends all of it; `file` -1 for none. kTimeout at the deadline, kUnavailable when the other side is gone.
Result<void> send_frame(int socket, FrameHeader header, std::string_view payload, int file, Deadline deadline);
/// The frame as send_frame() puts it on the socket, to be sent together with others by send_frames().
void append_frame(std::string& out, FrameHeader header, std::string_view payload);
/// Sends what append_frame() gathered.
Result<void> send_frames(int socket, std::string_view frames, Deadline deadline);

/// The receiving end of one socket. It reads ahead, so that several frames cost one system call: only one reader a socket, for as long
/// as the socket lives. Not thread-safe. Memory: 64 KB, and what one frame needs.
class FrameReader {
 public:
  /// The socket stays the caller's.
  explicit FrameReader(int socket) : socket_(socket) {}
  /// The next frame, or nothing when the other side closed between two frames. kTimeout, kCorrupt (garbled, cut off), kUnavailable.
  Result<std::optional<Frame>> next(std::uint64_t payload_max, Deadline deadline);

 private:
  Result<bool> fill(Deadline deadline);
  Result<void> read_payload(Frame& frame, Deadline deadline);

  int socket_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // read and not yet handed out
  std::deque<UniqueFd> files_;       // that came with it, in order
};

}  // namespace magpie
