// NumPy's formats: files written here byte by byte, by the format's description, and their contents as read.
#include "checks/files/npy.h"

#include <zip.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "checks/files/external_file.h"
#include "train/file_kind.h"
#include "train/raw.h"

using namespace byhand;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::MessageMatches;
using Catch::Matchers::StartsWith;
using temporary::Folder;
using test::raw;

namespace {

std::string npy(const std::string& header, const std::string& data, char version = 1) {
    std::string length = raw<std::uint32_t>({static_cast<std::uint32_t>(header.size())});
    length.resize(version == 1 ? 2 : 4);
    return "\x93NUMPY" + std::string{version, '\0'} + length + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape, const std::string& fortran_order = "False") {
    return "{'descr': '" + descr + "', 'fortran_order': " + fortran_order + ", 'shape': " + shape + ", }     \n";
}

const std::vector<float> kNumbers = {0.5F, -2, 3e-40F, 4, 1e30F, -0.0F};  // (2, 3)
const std::string kGood = npy(header_of("<f4", "(2, 3)"), raw(kNumbers));

std::optional<std::uint64_t> six(const std::string& name) {
    return name == "other" ? std::nullopt : std::optional<std::uint64_t>(6);
}

class Files : public Folder {
public:
    ExternalFile read(const std::string& bytes, const std::string& name = "dW1.npy") const {
        write(name, bytes);
        return read_external(file(name), six);
    }
    void refused(const std::string& bytes, const std::string& what, const std::string& name = "dW1.npy") const {
        INFO(what);
        CHECK_THROWS_MATCHES(read(bytes, name), InputError,
                             MessageMatches(StartsWith(file(name)) && ContainsSubstring(what)));
    }

    // The bytes of a zip archive of these entries.
    std::string zipped(const std::vector<std::pair<std::string, std::string>>& entries, bool deflated = false) const {
        const std::string path = file("made.zip");
        zip_t* archive = zip_open(path.c_str(), ZIP_CREATE | ZIP_TRUNCATE, nullptr);
        REQUIRE(archive != nullptr);
        for (const auto& [name, bytes] : entries) {
            zip_source_t* source = zip_source_buffer(archive, bytes.data(), bytes.size(), 0);
            const zip_int64_t index = zip_file_add(archive, name.c_str(), source, 0);
            REQUIRE(index >= 0);
            zip_set_file_compression(archive, static_cast<zip_uint64_t>(index),
                                     deflated ? ZIP_CM_DEFLATE : ZIP_CM_STORE, 0);
        }
        REQUIRE(zip_close(archive) == 0);
        const std::string bytes = Folder::read("made.zip");
        std::filesystem::remove(path);
        return bytes;
    }
};

template <class T>
std::vector<T> numbers(const StoredTensor& tensor) {
    std::vector<T> all(tensor.bytes.size() / sizeof(T));
    std::memcpy(all.data(), tensor.bytes.data(), tensor.bytes.size());
    return all;
}

}  // namespace

TEST_CASE("npy: one tensor with the name of its file, recognised by its first bytes") {
    const Files files;
    for (const std::string name : {"dW1.npy", "dW1", "dW1.safetensors"}) {
        const ExternalFile file = files.read(kGood, name);
        CHECK(file.not_read.empty());
        REQUIRE(file.tensors.size() == 1);
        CHECK(file.tensors[0].name == "dW1");
        CHECK(file.tensors[0].shape == Shape{2, 3});
        CHECK(file.tensors[0].dtype == DType::float32);
        CHECK(file.tensors[0].bytes.size() == 24);
        CHECK(raw(numbers<float>(file.tensors[0])) == raw(kNumbers));
    }
}

TEST_CASE("npy: all supported versions, types, shapes and headers") {
    const Files files;
    for (const char version : {'\1', '\2', '\3'}) {
        CHECK(numbers<float>(files.read(npy(header_of("<f4", "(6,)"), raw(kNumbers), version)).tensors.at(0)).size() ==
              6);
    }
    const std::vector<double> doubles = {0.1, 2, 3, 4, 5, 6};
    const std::vector<std::int64_t> whole = {1, -2, 3, 4, 5, 1LL << 40};
    CHECK(numbers<double>(files.read(npy(header_of("<f8", "(6,)"), raw(doubles))).tensors.at(0)) == doubles);
    CHECK(numbers<std::int64_t>(files.read(npy(header_of("<i8", "(1, 6L)"), raw(whole))).tensors.at(0)) == whole);
    const std::vector<std::int32_t> narrow = {1, -2, 3, INT32_MAX, INT32_MIN, 0};
    const ExternalFile of_32_bits = files.read(npy(header_of("<i4", "(2, 3)", "True"), raw(narrow)));
    CHECK(of_32_bits.tensors.at(0).dtype == DType::int64);
    CHECK(numbers<std::int64_t>(of_32_bits.tensors[0]) == std::vector<std::int64_t>{1, 3, INT32_MIN, -2, INT32_MAX, 0});
    const ExternalFile other =
        files.read(npy("{\"shape\":(3,2),\"fortran_order\":False,\"descr\":\"<f4\"}", raw(kNumbers)));
    CHECK(other.tensors.at(0).shape == Shape{3, 2});
    files.write("s.npy", npy(header_of("<f8", "()"), raw<double>({7.5})));
    const ExternalFile scalar = read_external(files.file("s.npy"), [](const std::string&) { return 1; });
    CHECK(scalar.tensors.at(0).shape.empty());
    CHECK(numbers<double>(scalar.tensors.at(0)) == std::vector<double>{7.5});
}

TEST_CASE("npy: column-major arrays are converted to row order") {
    const Files files;
    const std::vector<float> columns = {11, 21, 12, 22, 13, 23}, rows = {11, 12, 13, 21, 22, 23};
    CHECK(numbers<float>(files.read(npy(header_of("<f4", "(2, 3)", "True"), raw(columns))).tensors.at(0)) == rows);
    // (1, 3, 2): the first axis is contiguous.
    const std::vector<double> deep = {11, 21, 31, 12, 22, 32}, deep_rows = {11, 12, 21, 22, 31, 32};
    CHECK(numbers<double>(files.read(npy(header_of("<f8", "(1, 3, 2)", "True"), raw(deep))).tensors.at(0)) ==
          deep_rows);
}

TEST_CASE("npy: numbers are read only if the shape has the expected number of elements") {
    const Files files;
    const ExternalFile file = files.read(npy(header_of("<f8", "(1000000000000, 9)"), ""));
    REQUIRE(file.tensors.size() == 1);
    CHECK(file.tensors[0].shape == Shape{1'000'000'000'000, 9});
    CHECK(file.tensors[0].bytes.empty());
    CHECK(files.read(npy(header_of("<f8", "(18446744073709551615, 18446744073709551615)"), "")).tensors.size() == 1);
}

TEST_CASE("npy: other element types are not read, and reported with the supported ones") {
    const Files files;
    for (const std::string descr : {"<f2", "<u8", "<c8", "|O"}) {
        const ExternalFile file =
            files.read(npy(header_of(descr, "(6,)"), std::string(descr == "<f2" ? 12 : 48, '\0')));
        CHECK(file.tensors.empty());
        REQUIRE(file.not_read.size() == 1);
        CHECK_THAT(file.not_read[0], StartsWith("dW1 holds '" + descr + "'; floats of 32 and 64 bits are read"));
    }
    const std::vector<std::uint8_t> small = {0, 1, 2, 127, 128, 255};
    const std::vector<std::int64_t> same(small.begin(), small.end());
    CHECK(numbers<std::int64_t>(files.read(npy(header_of("|u1", "(6,)"), raw(small))).tensors.at(0)) == same);
    std::string swapped = raw(kNumbers);
    for (auto at = swapped.begin(); at != swapped.end(); at += 4) {
        std::reverse(at, at + 4);
    }
    CHECK(raw(numbers<float>(files.read(npy(header_of(">f4", "(6,)"), swapped)).tensors.at(0))) == raw(kNumbers));
    const std::string fields = "{'descr': [('a', '<f4'), ('b', '<f8')], 'fortran_order': False, 'shape': (6,), }";
    CHECK_THAT(files.read(npy(fields, "")).not_read.at(0), StartsWith(R"(dW1 holds '[["a","<f4"],["b","<f8"]]';)"));
}

TEST_CASE("npy: truncated and malformed files are refused") {
    const Files files;
    for (const std::size_t size :
         {std::size_t{7}, std::size_t{9}, std::size_t{20}, kGood.size() - 24, kGood.size() - 1}) {
        files.refused(kGood.substr(0, size), "not a .npy array: it ends early");
    }
    files.refused(kGood + "x", "more bytes follow than (2, 3) takes");
    files.refused(npy(header_of("<f4", "(6,)"), raw(kNumbers), '\4'), "version 4 is not known; 1 to 3 are");
    files.refused(npy(std::string(70000, ' '), "", '\2'), "its header would take 70000 bytes, of 65536 at most");
    for (const std::string header :
         {"", "{", "{}", "{'descr': '<f4', 'fortran_order': False}",
          "{'descr': '<f4', 'fortran_order': false, 'shape': ()}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (2 3)}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "{'descr: 1}", "{'descr': [1}",
          "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), 'more': 1}", "{'descr' '<f4'}", "()"}) {
        files.refused(npy(header, raw(kNumbers)), "its header can't be parsed: \"");
    }
}

TEST_CASE("npz: requested entries are read, stored or deflated, and others are skipped") {
    const Files files;
    for (const bool deflated : {false, true}) {
        const ExternalFile file = files.read(
            files.zipped({{"dW1.npy", kGood}, {"other.npy", "nothing"}, {"db1.npy", npy(header_of("<f4", "(9,)"), "")}},
                         deflated),
            "any.name");
        CHECK(file.not_read.empty());
        REQUIRE(file.tensors.size() == 3);
        CHECK(file.tensors[0].name == "dW1");
        CHECK(raw(numbers<float>(file.tensors[0])) == raw(kNumbers));
        CHECK(file.tensors[1].name == "other");
        CHECK(file.tensors[1].bytes.empty());
        CHECK(file.tensors[2].shape == Shape{9});
        CHECK(file.tensors[2].bytes.empty());
    }
    CHECK(files.read("PK\x05\x06" + std::string(18, '\0'), "empty.npz").tensors.empty());
}

TEST_CASE("npz: damaged files are refused, with the entry") {
    const Files files;
    for (const bool deflated : {false, true}) {
        const std::string whole = files.zipped({{"dW1.npy", kGood}, {"dW2.npy", kGood}}, deflated);
        for (const std::size_t size : {std::size_t{5}, whole.size() / 3, whole.size() / 2, whole.size() - 1}) {
            files.refused(whole.substr(0, size), "not a whole .npz file (a zip): ", "a.npz");
        }
        std::string damaged = whole;
        damaged[whole.find("dW2.npy") + (deflated ? 40 : 7 + kGood.size() - 3)] ^= 0x55;
        files.refused(damaged, "a.npz: entry dW2.npy: ", "a.npz");
    }
    files.refused(files.zipped({{"dW1.npy", kGood + "x"}}), "entry dW1.npy: not a .npy array: more bytes follow",
                  "a.npz");
    files.refused(files.zipped({{"dW1.npy", "text"}}), "entry dW1.npy: not a .npy array: it ends early", "a.npz");
    files.refused(files.zipped({{"dW1.npy", "some more text"}}), "it does not begin with \\x93NUMPY", "a.npz");
}

TEST_CASE("npz: a PyTorch file is recognised, old and new") {
    const Files files;
    const std::string way = "a PyTorch file, which is a pickle: convert it by python3 examples/python/to_";
    files.refused(files.zipped({{"archive/data.pkl", "x"}, {"archive/data/0", "y"}}), way, "m.pt");
    files.refused(files.zipped({{"data.pkl", "x"}}), way, "m.pt");
    files.refused("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9 j\xa8P\x19.",
                  "to_safetensors.py \"" + files.file("m.pt") + "\" mine.safetensors", "m.pt");
    files.refused("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9 j\xa8P\x19.", "to_safetensors.py \"mine.pt\" mine.safetensors",
                  "it's.pt");
}

TEST_CASE("npz: what is written is read again, in the format's bytes") {
    const Files files;
    const std::vector<double> doubles = {0.1, -2, 1e300};
    const std::vector<std::int64_t> whole = {1, -2, 1LL << 40, 4, 5, 6};
    const std::vector<View> views = {{"torch/dW1", {2, 3}, DType::float32, kNumbers.data()},
                                     {"d", {3}, DType::float64, doubles.data()},
                                     {"X", {3, 2}, DType::int64, whole.data()},
                                     {"loss", {}, DType::float32, kNumbers.data()},
                                     {"none", {0, 7}, DType::float32, nullptr}};
    const std::string path = files.file("a.npz");
    write_external(path, views, {{"recipe", "{\"a\": 1}"}, {"vocabulary", ".aé猫"}});
    const ExternalFile read = read_external(path, [](const std::string& name) -> std::optional<std::uint64_t> {
        const std::map<std::string, std::uint64_t> due = {
            {"torch/dW1", 6}, {"d", 3}, {"X", 6}, {"loss", 1}, {"none", 0}};
        const auto found = due.find(name);
        return found != due.end() ? std::optional(found->second) : std::nullopt;
    });
    CHECK(read.not_read.empty());
    REQUIRE(read.tensors.size() == 5);
    for (std::size_t i = 0; i < views.size(); ++i) {
        CAPTURE(views[i].name);
        CHECK(read.tensors[i].name == views[i].name);
        CHECK(read.tensors[i].shape == views[i].shape);
        CHECK(read.tensors[i].dtype == views[i].dtype);
        const std::size_t size = count(views[i].shape) * size_of(views[i].dtype);
        REQUIRE(read.tensors[i].bytes.size() == size);
        CHECK((size == 0 || std::memcmp(read.tensors[i].bytes.data(), views[i].data, size) == 0));
    }
    CHECK(open_tensors(path).metadata == Metadata{{"recipe", "{\"a\": 1}"}, {"vocabulary", ".aé猫"}});
    // An entry is a .npy file whose data begins at a multiple of 64 bytes.
    const std::string bytes = files.Folder::read("a.npz");
    std::string header =
        "\x93NUMPY" + std::string("\1\0\x76\0", 4) + "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    header.resize(127, ' ');
    CHECK(bytes.find(header + "\n" + raw(kNumbers)) != std::string::npos);
    CHECK(bytes.find("{'descr': '<U4', 'fortran_order': False, 'shape': (), }") != std::string::npos);
    CHECK(bytes.find(raw<std::uint32_t>({'.', 'a', 0xe9, 0x732b})) != std::string::npos);
    // The same again is the same, and is written over; another program's is not.
    write_external(path, views, {{"recipe", "{\"a\": 1}"}, {"vocabulary", ".aé猫"}});
    CHECK(files.Folder::read("a.npz") == bytes);
    CHECK(is_own_npz(path));
    CHECK(files.files() == std::vector<std::string>{"a.npz"});
    const std::string theirs = files.zipped({{"dW1.npy", kGood}});
    for (const std::string& other : {theirs, bytes.substr(0, bytes.size() - 1), bytes + "x", std::string("byhand")}) {
        files.write("a.npz", other);
        CHECK_FALSE(is_own_npz(path));
        CHECK_THROWS_MATCHES(check_external(path), InputError,
                             MessageMatches(ContainsSubstring("was not written by byhand")));
        CHECK_THROWS_AS(write_external(path, views, {}), InputError);
        CHECK(files.Folder::read("a.npz") == other);
    }
    CHECK_THROWS_AS(write_external(files.file("b.npz"), {views[0], views[0]}, {}), std::invalid_argument);
    for (const std::string name : {"a", "a.npy", "a.NPZ", "a.npz.x"}) {
        CHECK_THROWS_MATCHES(check_external(files.file(name)), InputError,
                             MessageMatches(ContainsSubstring(name + ": tensors are written as .safetensors or .npz")));
    }
    CHECK_NOTHROW(check_external(files.file("a.safetensors")));
    CHECK(files.files() == std::vector<std::string>{"a.npz"});
}

TEST_CASE("external file: files of other kinds are named by what they are") {
    const Files files;
    const std::string savez = "; save the arrays by numpy.savez(\"mine.npz\", dW1=dW1), and give that file";
    struct Case {
        std::string name, bytes, what;
    };
    const std::string long_text = std::string(4095, 'a') + "é, cut in two where the start of the file ends";
    for (const auto& [name, bytes, what] : std::vector<Case>{
             {"a.npz", "", "it is empty" + savez},
             {"a.json", "\n {\"dW1\": [[1, 2]]}", "it is JSON" + savez},
             {"a", "[1, 2]", "it is JSON" + savez},
             {"a.csv", "1;2\n", "it is CSV" + savez},
             {"a", "1,2,3\n4,5,6\n", "it is CSV" + savez},
             {"a", "emma, who\nolivia\n", "it is text" + savez},
             {"a.txt", long_text, "it is text" + savez},
             {"a.py", "dW1 = 3\n", "it is Python source; run it, and give the file that it writes"},
             {"a", "#!/usr/bin/python3\n", "it is Python source; run it"},
             {"a", "# ours\nfrom numpy import zeros\n", "it is Python source; run it"},
             {"a.npz.gz", "\x1f\x8b\x08", "it is compressed by gzip; decompress it by gunzip"},
             {"a.pkl", std::string("\x80\x04\x95\x0b\0\0\0\0\0\0\0}\x94.", 14),
              "a pickle: convert it by python3 -c 'import numpy, pickle; numpy.savez(\"mine.npz\", "
              "**pickle.load(open(\"" +
                  files.file("a.pkl") + "\", \"rb\")))'"},
             {"a.pkl", "\x80\x02}q", "a pickle: convert it by python3 -c "},
             {"a", "\x01\xff\x02\x03\x04\x05\x06\x07\x08\x09",
              "not a safetensors file: it does not begin with the length of a header"},
             {"a", std::string("text with\0a zero", 16), "not a safetensors file: it does not begin with"}}) {
        files.refused(bytes, ": " + what, name);
    }
    // The length of a header may begin as a pickle does.
    const std::string metadata = R"({"__metadata__":{"a":")" + std::string(0x0280 - 25, 'x') + "\"}}";
    REQUIRE(metadata.size() == 0x0280);
    CHECK(files.read(raw<std::uint64_t>({0x0280}) + metadata, "a").tensors.empty());
}

TEST_CASE("external file: of safetensors, tensors of other types are left out, and I32 is read as I64") {
    const Files files;
    const std::string header = R"({"half":{"dtype":"F16","shape":[3],"data_offsets":[0,6]},)"
                               R"("other":{"dtype":"BOOL","shape":[2],"data_offsets":[6,8]},)"
                               R"("X":{"dtype":"I32","shape":[2],"data_offsets":[8,16]},)"
                               R"("dW1":{"dtype":"F32","shape":[1],"data_offsets":[16,20]}})";
    const std::string bytes = raw<std::uint64_t>({header.size()}) + header + std::string(8, '\1') +
                              raw<std::int32_t>({-7, INT32_MAX}) + raw<float>({2.5F});
    files.write("a", bytes);
    const ExternalFile file = read_external(files.file("a"), [](const std::string& name) {
        return name == "other" ? std::nullopt : std::optional<std::uint64_t>(name == "X" ? 2 : 1);
    });
    CHECK(file.not_read ==
          std::vector<std::string>{
              "half holds F16; floats of 32 and 64 bits are read, and whole numbers for X and Y: convert it"});
    REQUIRE(file.tensors.size() == 3);
    CHECK(file.tensors[0].name == "other");  // is not due
    CHECK(file.tensors[1].name == "X");
    CHECK(file.tensors[1].dtype == DType::int64);
    CHECK(numbers<std::int64_t>(file.tensors[1]) == std::vector<std::int64_t>{-7, INT32_MAX});
    CHECK(numbers<float>(file.tensors[2]) == std::vector<float>{2.5F});
    // For those who need every tensor the file is refused.
    CHECK_THROWS_MATCHES(read_tensors(files.file("a")), InputError,
                         MessageMatches(ContainsSubstring("tensor \"half\" has dtype \"F16\"; F32, F64 and I64 can")));
}
