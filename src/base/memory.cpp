#include "base/memory.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace byhand {
namespace {

namespace fs = std::filesystem;

// Advice on the whole pages of a block; an error is no loss.
void advise(void* block, std::size_t bytes, int advice) {
    constexpr std::size_t kPage = 4096;
    if (std::align(kPage, kPage, block, bytes) != nullptr) {
        ::madvise(block, bytes / kPage * kPage, advice);
    }
}

}  // namespace

double memory_there(const fs::path& root) {
    double least = static_cast<double>(::sysconf(_SC_PHYS_PAGES)) * static_cast<double>(::sysconf(_SC_PAGESIZE));
    struct Version {
        std::string_view begin, mounted, limit;
    };
    constexpr Version kVersions[] = {{"0::/", "sys/fs/cgroup", "memory.max"},
                                     {":memory:/", "sys/fs/cgroup/memory", "memory.limit_in_bytes"}};
    std::ifstream groups(root / "proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        for (const auto& [begin, mounted, file] : kVersions) {
            const std::size_t at = line.find(begin);
            if (at == std::string::npos) {
                continue;
            }
            for (fs::path group = line.substr(at + begin.size());; group = group.parent_path()) {
                double limit = 0;
                if (std::ifstream(root / mounted / group / file) >> limit) {  // not "max"
                    least = std::min(least, limit);
                }
                if (group.empty()) {
                    break;
                }
            }
        }
    }
    return least;
}

std::size_t processes_here() {
    for (const char* name :
         {"LOCAL_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_TASKS_PER_NODE"}) {
        // NOLINTNEXTLINE(concurrency-mt-unsafe): no thread writes to it
        if (const char* const text = std::getenv(name); text != nullptr) {
            return std::max<std::size_t>(1, std::strtoul(text, nullptr, 10));  // the first number of "2(x3),1"
        }
    }
    return 1;
}

void check_memory_needed(double bytes, const std::string& what, const std::string& advice) {
    constexpr int kPercent = 75;
    const double there = memory_there(), share = kPercent / 100.0 / static_cast<double>(processes_here());
    const auto size = [](double number) {
        const bool is_large = number >= 1e10;
        return std::to_string(std::llround(number / (is_large ? 1e9 : 1e6))) + (is_large ? " GB" : " MB");
    };
    if (!(bytes <= share * there)) {
        const std::string processes =
            processes_here() > 1 ? ", for " + std::to_string(processes_here()) + " processes" : "";
        throw InputError(what + " about " + size(bytes) + " of memory; the limit is " + size(share * there) + ", " +
                         std::to_string(kPercent) + " % of " + size(there) + processes + "; " + advice);
    }
}

void check_address_space(std::size_t bytes, const std::string& what) {
    void* const all = ::mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (all == MAP_FAILED) {
        throw InputError(what + " needs " + std::to_string(bytes >> 20) +
                         " MB of address space, more than this process may have; allow more by ulimit -v");
    }
    ::munmap(all, bytes);
}

void populate(void* block, std::size_t bytes) {
    constexpr std::size_t kLarge = std::size_t{4} << 20;
    if (bytes >= kLarge) {
        advise(block, bytes, MADV_HUGEPAGE);
    }
    advise(block, bytes, MADV_POPULATE_WRITE);
}

void keep_freed_memory() {
    constexpr int kLargest = 32 << 20,
                  kAll = std::numeric_limits<int>::max();  // bytes; glibc allows no larger kLargest
    ::mallopt(M_MMAP_THRESHOLD, kLargest);
    ::mallopt(M_TRIM_THRESHOLD, kAll);
}

void use_large_pages_for_heap() {
    constexpr std::size_t kHeap = std::size_t{4} << 20;
    keep_freed_memory();
    std::vector<char> heap;
    heap.reserve(kHeap);
    advise(heap.data(), kHeap, MADV_HUGEPAGE);
}

}  // namespace byhand
