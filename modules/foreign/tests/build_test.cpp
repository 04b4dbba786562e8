// From a file of functions to loaded functions.
#include "foreign/exercise/build.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cfenv>
#include <limits>

#include "base/error.h"
#include "base/source_file.h"
#include "base/temporary_folder.h"
#include "foreign/exercise/functions.h"

using namespace byhand;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::MessageMatches;
using exercise::build;
using exercise::load;

namespace {

const std::string kHeaders = text::source_path("include");

const std::string kTwice = R"(
#include "exercise/steps.h"
using byhand::exercise::Tensor;
namespace {
template <class T>
void twice(Tensor<T> out, Tensor<const T> x) {
    for (int i = 0; i < out.size(0); i++) {
        out(i) = 2 * x(i);
    }
}
}
void byhand_steps(byhand::exercise::Steps& steps) {
    steps.add("y", twice<float>);
    steps.add("y", twice<double>);
}
)";

}  // namespace

TEST_CASE("build and load: a file becomes functions that run") {
    const temporary::Folder folder;
    folder.write("mine.cpp", kTwice);
    build(folder.file("mine.cpp"), folder.file("mine.so"), {.headers = kHeaders});
    const exercise::ExternalFunctions functions = load(folder.file("mine.so"));
    REQUIRE(functions.size() == 1);
    REQUIRE(functions[0].in_double.call != nullptr);
    CHECK(functions[0].makes == "y");
    const std::vector<float> x = {1.5F, -2, 0.25F};
    std::vector<float> y(3);
    const auto run = [&](const Shape& of_x) {
        const Kernel kernel = exercise::kernel_of(functions[0], {{"y", {3}}, {{"x", of_x}}});
        void* const results[] = {y.data()};
        const void* const inputs[] = {x.data()};
        kernel.functions[0].run(results, inputs, nullptr);
    };
    run({3});
    CHECK(y == std::vector<float>{3, -4, 0.5F});
    // A fault is the same type in the library and here.
    CHECK_THROWS_MATCHES(run({2}), exercise::Fault,
                         MessageMatches(ContainsSubstring("reads x(2), out of bounds: x is 2")));
}

TEST_CASE("load: the floating-point environment is restored, whatever a library does when it is loaded") {
    const temporary::Folder folder;
    folder.write("mine.cpp", "#include <cfenv>\n" + kTwice + R"(
[[gnu::constructor]] void opened() {
    std::fesetround(FE_UPWARD);
#ifdef __x86_64__
    __builtin_ia32_ldmxcsr(__builtin_ia32_stmxcsr() | 0x8000);  // flush-to-zero
#endif
}
)");
    build(folder.file("mine.cpp"), folder.file("mine.so"), {.headers = kHeaders});
    load(folder.file("mine.so"));
    CHECK(std::fegetround() == FE_TONEAREST);
    volatile float least = std::numeric_limits<float>::min();
    CHECK(least / 2 > 0);
}

TEST_CASE("load: a function that is added twice in double is left to override_steps, and one in double alone refused") {
    const temporary::Folder folder;
    const auto loaded = [&](const std::string& name, const std::string& adds) {
        folder.write(name + ".cpp", kTwice.substr(0, kTwice.find("    steps.add(")) + adds + "}\n");
        build(folder.file(name + ".cpp"), folder.file(name + ".so"), {.headers = kHeaders});
        return load(folder.file(name + ".so"));
    };
    const std::string in_float = "steps.add(\"y\", twice<float>);\n", in_double = "steps.add(\"y\", twice<double>);\n";
    CHECK(loaded("twice", in_float + in_double + in_double).size() == 2);
    CHECK_THROWS_MATCHES(loaded("alone", in_float + "steps.add(\"z\", twice<double>);\n"), InputError,
                         MessageMatches(ContainsSubstring("adds z in double alone; add it in float as well")));
}

TEST_CASE("build: the flags come last, each as a separate word") {
    const temporary::Folder folder;
    folder.write("mine.cpp", "#if SIDE + OTHER != 7\n#error the flags were not given\n#endif\n" + kTwice);
    CHECK_THROWS_AS(build(folder.file("mine.cpp"), folder.file("mine.so"), {.headers = kHeaders}), InputError);
    build(folder.file("mine.cpp"), folder.file("mine.so"), {.headers = kHeaders, .flags = "-DSIDE=3  -DOTHER=4"});
    CHECK(load(folder.file("mine.so")).size() == 1);
}

TEST_CASE("build and load: failures are reported with their file") {
    const temporary::Folder folder;
    folder.write("wrong.cpp", "void byhand_steps( {}\n");
    folder.write("nothing.cpp", "int nothing;\n");
    folder.write("none.cpp", "#include \"exercise/steps.h\"\nvoid byhand_steps(byhand::exercise::Steps&) {}\n");
    folder.write("older.cpp", "extern \"C\" void byhand_steps(void*) {}\n");
    folder.write("text.so", "no library");
    const auto built = [&](const std::string& name) {
        build(folder.file(name + ".cpp"), folder.file(name + ".so"), {.headers = kHeaders});
        return folder.file(name + ".so");
    };
    CHECK_THROWS_MATCHES(built("absent"), InputError,
                         MessageMatches(ContainsSubstring("absent.cpp: can't be read: No such file")));
    CHECK_THROWS_MATCHES(built("wrong"), InputError, MessageMatches(ContainsSubstring("wrong.cpp does not compile")));
    CHECK_FALSE(folder.has("wrong.so"));
    CHECK_THROWS_MATCHES(load(built("nothing")), InputError,
                         MessageMatches(ContainsSubstring("nothing.so has no function byhand_steps")));
    CHECK_THROWS_MATCHES(load(built("none")), InputError,
                         MessageMatches(ContainsSubstring("adds no function of float")));
    CHECK_THROWS_MATCHES(load(built("older")), InputError,
                         MessageMatches(ContainsSubstring("older.so was built with the headers of another byhand")));
    CHECK_THROWS_MATCHES(load(folder.file("text.so")), InputError,
                         MessageMatches(ContainsSubstring("can't be opened")));
    CHECK_THROWS_MATCHES(load(folder.file("absent.so")), InputError,
                         MessageMatches(ContainsSubstring("can't be opened")));
}
