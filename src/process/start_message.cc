#include "process/start_message.h"

#include "base/wire.h"

namespace magpie {

std::string encode_start(const StartMessage& start) {
  WireWriter out;
  out.u64(static_cast<std::uint64_t>(start.manager));
  out.boolean(start.sandbox.enabled);
  out.u64(start.sandbox.memory_bytes);
  std::vector<std::string> readable;
  for (const fs::path& path : start.sandbox.readable) readable.push_back(path.string());
  out.strings(readable);
  out.bytes(start.config);
  return out.take();
}

Result<StartMessage> decode_start(std::string_view payload) {
  WireReader in(payload);
  StartMessage start;
  start.manager = static_cast<pid_t>(in.u64());
  start.sandbox.enabled = in.boolean();
  start.sandbox.memory_bytes = in.u64();
  const std::vector<std::string> readable = in.strings();
  start.sandbox.readable.assign(readable.begin(), readable.end());
  start.config = in.string();
  if (auto end = in.finish(); !end) return fail(std::move(end).error(), "start message");
  return start;
}

}  // namespace magpie
