// NumPy's formats: files written here byte by byte, by the format's description, and their contents as read.
#include "train/npy.h"

#include <zip.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_exception.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/temporary_folder.h"
#include "train/external_file.h"
#include "train/raw.h"

using namespace byhand;
using Catch::Matchers::ContainsSubstring;
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
        CHECK(file.faults.empty());
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
    CHECK(files.read("\x93NUMPYno such version", "other.npy").tensors.at(0).name == "other");  // not parsed
}

TEST_CASE("npy: other element types are faults, reported with the supported ones") {
    const Files files;
    for (const std::string descr : {"<f2", ">f4", "|b1", "<i4", "<c8", "|O"}) {
        const ExternalFile file = files.read(npy(header_of(descr, "(6,)"), std::string(48, '\0')));
        CHECK(file.tensors.empty());
        REQUIRE(file.faults.size() == 1);
        CHECK_THAT(file.faults[0], StartsWith("dW1 holds '" + descr + "'; '<f4', '<f8', and '<i8'"));
    }
    const std::string fields = "{'descr': [('a', '<f4'), ('b', '<f8')], 'fortran_order': False, 'shape': (6,), }";
    CHECK_THAT(files.read(npy(fields, "")).faults.at(0), StartsWith("dW1 holds '[('a', '<f4'), ('b', '<f8')]';"));
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
        files.refused(npy(header, raw(kNumbers)), "its header can't be parsed at byte ");
    }
}

TEST_CASE("npz: requested entries are read, stored or deflated, and others are skipped") {
    const Files files;
    for (const bool deflated : {false, true}) {
        const ExternalFile file = files.read(
            files.zipped({{"dW1.npy", kGood}, {"other.npy", "nothing"}, {"db1.npy", npy(header_of("<f4", "(9,)"), "")}},
                         deflated),
            "any.name");
        CHECK(file.faults.empty());
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
    const std::string way = "a PyTorch file, which is a pickle: convert it by python3 -c 'import numpy, torch; ";
    files.refused(files.zipped({{"archive/data.pkl", "x"}, {"archive/data/0", "y"}}), way, "m.pt");
    files.refused(files.zipped({{"data.pkl", "x"}}), way, "m.pt");
    files.refused("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9 j\xa8P\x19.", "torch.load(\"" + files.file("m.pt") + "\")",
                  "m.pt");
    files.refused("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9 j\xa8P\x19.", "torch.load(\"mine.pt\")", "it's.pt");
}
