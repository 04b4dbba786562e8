// Addresses of this machine.
#pragma once

#include <cstddef>
#include <string>

namespace byhand::distributed {

// The address that this machine uses towards a host: "10.0.0.3". Sends nothing. Throws InputError if the host's name
// does not resolve, or no network leads there.
std::string address_towards(const std::string& host, std::size_t port);

// Whether only this machine reaches the address.
bool is_loopback(const std::string& address);

}  // namespace byhand::distributed
