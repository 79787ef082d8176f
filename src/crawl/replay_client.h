#pragma once
// An HttpClient that answers from an archive: the fetch loop, and all behind it, then work as for any crawl, and nothing opens a socket.
//   MAGPIE_TRY(std::unique_ptr<HttpClient> client, make_replay_client(index));
//   FetchLoop::make({frontier, *client, …}, replay_settings(settings));
#include <memory>

#include "crawl/replay_index.h"
#include "crawl/settings.h"
#include "net/http_client.h"

namespace magpie::crawl {

/// A request is answered by what the archive holds of its address, conditions aside; robots.txt by 404, as what lies in an archive was
/// allowed when it was fetched; all else by kProtocol, as is a body that does not decode. Bodies keep to the request's limit. Reads on the
/// thread that polls, a few answers at a time. kUnavailable when there is no descriptor for waking it.
Result<std::unique_ptr<HttpClient>> make_replay_client(std::shared_ptr<const ReplayIndex> index);

/// `settings` for a crawl that asks nobody: no delays, no tries again, no limits on a host's pages; what an answer means stays.
CrawlSettings replay_settings(CrawlSettings settings);

}  // namespace magpie::crawl
