#include "ranks/world.h"

#include <netdb.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/error.h"
#include "base/file.h"
#include "base/utf8.h"

namespace byhand::distributed {
namespace {

struct Launcher {
    const char *rank, *size;
};
constexpr Launcher kLaunchers[] = {{"RANK", "WORLD_SIZE"},
                                   {"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
                                   {"PMI_RANK", "PMI_SIZE"},
                                   {"SLURM_PROCID", "SLURM_NTASKS"}};
constexpr std::size_t kMostRanks = 4096, kMostPorts = 65535;

std::string variable(const char* name) {
    const char* const text = std::getenv(name);
    return text != nullptr ? text : "";
}

std::size_t number(const char* name, std::size_t low, std::size_t high) {
    const std::string text = variable(name);
    std::size_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
        throw InputError(std::string(name) + " is \"" + excerpt(text, 40) + "\", but must be a whole number from " +
                         std::to_string(low) + " to " + std::to_string(high));
    }
    return value;
}

}  // namespace

std::optional<World> world_of_environment() {
    World world;
    world.file = variable("BYHAND_RANKS_FILE");
    const std::string address = variable("MASTER_ADDR");
    for (const auto& [rank, size] : kLaunchers) {
        if (variable(rank).empty() || variable(size).empty() || (world.file.empty() && address.empty())) {
            continue;
        }
        world.size = number(size, 1, kMostRanks);
        world.rank = number(rank, 0, world.size - 1);
        if (!address.empty()) {
            world.address = address;
        }
        if (!variable("MASTER_PORT").empty()) {
            world.port = number("MASTER_PORT", 1, kMostPorts);
        }
        world.has_agent = variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
        world.attempt = variable("TORCHELASTIC_RESTART_COUNT");
        world.interface = variable("GLOO_SOCKET_IFNAME");
        world.token = variable("BYHAND_RANKS_TOKEN");
        return world;
    }
    return std::nullopt;
}

std::string address_towards(const std::string& host, std::size_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* found = nullptr;
    if (const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found); error != 0) {
        throw InputError(excerpt(host, 100) + ": " + ::gai_strerror(error));
    }
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> all(found, ::freeaddrinfo);
    std::string reason;
    for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
        // Of datagrams: connecting it sends nothing.
        const Descriptor socket(::socket(one->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        sockaddr_storage own{};
        socklen_t size = sizeof(own);
        auto* const address = reinterpret_cast<sockaddr*>(&own);
        if (socket.number() < 0 || ::connect(socket.number(), one->ai_addr, one->ai_addrlen) != 0 ||
            ::getsockname(socket.number(), address, &size) != 0) {
            reason = std::strerror(errno);
            continue;
        }
        std::array<char, NI_MAXHOST> text{};
        if (::getnameinfo(address, size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) == 0) {
            return text.data();
        }
    }
    throw InputError("no network leads to " + excerpt(host, 100) + (reason.empty() ? "" : ": " + reason));
}

bool is_loopback(const std::string& address) {
    return address.starts_with("127.") || address == "::1";
}

}  // namespace byhand::distributed
