// The processes of a training, and where they meet.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace byhand::distributed {

struct World {
    std::size_t rank = 0, size = 1;
    std::string file;                   // for ranks on one machine; empty: they meet at address and port
    std::string address = "127.0.0.1";  // of rank 0
    std::size_t port = 29500;
    bool has_agent = false;  // the launcher listens there (torchrun), so rank 0 does not
    std::string attempt;     // how often the launcher has restarted the ranks, which leave their old keys there
    std::string token;       // that all ranks must know
    std::string interface;   // the network interface to use; empty: the one towards `address`

    // Whether all ranks are on this machine.
    bool is_local() const { return !file.empty() || address.starts_with("127.") || address == "localhost"; }
};

// The longest wait for another rank unless --rank-timeout is set.
inline constexpr std::size_t kDefaultTimeout = 300;  // seconds

// As described by the environment, in the first of these that is set, or nullopt:
//   RANK, WORLD_SIZE                                    torchrun, or by hand
//   OMPI_COMM_WORLD_RANK, OMPI_COMM_WORLD_SIZE          mpirun of OpenMPI
//   PMI_RANK, PMI_SIZE                                  mpirun of MPICH
//   SLURM_PROCID, SLURM_NTASKS                          srun
// each together with BYHAND_RANKS_FILE, the path of a file that does not exist, or with MASTER_ADDR and, by default
// 29500, MASTER_PORT. GLOO_SOCKET_IFNAME names the interface, BYHAND_RANKS_TOKEN is a word that all ranks must know:
// ranks with different ones do not meet. Throws InputError if a value is invalid.
std::optional<World> world_of_environment();

// ---- Addresses of this machine ----

// The address that this machine uses towards a host: "10.0.0.3". Sends nothing. Throws InputError if the host's name
// does not resolve, or no network leads there.
std::string address_towards(const std::string& host, std::size_t port);

// Whether only this machine reaches the address.
bool is_loopback(const std::string& address);

}  // namespace byhand::distributed
