// The available memory, read from a machine's files.
#include "base/memory.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <vector>

#include "base/temporary_folder.h"

using byhand::memory_there;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;

namespace {

// Set while it lives.
class Variable {
public:
    Variable(const char* name, const char* value) : name_(name) { ::setenv(name, value, /*overwrite=*/1); }
    Variable(const Variable&) = delete;
    Variable& operator=(const Variable&) = delete;
    ~Variable() { ::unsetenv(name_); }

private:
    const char* name_;
};

void write(const temporary::Folder& root, const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root.path() / name).parent_path());
    root.write(name, text);
}

}  // namespace

TEST_CASE("memory: the machine's total, or a lower limit of a control group") {
    const temporary::Folder root;
    const double machine = memory_there(root.path());
    CHECK(machine > 1e7);
    CHECK(std::isfinite(machine));

    write(root, "proc/self/cgroup", "0::/a/b\n");
    write(root, "sys/fs/cgroup/a/b/memory.max", "max\n");
    CHECK(memory_there(root.path()) == machine);
    write(root, "sys/fs/cgroup/a/memory.max", "512000\n");
    CHECK(memory_there(root.path()) == 512000);
    write(root, "sys/fs/cgroup/memory.max", "9007199254740992\n");
    CHECK(memory_there(root.path()) == 512000);
    write(root, "sys/fs/cgroup/a/b/memory.max", "256000\n");
    CHECK(memory_there(root.path()) == 256000);
    // A container sees its own group as the root.
    write(root, "proc/self/cgroup", "0::/../x\n");
    write(root, "sys/fs/cgroup/memory.max", "128000\n");
    CHECK(memory_there(root.path()) == 128000);

    write(root, "proc/self/cgroup", "3:cpu:/c\n5:memory:/c/d\nnonsense\n");
    write(root, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "64000\n");
    CHECK(memory_there(root.path()) == 64000);
}

TEST_CASE("memory: a launcher's processes share it") {
    using byhand::check_memory_needed;
    CHECK(byhand::processes_here() == 1);
    CHECK_NOTHROW(check_memory_needed(0.7 * memory_there(), "it needs", "take less"));
    CHECK_THROWS_WITH(check_memory_needed(0.8 * memory_there(), "it needs", "take less"),
                      StartsWith("it needs about ") && ContainsSubstring(", 75 % of ") && EndsWith(" GB; take less"));
    const Variable slurm("SLURM_TASKS_PER_NODE", "3(x2),1");
    CHECK(byhand::processes_here() == 3);
    CHECK_NOTHROW(check_memory_needed(0.2 * memory_there(), "it needs", "take less"));
    CHECK_THROWS_WITH(check_memory_needed(0.3 * memory_there(), "it needs", "take less"),
                      EndsWith(", for 3 processes; take less"));
    const Variable torchrun("LOCAL_WORLD_SIZE", "2");
    CHECK(byhand::processes_here() == 2);
}

TEST_CASE("memory: the pages of a populated vector are there before it is written to") {
    constexpr std::size_t kPage = 4096, kPages = 64;
    std::vector<char> block = byhand::populated<char>((kPages + 1) * kPage);
    CHECK(block.empty());
    void* first = block.data();
    std::size_t bytes = block.capacity();
    REQUIRE(std::align(kPage, kPages * kPage, first, bytes) != nullptr);
    std::vector<unsigned char> resident(kPages);
    REQUIRE(::mincore(first, kPages * kPage, resident.data()) == 0);
    CHECK(std::ranges::all_of(resident, [](unsigned char there) { return (there & 1U) != 0; }));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // these have an allocator of their own
TEST_CASE("memory: what is freed is used again without page faults") {
    constexpr std::size_t kPage = 4096, kPages = 4096;
    const auto faults_of_a_block = [] {
        rusage before{}, after{};
        ::getrusage(RUSAGE_SELF, &before);
        const std::vector<char> block(kPages * kPage, 'x');
        ::getrusage(RUSAGE_SELF, &after);
        CHECK(block.back() == 'x');
        return after.ru_minflt - before.ru_minflt;
    };
    byhand::use_large_pages_for_heap();
    faults_of_a_block();
    CHECK(faults_of_a_block() < 100);  // without it kPages
}
#endif
