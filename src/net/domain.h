#pragma once
// The registrable domain of a host by the Public Suffix List (https://publicsuffix.org/list/), its private section included:
// the part that one owner registers, so "shop.example.co.uk" and "www.example.co.uk" belong together and two shops on
// "github.io" do not. The list is Debian's publicsuffix package, read through libpsl.
#include <optional>
#include <string>
#include <string_view>

namespace magpie {

/// "example.co.uk" for "www.Example.co.uk", as A-labels in lower case. Nothing for IP addresses, for a public suffix itself,
/// for a name with a leading dot or an empty label, and for what is no host name. A TLD that the list does not have counts as
/// a suffix (rule "*"). One trailing dot is dropped. Thread-safe; a few microseconds.
std::optional<std::string> registrable_domain(std::string_view host);

/// What hosts are grouped by for scope and politeness: the registrable domain, or else the host itself, normalised when that
/// is possible.
std::string site_of_host(std::string_view host);

}  // namespace magpie
