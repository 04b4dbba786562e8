// The memory available to this process.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace byhand {

// The machine's memory in bytes, or the limit of this process's control group or of one around it. `root` is "/" except
// in tests.
double memory_there(const std::filesystem::path& root = "/");

// The processes of this run on this machine, by the launcher's LOCAL_WORLD_SIZE, OMPI_COMM_WORLD_LOCAL_SIZE,
// MPI_LOCALNRANKS or SLURM_TASKS_PER_NODE; 1 without a launcher.
std::size_t processes_here();

// Throws InputError if as many bytes in each of these processes exceed three quarters of the memory: "`what` about 30
// GB of memory; the limit is …; `advice`".
void check_memory_needed(double bytes, const std::string& what, const std::string& advice);

// Throws InputError if this process may not map as many bytes more, by `ulimit -v`: "`what` needs 1040 MB of address
// space, …".
void check_address_space(std::size_t bytes, const std::string& what);

// Has all pages of a block in memory, large ones where they fit. Otherwise each is a page fault when it is first
// written to, which in a virtual machine takes longer than to fill the page.
void populate(void* block, std::size_t bytes);

// An empty vector with memory for n elements.
template <class T>
std::vector<T> populated(std::size_t n) {
    std::vector<T> empty;
    empty.reserve(n);
    populate(empty.data(), n * sizeof(T));
    return empty;
}

// Keeps freed memory in the process; otherwise the system unmaps large blocks, and clears new ones each time.
// (PyTorch's tuning guide recommends another allocator for this reason.)
void keep_freed_memory();

// The same, with the heap in large pages, as far as programs need it until their first result.
void use_large_pages_for_heap();

}  // namespace byhand
