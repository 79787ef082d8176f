#include "pipeline/worker_answers.h"

namespace magpie::pipeline {
namespace {

Cause cause_of(const Error& error) {
  switch (error.code) {
    case Code::kTimeout: return Cause::kTimeout;
    case Code::kTooLarge: return error.message.find("memory") == std::string::npos ? Cause::kTooLarge : Cause::kOutOfMemory;
    case Code::kInternal:
    case Code::kCorrupt: return Cause::kCrashed;
    default: return Cause::kDecode;
  }
}

}  // namespace

bool is_of_the_pool(const Error& error) { return error.code == Code::kUnavailable || error.code == Code::kCancelled; }

void give_up(Finished& finished, const Error& error) {
  finished.fetch.cause = cause_of(error);
  finished.fetch.detail = error.message;
}

void take_image(Finished& finished, analyse::AnalysedImage image) {
  if (!analyse::is_dot(image.image)) {
    finished.outcome = std::move(image);
    return;
  }
  finished.fetch.cause = Cause::kPlaceholder;
  finished.fetch.detail = fmt::format("a picture of {} x {} pixels", image.image.width, image.image.height);
}

}  // namespace magpie::pipeline
