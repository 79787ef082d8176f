#pragma once
// A crawl's HttpClient that answers from an archive.
//   MAGPIE_TRY(std::unique_ptr<HttpClient> client, make_replay_client(index));
//   FetchLoop::make({frontier, *client, …}, local_settings(settings));
#include <memory>

#include "crawl/local_client.h"
#include "crawl/replay_index.h"

namespace magpie::crawl {

/// A request is answered by what the archive holds of its address, conditions aside; robots.txt by 404, as what lies in an archive was
/// allowed when it was fetched; all else by kProtocol, as is a body that does not decode. Bodies keep to the request's limit. Errors:
/// those of make_local_client().
Result<std::unique_ptr<HttpClient>> make_replay_client(std::shared_ptr<const ReplayIndex> index);

}  // namespace magpie::crawl
