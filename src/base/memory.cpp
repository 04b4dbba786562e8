#include "base/memory.h"

#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"

namespace byhand {
namespace {

namespace fs = std::filesystem;

// The number at the beginning of a file; nullopt for "max" or a file that can't be read.
std::optional<double> number_in(const fs::path& file) {
    std::ifstream stream(file);
    double number = 0;
    return stream >> number ? std::optional(number) : std::nullopt;
}

std::optional<double> total_memory(const fs::path& root) {
    std::ifstream stream(root / "proc/meminfo");
    std::string name;
    double kilobytes = 0;
    if (stream >> name >> kilobytes && name == "MemTotal:") {
        return 1024 * kilobytes;
    }
    return std::nullopt;
}

// The lowest limit of this process's control group and the groups around it.
double limit_of_groups(const fs::path& root) {
    double least = std::numeric_limits<double>::infinity();
    const auto look = [&](const fs::path& mounted, fs::path group, const char* file) {
        for (group = group.relative_path();; group = group.parent_path()) {
            least = std::min(least, number_in(mounted / group / file).value_or(least));
            if (group.empty()) {
                return;
            }
        }
    };
    std::ifstream stream(root / "proc/self/cgroup");
    for (std::string line; std::getline(stream, line);) {  // "0::/group", "4:memory:/group"
        const std::size_t first = line.find(':'), second = line.find(':', first + 1);
        if (second == std::string::npos) {
            continue;
        }
        const std::string controllers = line.substr(first + 1, second - first - 1), group = line.substr(second + 1);
        if (controllers.empty()) {
            look(root / "sys/fs/cgroup", group, "memory.max");
        } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
            look(root / "sys/fs/cgroup/memory", group, "memory.limit_in_bytes");
        }
    }
    return least;
}

// Advice on the whole pages of a block; an error is no loss.
void advise(void* block, std::size_t bytes, int advice) {
    constexpr std::size_t kPage = 4096;
    if (std::align(kPage, kPage, block, bytes) != nullptr) {
        ::madvise(block, bytes / kPage * kPage, advice);
    }
}

}  // namespace

double memory_there(const fs::path& root) {
    const double infinite = std::numeric_limits<double>::infinity();
    return std::min(total_memory(root).value_or(infinite), limit_of_groups(root));
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
