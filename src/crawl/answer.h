#pragma once
// What an answer means: one table of decisions, pure, so that it can be tested by table.
#include <optional>

#include "core/records.h"
#include "crawl/host_state.h"
#include "net/http_client.h"

namespace magpie::crawl {

struct AnswerVerdict {
  Cause cause = Cause::kNone;
  std::string detail;    // words for a person; empty for a success
  bool passing = false;  // may be gone at the next try
  HostSignal signal = HostSignal::kFine;
  std::optional<Millis> retry_after;  // of 429 and 503, and of others that say so
};

/// Judges a complete or failed exchange, redirects aside (3xx other than 304 count as kProtocol here).
AnswerVerdict judge_answer(const HttpResponse& response, Timestamp now);

/// All X-Robots-Tag lines of an answer, a line each. A reservation of rights to text and data mining (tdm-reservation: 1; TDMRep, W3C
/// community report of 2024, section 6.1) stands as "noai", since it asks for the same.
std::string robots_tag(const HttpHeaders& headers);

/// What came, by Content-Type, and by its first bytes when that says nothing; nothing for what is neither page nor picture.
/// `wanted` decides what a body that could be both is.
std::optional<UrlKind> kind_of_answer(const HttpResponse& response, UrlKind wanted);

}  // namespace magpie::crawl
