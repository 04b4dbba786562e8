#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

// byhand diff: of files that other code wrote, of models, of dumps.

namespace cli_test {
namespace {

using Tensors = std::map<std::string, StoredTensor>;

StoredTensor floats(const std::vector<std::size_t>& shape, const std::vector<float>& numbers) {
    return stored("F32", shape, numbers);
}

// The file "a" and one more, side by side.
struct Place : Folder {
    explicit Place(const Tensors& a = {{"x", floats({3}, {1, 2, 3})}}) { write_stored(file("a"), a); }

    Outcome with(const Tensors& b, const Arguments& flags = {}) const {
        write_stored(file("b"), b);
        return byhand(*this, Arguments{"diff", "a", "b"} + flags);
    }

    void refuses(const Arguments& arguments, const std::string& what) const {
        CAPTURE(arguments);
        check_refused(byhand(*this, Arguments{"diff"} + arguments), what);
    }
};

bool has(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("diff: the same numbers agree, whatever they are, and in whatever order") {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    const Tensors all = {{"x", floats({2, 3}, {1, 2, nan, 4, 5, 6})},
                         {"empty", floats({0, 7}, {})},
                         {"scalar", stored<double>("F64", {}, {0.1})},
                         {"whole", stored<std::int64_t>("I64", {2}, {-1, INT64_MAX})}};
    const Place place(all);
    for (const Outcome& outcome : {place.with(all), byhand(place, {"diff", "a", "a"})}) {
        CAPTURE(outcome.out);
        CHECK(outcome.code == 0);
        CHECK(outcome.err.empty());
        CHECK(has(outcome.out, "\nthey agree: 4 tensors; no two values differ\n"));
        CHECK(has(outcome.out, "not finite, and the same in both: 1\n"));
    }
    // The same tensors, laid out otherwise: the test's own writer sorts by name, the program's does not.
    place.write("n", file_of(plain_names()));
    REQUIRE(byhand(place, {"train", "--data", "n", "--steps", "3", "--save", "m"}).code == 0);
    const StoredFile model = read_stored(place.file("m"));
    write_stored(place.file("sorted"), model.tensors);
    CHECK(byhand(place, {"diff", "m", "sorted"}).code == 0);
}

TEST_CASE("diff: exit code 1 where one tensor differs by more than the limit, or in more than figures") {
    const Place place({{"x", floats({3}, {1, 2, 3})}, {"y", floats({}, {1})}});
    const StoredTensor same = floats({}, {1});
    const auto code = [&](const StoredTensor& x, const Arguments& flags = {}) {
        return place.with({{"x", x}, {"y", same}}, flags).code;
    };
    CHECK(code(floats({3}, {1, 2, 3})) == 0);
    CHECK(code(floats({3}, {1, 2, 3.0000002F})) == 1);
    CHECK(code(floats({3}, {1, 2, 3.25F}), {"--limit", "0.25"}) == 0);
    CHECK(code(floats({3}, {1, 2, 3.25F}), {"--limit", "0.2499"}) == 1);
    CHECK(code(floats({3}, {1, 2, std::numeric_limits<float>::quiet_NaN()}), {"--limit", "1e300"}) == 1);
    CHECK(code(floats({3, 1}, {1, 2, 3}), {"--limit", "1e300"}) == 1);
    CHECK(code(stored<double>("F64", {3}, {1, 2, 3}), {"--limit", "1e300"}) == 1);
    CHECK(code(stored<std::int64_t>("I64", {3}, {1, 2, 3})) == 1);
    CHECK(place.with({{"y", same}}).code == 1);
    CHECK(place.with({{"x", floats({3}, {1, 2, 3})}, {"y", same}, {"z", same}}).code == 1);
    const Outcome strangers = place.with({{"z", same}});
    CHECK(strangers.code == 1);
    CHECK(has(strangers.out, "they disagree: 3 of 3 tensors; only in A: 2; only in B: 1\n"));
    CHECK(place.with({}).code == 1);
    // What is not shown is judged all the same.
    const Outcome hidden = place.with({{"x", floats({3}, {1, 2, 4})}, {"y", same}}, {"--tensor", "y*"});
    CHECK(hidden.code == 1);
    CHECK_FALSE(has(hidden.out, "\n  x "));
    CHECK(has(hidden.out, "\n  y "));
}

TEST_CASE("diff: every format, on standard output, or in a file with the conclusion on standard error") {
    const Place place({{"x", floats({3}, {1, 2, 3})}, {"y", floats({2, 1}, {0.5F, 7})}});
    const Tensors other = {{"x", floats({3}, {1, 2, 3})}, {"y", floats({2, 1}, {0.75F, 7})}};
    const std::string conclusion = "they disagree: 1 of 2 tensors; furthest apart: y, by 2.5e-01\n";
    for (const std::string format : {"table", "json", "csv", "html", "junit"}) {
        CAPTURE(format);
        const Outcome printed = place.with(other, {"--format", format});
        CHECK(printed.code == 1);
        CHECK(printed.err.empty());
        const Outcome written = place.with(other, {"--format", format, "--output", "report"});
        CHECK(written.code == 1);
        CHECK(written.out.empty());
        CHECK(written.err == conclusion);
        CHECK(place.read("report") == printed.out);
    }
    CHECK(has(place.with(other).out, "\n" + conclusion));
    const Json report = parsed_json(place.with(other, {"--format", "json"}).out);
    CHECK(report["verdict"].get<std::string>() == "disagree");
    CHECK(report["a"].get<std::string>() == "a");
    CHECK(report["b"].get<std::string>() == "b");
    CHECK(report["limit"] == 0);
    CHECK(report["tensors"][1]["worst"]["index"] == Json({0, 0}));
    CHECK(place.with(other, {"--format", "csv"}).out.starts_with("name,shape,count,bit_equal,"));
    CHECK(has(place.with(other, {"--format", "junit"}).out, "tests=\"2\" failures=\"1\""));
    CHECK(place.files() == std::vector<std::string>{"a", "b", "report"});
}

TEST_CASE("diff: two models, with their worst elements in words") {
    const Place place;
    place.write("n", file_of(plain_names()));
    const auto train = [&](const std::string& path, const std::string& steps, const std::string& hidden) {
        REQUIRE(byhand(place, {"train", "--data", "n", "--hidden", hidden, "--save", path, "--steps", steps}).code ==
                0);
    };
    train("m", "30", "7");
    train("again", "30", "7");
    train("longer", "31", "7");
    CHECK(byhand(place, {"diff", "m", "again"}).code == 0);

    // The figures, from the files anew.
    const StoredFile m = read_stored(place.file("m")), longer = read_stored(place.file("longer"));
    const Outcome outcome = byhand(place, {"diff", "m", "longer", "--format", "json"});
    CHECK(outcome.code == 1);
    const Json report = parsed_json(outcome.out);
    REQUIRE(report["tensors"].size() == m.tensors.size());
    for (const Json& t : report["tensors"]) {
        const std::string name = t["name"].get<std::string>();
        CAPTURE(name);
        const std::vector<float> a = m.tensors.at(name).floats(), b = longer.tensors.at(name).floats();
        double largest = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            largest = std::max(largest, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
        }
        CHECK(t["max_abs_diff"].get<double>() == largest);
        std::size_t position = 0;
        for (std::size_t axis = 0; axis < t["shape"].size(); ++axis) {
            position = position * t["shape"][axis].get<std::size_t>() + t["worst"]["index"][axis].get<std::size_t>();
        }
        CHECK(t["worst"]["a"].get<double>() == static_cast<double>(a[position]));
        CHECK(t["worst"]["b"].get<double>() == static_cast<double>(b[position]));
        CHECK(std::abs(static_cast<double>(a[position]) - static_cast<double>(b[position])) == largest);
    }
    const std::string table = byhand(place, {"diff", "m", "longer"}).out;
    CHECK(has(table, "\n      C row '"));
    CHECK(has(table, "\n      W1 from position "));
    CHECK(has(table, "\n      b2 '"));
    for (const std::string& line : lines_of(table)) {
        CAPTURE(line);
        CHECK(line.size() <= 120);
    }

    // One of the two tells: that is enough. Without any there is only the index, and W1 is just a name.
    write_stored(place.file("bare"), longer.tensors);
    CHECK(has(byhand(place, {"diff", "bare", "m"}).out, "\n      C row '"));
    write_stored(place.file("bare m"), m.tensors);
    const Outcome bare = byhand(place, {"diff", "bare", "bare m", "--format", "json"});
    CHECK(bare.code == 1);
    CHECK_FALSE(has(bare.out, "dimension"));
    CHECK(has(bare.out, "\"W1 ["));
    // Another shape of network.
    train("wide", "3", "8");
    const Outcome wide = byhand(place, {"diff", "m", "wide"});
    CHECK(wide.code == 1);
    CHECK(has(wide.out, "(6, 7) in A, (6, 8) in B\n"));
}

TEST_CASE("diff: where both tell of a network, the words are A's") {
    const Place place;
    std::string names = file_of(plain_names());
    place.write("n", names);
    std::ranges::replace(names, 'a', 'z');  // as many characters, and others
    place.write("z", names);
    for (const std::string path : {"n", "z"}) {
        REQUIRE(byhand(place, {"train", "--data", path, "--steps", "9", "--save", path + "-model"}).code == 0);
        write_stored(place.file(path + "-bare"), read_stored(place.file(path + "-model")).tensors);
    }
    const auto words = [&](const std::string& a, const std::string& b) {
        std::vector<std::string> all;
        const Json report = parsed_json(byhand(place, {"diff", a, b, "--format", "json"}).out);
        for (const Json& t : report["tensors"]) {
            const Json& worst = t["worst"];
            all.push_back(t["name"].get<std::string>() + ": " +
                          (worst.contains("where") ? worst["where"].get<std::string>() : ""));
        }
        std::ranges::sort(all);
        return all;
    };
    CHECK(words("n-model", "z-model") == words("n-model", "z-bare"));
    CHECK(words("z-model", "n-model") == words("z-model", "n-bare"));
    CHECK(words("n-model", "z-model") != words("z-model", "n-model"));
    CHECK(words("n-bare", "z-model") == words("z-model", "n-bare"));
}

TEST_CASE("diff: a recipe of another program's is no reason to refuse, nor a source of words") {
    const Place place;
    const std::string numbers(8, '\x01');
    for (const std::string recipe : {"sourdough", "{}", R"({\"network\": 3})"}) {
        const std::string header = R"({"__metadata__":{"recipe":")" + recipe +
                                   R"(","vocabulary":"abc"},"W1":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]}})";
        std::string length(8, '\0');
        length[0] = static_cast<char>(header.size());
        length += header;
        place.write("a", length + numbers);
        const Outcome outcome = place.with({{"W1", floats({1, 2}, {1, 2})}}, {"--format", "csv"});
        CAPTURE(outcome.err);
        CHECK(outcome.code == 1);
        CHECK(has(outcome.out, ",\"W1 [0, 1]\","));
    }
}

TEST_CASE("diff: two dumps, side by side") {
    need_torch();
    const Place place;
    place.write("n", file_of(world_names()));
    const auto dump = [&](const std::string& path, const Arguments& flags) {
        REQUIRE(byhand(place,
                       Arguments{"compare", "--data", "n", "--hidden", "11", "--dump", path + ".safetensors"} + flags)
                    .code == 0);
    };
    dump("d", {"--batch", "7"});
    dump("same", {"--batch", "7"});
    dump("second", {"--batch", "7", "--steps", "2"});
    CHECK(byhand(place, {"diff", "d.safetensors", "same.safetensors"}).code == 0);
    const Outcome outcome = byhand(place, {"diff", "d.safetensors", "second.safetensors", "--tensor", "manual/*"});
    CHECK(outcome.code == 1);
    CHECK(has(outcome.out, "\n      manual/dW1 from position "));
    CHECK(has(outcome.out, "\n      manual/logits row "));
    CHECK_FALSE(has(outcome.out, "torch/dW1"));
}

TEST_CASE("diff: names from a file steer no terminal") {
    const Place place({{"x\x1b[2J\n", floats({1}, {1})}});
    const Outcome table = place.with({{"x\x1b[2J\n", floats({1}, {2})}});
    CHECK(table.code == 1);
    CHECK_FALSE(has(table.out, "\x1b"));
    CHECK(has(table.out, "\n  x\\x1b[2J\\x0a  (1) "));
    const Outcome written = place.with({{"x\x1b[2J\n", floats({1}, {2})}}, {"--format", "json", "--output", "r"});
    CHECK(lines_of(written.err).size() == 1);
    CHECK_FALSE(has(written.err, "\x1b"));
    CHECK(parsed_json(place.read("r"))["tensors"][0]["name"].get<std::string>() == "x\x1b[2J\n");
    // Nor do their own names; one that is not UTF-8 is no reason to fail.
    write_stored(place.file("\x1b[2J\xff"), {{"x", floats({1}, {1})}});
    for (const std::string format : {"table", "json", "csv", "html", "junit"}) {
        const Outcome outcome = byhand(place, {"diff", "a", "\x1b[2J\xff", "--format", format});
        CAPTURE(format, outcome.err);
        CHECK(outcome.code == 1);
        CHECK_FALSE(has(outcome.out, "\x1b"));
    }
    CHECK(has(byhand_on_terminal(place, {"diff", "a", "a"}).out, "\x1b[32mthey agree\x1b[0m"));
    byhand_on_terminal(place, {"diff", "a", "a", "--output", "plain"});
    CHECK(has(place.read("plain"), "\nthey agree: "));
}

TEST_CASE("diff refuses what it can't set side by side, in one line") {
    const Place place;
    place.write("n", "no tensors\n");
    place.refuses({}, "A is required");
    place.refuses({"a"}, "B is required");
    place.refuses({"a", "a", "a"}, "a");
    place.refuses({"", "a"}, "A: expected a name");
    place.refuses({"nowhere", "a"}, "nowhere: can't be read");
    place.refuses({"a", "nowhere"}, "nowhere: can't be read");
    place.refuses({"a", "."}, ".: is a folder; name a file");
    place.refuses({"a", "n"}, "n: not a safetensors file");
    place.refuses({"/dev/null", "a"}, "/dev/null: is not a regular file");
    place.write("cut", place.read("a"));
    std::filesystem::resize_file(place.file("cut"), std::filesystem::file_size(place.file("cut")) - 1);
    place.refuses({"a", "cut"}, "cut: not a safetensors file: its header describes 12 bytes of tensors, but 11 follow");
    std::filesystem::resize_file(place.file("cut"), 3);
    place.refuses({"cut", "a"}, "cut: not a safetensors file: it has 3 bytes");
    std::string half = place.read("a");
    half.replace(half.find("F32"), 3, "F16");
    place.write("half", half);
    place.refuses({"a", "half"}, "tensor \"x\" has dtype \"F16\"; F32, F64 and I64 can be read");
    write_stored(place.file("empty"), {});
    place.refuses({"empty", "empty"}, "contain no tensors");
    for (const std::string value : {"-1", "nan", "-nan", "inf", "1e301", "x", "", "1x", "0x1"}) {
        place.refuses({"a", "a", "--limit", value}, "--limit");
    }
    place.refuses({"a", "a", "--limit"}, "--limit");
    place.refuses({"a", "a", "--format", "poem"}, "--format");
    CHECK(place.files() == std::vector<std::string>{"a", "cut", "empty", "half", "n"});
}

TEST_CASE("diff: a report that can't be written leaves nothing behind, and never replaces what was compared") {
    const Place place;
    for (const std::string format : {"table", "json", "csv", "html", "junit"}) {
        place.refuses({"a", "a", "--format", format, "--output", "no/such/report"}, "no/such/report");
    }
    place.refuses({"a", "a", "--output", ""}, "--output");
    place.refuses({"a", "a", "--output", "."}, ".");
    const std::string before = place.read("a");
    write_stored(place.file("b"), {{"x", floats({3}, {1, 2, 4})}});
    std::filesystem::create_symlink("a", place.path() / "link");
    for (const std::string output : {"a", "./a", "link"}) {
        place.refuses({"a", "b", "--output", output}, output + ": --output would overwrite the input of");
        place.refuses({"b", "a", "--output", output}, output + ": --output would overwrite the input of");
    }
    CHECK(place.read("a") == before);
    CHECK(place.files() == std::vector<std::string>{"a", "b", "link"});
    const Outcome full = byhand_under(place, "exec >/dev/full", {"diff", "a", "b"});
    CHECK(full.code == 2);
    CHECK(full.err == "byhand: standard output could not be written\n");
}

}  // namespace cli_test
