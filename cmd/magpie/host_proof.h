#pragma once
// The ledger of one host for people: `magpie status --host H`, and with --proof what a site's owner may want to see.
#include <string>

#include "app/host_ledger.h"

namespace magpie::cmd {

std::string host_text(const HostLedger& ledger, bool proof);
std::string host_json(const HostLedger& ledger);

}  // namespace magpie::cmd
