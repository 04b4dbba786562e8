#include "ranks/world.h"

#include <charconv>
#include <cstdlib>

#include "base/error.h"
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

}  // namespace byhand::distributed
