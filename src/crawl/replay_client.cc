#include "crawl/replay_client.h"

#include <utility>

namespace magpie::crawl {
namespace {

HttpResponse answer(const ReplayIndex& index, const HttpRequest& request, HttpResponse response) {
  if (request.url.pathname() == "/robots.txt") return not_found(std::move(response));
  auto held = index.read(request.url.href(), request.limits.body_bytes_max);
  if (!held) {
    const HttpCause cause = held.error().code == Code::kTooLarge ? HttpCause::kTooLarge : HttpCause::kProtocol;
    return failed_answer(std::move(response), cause, std::move(held.error()));
  }
  response.status = held->status;
  response.header_block = std::move(held->header_block);
  response.headers = std::move(held->headers);
  response.body = std::move(held->body);
  response.peer_address = std::move(held->ip);
  return response;
}

}  // namespace

Result<std::unique_ptr<HttpClient>> make_replay_client(std::shared_ptr<const ReplayIndex> index) {
  return make_local_client([index = std::move(index)](const HttpRequest& request, HttpResponse response) {
    return answer(*index, request, std::move(response));
  });
}

}  // namespace magpie::crawl
