#include "core/records.h"

#include <utility>

namespace magpie {
namespace {

constexpr std::pair<Cause, std::string_view> kCauses[] = {
    {Cause::kNone, "none"},
    {Cause::kDns, "dns"},
    {Cause::kConnect, "connect"},
    {Cause::kTls, "tls"},
    {Cause::kTimeout, "timeout"},
    {Cause::kProtocol, "protocol"},
    {Cause::kRobots, "robots"},
    {Cause::kScope, "scope"},
    {Cause::kGuard, "guard"},
    {Cause::kStatus, "status"},
    {Cause::kTooLarge, "too-large"},
    {Cause::kRedirects, "redirects"},
    {Cause::kContentType, "content-type"},
    {Cause::kDecode, "decode"},
    {Cause::kCrashed, "crashed"},
    {Cause::kOutOfMemory, "out-of-memory"},
    {Cause::kDisk, "disk"},
    {Cause::kCancelled, "cancelled"},
    {Cause::kNotFound, "not-found"},
    {Cause::kThrottled, "throttled"},
    {Cause::kOptedOut, "opted-out"},
    {Cause::kSoftError, "soft-error"},
    {Cause::kCaptcha, "captcha"},
    {Cause::kRateLimited, "rate-limited"},
    {Cause::kLoginWall, "login-wall"},
    {Cause::kPlaceholder, "placeholder"},
};

}  // namespace

std::string_view to_string(FieldOrigin origin) {
  switch (origin) {
    case FieldOrigin::kJsonLd: return "json-ld";
    case FieldOrigin::kMicrodata: return "microdata";
    case FieldOrigin::kRdfa: return "rdfa";
    case FieldOrigin::kOpenGraph: return "opengraph";
    case FieldOrigin::kEmbedded: return "embedded";
    case FieldOrigin::kVisible: return "visible";
    case FieldOrigin::kAddress: return "address";
    case FieldOrigin::kLearnt: return "learnt";
  }
  return "unknown";
}

std::string_view to_string(Cause cause) {
  for (const auto& [value, name] : kCauses) {
    if (value == cause) return name;
  }
  return "none";
}

std::optional<Cause> cause_from_string(std::string_view name) {
  for (const auto& [value, known] : kCauses) {
    if (known == name) return value;
  }
  return std::nullopt;
}

}  // namespace magpie
