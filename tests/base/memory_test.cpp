// The available memory, read from a machine's files.
#include "base/memory.h"

#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <filesystem>

#include "base/temporary_folder.h"

using byhand::memory_there;

namespace {

void write(const temporary::Folder& root, const std::string& name, const std::string& text) {
    std::filesystem::create_directories((root.path() / name).parent_path());
    root.write(name, text);
}

}  // namespace

TEST_CASE("memory: the machine's total, or a lower limit of a control group") {
    const temporary::Folder root;
    CHECK(std::isinf(memory_there(root.path())));
    write(root, "proc/meminfo", "MemTotal:       1000 kB\nMemFree:         10 kB\n");
    CHECK(memory_there(root.path()) == 1024000);

    write(root, "proc/self/cgroup", "0::/a/b\n");
    write(root, "sys/fs/cgroup/a/b/memory.max", "max\n");
    CHECK(memory_there(root.path()) == 1024000);
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

    write(root, "proc/self/cgroup", "3:cpu:/c\n5:hugetlb,memory:/c\nnonsense\n");
    write(root, "sys/fs/cgroup/memory/c/memory.limit_in_bytes", "64000\n");
    CHECK(memory_there(root.path()) == 64000);
}

TEST_CASE("memory: finite on this machine") {
    CHECK(memory_there() > 1e7);
    CHECK(std::isfinite(memory_there()));
}
