#pragma once
// What a manager tells a new worker before anything else (payload of kFrameStart, base/wire.h):
//   u64 manager's process id · boolean sandbox · u64 memory bytes · strings readable · bytes config
#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"
#include "process/sandbox.h"

namespace magpie {

struct StartMessage {
  pid_t manager = 0;
  SandboxOptions sandbox;
  std::string config;
};

std::string encode_start(const StartMessage& start);
/// kCorrupt for anything encode_start did not write.
Result<StartMessage> decode_start(std::string_view payload);

}  // namespace magpie
