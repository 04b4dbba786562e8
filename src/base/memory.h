// The memory available to this process.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

namespace byhand {

// The machine's memory in bytes, or a control group's limit if that is lower. `root` is "/" except in tests. Infinite
// if unknown.
double memory_there(const std::filesystem::path& root = "/");

// The processes of this run on this machine, by the launcher's LOCAL_WORLD_SIZE, OMPI_COMM_WORLD_LOCAL_SIZE,
// MPI_LOCALNRANKS or SLURM_TASKS_PER_NODE; 1 without a launcher.
std::size_t processes_here();

// Throws InputError if as many bytes in each of these processes exceed three quarters of the memory: "`what` about 30
// GB of memory; the limit is …; `advice`".
void check_memory_needed(double bytes, const std::string& what, const std::string& advice);

}  // namespace byhand
