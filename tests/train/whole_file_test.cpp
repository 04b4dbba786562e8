#include "train/whole_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/message_of.h"
#include "base/temporary_folder.h"

using namespace byhand;
using temporary::Folder;
namespace fs = std::filesystem;

namespace {

void write(const std::string& path, const std::string& text) {
    WholeFile file(path);
    file.write(text.data(), text.size());
    file.put_in_place();
}

// The id of a process that has ended.
pid_t gone() {
    const pid_t child = ::fork();
    if (child == 0) {
        ::_exit(0);
    }
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    return child;
}

std::string temporary_name(pid_t owner) {
    return ".byhand." + std::to_string(owner) + ".0.tmp";
}

bool has_unnamed_files(const Folder& folder) {
    return Descriptor(::open(folder.path().c_str(), O_WRONLY | O_TMPFILE, 0600)).number() >= 0;
}

}  // namespace

TEST_CASE("whole file: a process that is killed while it writes leaves nothing") {
    const Folder folder;
    if (!has_unnamed_files(folder)) {
        SKIP("this file system has no files without a name");
    }
    const pid_t child = ::fork();
    if (child == 0) {
        WholeFile file(folder.file("a"));
        file.write("half", 4);
        std::raise(SIGKILL);
    }
    REQUIRE(::waitpid(child, nullptr, 0) == child);
    CHECK(folder.files().empty());
}

TEST_CASE("whole file: temporary files of ended processes are removed, and no others") {
    const Folder folder;
    const std::string dead = temporary_name(gone()), locked = temporary_name(gone()), live = temporary_name(::getpid());
    std::vector<std::string> kept = {
        live, locked, ".byhand.tmp", ".byhand.x.0.tmp", ".byhand.0.0.tmp", "a.byhand.9.tmp"};
    for (const std::string& name : kept) {
        folder.write(name, "");
    }
    folder.write(dead, "");
    // Held by a lock, as by a process of another machine.
    const Descriptor lock(::open(folder.file(locked).c_str(), O_WRONLY));
    REQUIRE(::flock(lock.number(), LOCK_EX) == 0);
    write(folder.file("a"), "text");
    kept.emplace_back("a");
    std::ranges::sort(kept);
    CHECK(folder.files() == kept);
    CHECK(folder.read("a") == "text");
}

TEST_CASE("whole file: a deleted working folder is refused before the work starts") {
    const Folder folder;
    const fs::path before = fs::current_path();
    fs::create_directory(folder.path() / "work");
    fs::current_path(folder.path() / "work");
    fs::remove(folder.path() / "work");
    const std::string said = test::message_of([] { check_place("a"); });
    CHECK_NOTHROW(check_place(folder.file("a")));
    fs::current_path(before);
    CHECK(said == "a: can't be written: the working folder is gone; change to one that exists");
}
