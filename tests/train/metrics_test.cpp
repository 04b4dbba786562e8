#include "train/metrics.h"

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <string>
#include <vector>

#include "base/message_of.h"
#include "base/temporary_folder.h"

using namespace byhand;
using temporary::Folder;

namespace {

const std::string kFirst = "{\"step\":0,\"loss\":3}\n", kSeventh = "{\"step\":7,\"loss\":2.5}\n";

// What is left of a file when a training that writes each `every`-th step resumes after `done` steps.
std::string left_of(const std::string& text, std::size_t every, std::size_t done) {
    const Folder folder;
    folder.write("m", text);
    Metrics(folder.file("m"), every, done).close();
    return folder.read("m");
}

void check_refused(const std::string& text, std::size_t every, std::size_t done, const std::string& what) {
    CAPTURE(text.substr(0, 99), every, done);
    const Folder folder;
    folder.write("m", text);
    const std::string said = test::message_of([&] { Metrics(folder.file("m"), every, done); });
    CHECK(said.starts_with(folder.file("m") + ": " + what));
    CHECK(folder.read("m") == text);
}

}  // namespace

TEST_CASE("metrics: only a file of metrics is replaced, whole or broken off, not one that begins alike") {
    for (const std::string theirs :
         {"x", "emma\n", "{\"step\":0}\n", R"({"step":0,"loss":{}})", R"({"step":0,"loss":1 })",
          R"({"step":1,"experiment":"mine"})", R"({"step": my notes)", R"({"step":1,"loss":2.5}, and more)",
          R"({"step":1,"loss":"none)", R"({"step":1,"loss":1,2)", R"({"stop)", R"({"step":1,"loss":2.5,"mine":1})",
          R"({"step":1111111111111111111111111111111111111111111111111111111111111111111111)"}) {
        check_refused(theirs, 1, 0, "not a metrics file; name another with --metrics, or remove it");
    }
    for (const std::string& ours : std::vector<std::string>{
             kFirst, kFirst + kFirst, "", "{", R"({"step":12)", R"({"step":12,"lo)", R"({"step":12,"loss":2.5e-0)",
             R"({"step":12,"loss":"na)", R"({"step":1,"loss":"-inf"})"}) {
        CAPTURE(ours);
        CHECK(left_of(ours, 1, 0).empty());
    }
}

TEST_CASE("metrics: lines of the steps done are kept, and those of another training refused") {
    CHECK(left_of(kFirst + kSeventh + "{\"step\":14,\"loss\":2}\n{\"step\":21,\"lo", 7, 10) == kFirst + kSeventh);
    CHECK(left_of(kFirst + kSeventh + "{\"step\":9,\"loss\":2}\n", 7, 10) == kFirst + kSeventh);  // the last of ten
    CHECK(left_of("", 7, 10).empty());
    check_refused(kFirst + kSeventh, 5, 10, "line 2 has step 7");
    check_refused(kFirst, 7, 10, "ends with step 0");
    check_refused(kSeventh + kSeventh, 7, 10, "line 2 has step 7");
    for (const std::string& line :
         {std::string("a diary\n"), std::string(70000, 'x'), std::string("{\"step\":my no")}) {
        check_refused(kFirst + line, 7, 10, "not a metrics file: line 2 is not");
    }
}

TEST_CASE("metrics: a line has step and loss, by name where it is not finite") {
    const Folder folder;
    Metrics metrics(folder.file("m"), 1, 0);
    metrics.write(0, 0.1F);
    metrics.write(1, -std::numeric_limits<float>::infinity());
    CHECK_FALSE(metrics.sync());
    metrics.close();
    CHECK(folder.read("m") == "{\"step\":0,\"loss\":0.1}\n{\"step\":1,\"loss\":\"-inf\"}\n");
}
