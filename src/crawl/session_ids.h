#pragma once
// Names of visits inside addresses: the same page has another address for every visitor, and a crawler that keeps them never ends.
#include "net/url.h"

namespace magpie::crawl {

/// The URL without session ids: ";jsessionid=…" and the like in the path, and query parameters that are session ids by their name
/// (PHPSESSID, jsessionid, …) or by name and value ("sid", "session_id" with 16 or more letters and digits). The very URL when it
/// has none. One pass; heap only when something is taken off.
Url without_session_ids(const Url& url);

}  // namespace magpie::crawl
