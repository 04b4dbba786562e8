#include "train/safetensors.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/message_of.h"
#include "base/temporary_folder.h"
#include "train/raw.h"

using namespace byhand;
using temporary::Folder;
using test::raw;
namespace fs = std::filesystem;

namespace {

const std::string kName = "a.safetensors";

// A file of that header and those bytes, in the format's layout.
std::string file_of(const std::string& header, const std::string& data) {
    return raw<std::uint64_t>({header.size()}) + header + data;
}

std::string refusal(const std::string& path) {
    return test::message_of([&] { read_tensors(path); });
}

std::string write_refusal(const std::string& path, const Metadata& metadata = {}) {
    return test::message_of([&] { write_tensors(path, {}, metadata); });
}

std::string bytes_of(const StoredTensor& tensor) {
    return {reinterpret_cast<const char*>(tensor.bytes.data()), tensor.bytes.size()};
}

}  // namespace

TEST_CASE("safetensors: written tensors are read again, to the bit") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::vector<float> three = {1.5F, -0.0F, std::numeric_limits<float>::infinity(), 0x1p-149F, 3, 4, 5};
    const std::vector<double> five = {0.1, -1e300, std::numeric_limits<double>::quiet_NaN(), 5e-324, 7};
    const std::vector<std::int64_t> two = {std::numeric_limits<std::int64_t>::min(), 9007199254740993};
    const float scalar = 2.5F;
    const std::vector<View> written = {
        {"W1", {7, 1}, DType::float32, three.data()}, {"manual/dW1.3", {1, 5, 1}, DType::float64, five.data()},
        {"loss", {}, DType::float32, &scalar},        {"X", {2}, DType::int64, two.data()},
        {"none", {3, 0, 5}, DType::float64, nullptr}, {"ž \"\\\n", {1}, DType::float32, &scalar}};
    const Metadata metadata = {{"recipe", "{\n  \"name\": \"x\"\n}"}, {"vocabulary", ".aé名😀"}, {"", ""}};
    write_tensors(path, written, metadata);
    const TensorFile read = read_tensors(path);

    Metadata expected = metadata;
    expected["format"] = "byhand";
    CHECK(read.metadata == expected);
    const std::vector<View> again = views(read.tensors);
    REQUIRE(again.size() == written.size());
    for (const View& view : written) {
        CAPTURE(view.name);
        const View* found = find(again, view.name);
        REQUIRE(found != nullptr);
        CHECK(found->shape == view.shape);
        CHECK(found->dtype == view.dtype);
        const std::size_t size = count(view.shape) * size_of(view.dtype);
        CHECK((size == 0 || std::memcmp(found->data, view.data, size) == 0));
        CHECK(reinterpret_cast<std::uintptr_t>(found->data) % size_of(view.dtype) == 0);
    }
    CHECK(folder.files().size() == 1);
}

TEST_CASE("safetensors: the bytes are those of the format") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::vector<float> w = {1, 2, 3};
    const std::int64_t x = 258;
    const std::string header = R"({"__metadata__":{"format":"byhand","note":"é"},)"
                               R"("X":{"dtype":"I64","shape":[],"data_offsets":[0,8]},)"
                               R"("W":{"dtype":"F32","shape":[3,1],"data_offsets":[8,20]}})";
    const std::string data("\2\1\0\0\0\0\0\0\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40", 20);

    write_tensors(path, {{"W", {3, 1}, DType::float32, w.data()}, {"X", {}, DType::int64, &x}}, {{"note", "é"}});
    const std::string padded = header + std::string((8 - header.size() % 8) % 8, ' ');
    CHECK(padded.size() > header.size());
    CHECK(folder.read(kName) == file_of(padded, data));
    CHECK(folder.read(kName)[0] == static_cast<char>(padded.size()));

    // Without padding, doubles are not aligned in the file; they are read all the same.
    folder.write(kName, file_of(header, data));
    const TensorFile read = read_tensors(path);
    REQUIRE(read.tensors.size() == 2);
    CHECK(read.tensors[0].name == "X");
    CHECK(value_at(views(read.tensors)[0], 0) == 258);
    CHECK(read.tensors[1].shape == Shape{3, 1});
    CHECK(value_at(views(read.tensors)[1], 2) == 3);
    CHECK(read.metadata.at("note") == "é");
}

TEST_CASE("safetensors: a file by another writer is read") {
    const Folder folder;
    const std::string path = folder.file(kName);
    // Tensors in another order than their bytes, white space, no metadata, an unaligned double.
    folder.write(kName, file_of("{ \"b\" : {\"shape\":[1],\"data_offsets\":[4, 12],\"dtype\":\"F64\"},\n"
                                " \"a\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},"
                                " \"nothing\":{\"dtype\":\"I64\",\"shape\":[0],\"data_offsets\":[4,4]} }   ",
                                raw<float>({0.5F}) + raw<double>({0.25})));
    const TensorFile read = read_tensors(path);
    REQUIRE(read.tensors.size() == 3);
    CHECK(read.tensors[0].name == "a");
    CHECK(read.tensors[1].name == "nothing");
    CHECK(read.tensors[2].name == "b");
    CHECK(bytes_of(read.tensors[2]) == raw<double>({0.25}));
    CHECK(read.metadata.empty());

    folder.write(kName, file_of("{}", ""));
    CHECK(read_tensors(path).tensors.empty());
}

TEST_CASE("safetensors: an invalid header is refused") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::string no = path + ": not a safetensors file: ";
    const auto refused = [&](const std::string& header, std::size_t data = 8) {
        folder.write(kName, file_of(header, std::string(data, '\1')));
        return refusal(path);
    };
    const auto tensor = [](const std::string& fields) { return "{\"a\":{" + fields + "}}"; };
    const std::string good = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
    REQUIRE(refused(tensor(good)).empty());

    CHECK(refused("[]") == no + "the header does not begin with {");
    CHECK(refused(" {}", 0) == no + "the header does not begin with {");
    CHECK(refused("", 0) == no + "the header does not begin with {");
    const std::string header = no + "header: ";
    CHECK(refused("{", 0) == header + "line 1, column 2: not JSON: the text ends here");
    CHECK(refused("{}x", 0) == header + "line 1, column 3: not JSON: unexpected \"x\"");
    CHECK(refused(std::string("{}\0\0", 4), 0).starts_with(header + "line 1, column 3: not JSON"));
    CHECK(refused("{\"\xff\":1}").starts_with(header + "line 1, column 3: not JSON"));
    CHECK(refused("{\"a\":7}") == header + "a: is 7, takes an object");
    CHECK(refused("{\"a\":null}") == header + "a: is null, takes an object");
    CHECK(refused("{\"a\":[]}") == header + "a: is an array of 0, takes an object");
    CHECK(refused("{\"a\":{" + good + "},\"a\":{" + good + "}}") == header + "a: duplicate key; keep one");
    CHECK(refused(tensor(good + ",\"shape\":[2]")) == header + "a.shape: duplicate key; keep one");
    CHECK(refused(tensor(good + ",\"stride\":[2]")) ==
          header + "a.stride: no such key (known: dtype, shape, data_offsets)");
    CHECK(refused(tensor(R"("shape":[2],"data_offsets":[0,8])")) == header + "a.dtype: is missing; add it");
    CHECK(refused(tensor(R"("dtype":"F32","data_offsets":[0,8])")) == header + "a.shape: is missing; add it");
    CHECK(refused(tensor(R"("dtype":"F32","shape":[2])")) == header + "a.data_offsets: is missing; add it");
    CHECK(refused(tensor(R"("dtype":"F16","shape":[4],"data_offsets":[0,8])")) ==
          path + ": tensor \"a\" has dtype \"F16\"; F32, F64 and I64 can be read");
    CHECK(refused(tensor(R"("dtype":32,"shape":[2],"data_offsets":[0,8])")) == header + "a.dtype: is 32, takes text");
    CHECK(refused(tensor(R"("dtype":"F32","shape":2,"data_offsets":[0,8])")) ==
          header + "a.shape: is 2, takes an array of 0 to 64");
    for (const std::string wrong : {"-2", "2.0", "1e2", "\"2\"", "[2]", "{}", "null", "true", "18446744073709551616"}) {
        const std::string message = refused(tensor(R"("dtype":"F32","shape":[)" + wrong + R"(],"data_offsets":[0,8])"));
        CHECK(message.starts_with(header + "a.shape[0]: is "));
        CHECK(message.ends_with(", takes a whole number from 0 to 18446744073709551615"));
    }
    for (const std::string wrong : {"-8", "8.0", "\"8\"", "[8]"}) {
        CHECK(refused(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[0,)" + wrong + "]"))
                  .starts_with(header + "a.data_offsets[1]: is "));
    }
    for (const std::string wrong : {"0", "0,8,9"}) {
        CHECK(refused(tensor(R"("dtype":"F32","shape":[2],"data_offsets":[)" + wrong + "]"))
                  .ends_with(", takes an array of 2"));
    }
    CHECK(refused(R"({"__metadata__":{"a":1}})", 0) == header + "__metadata__.a: is 1, takes text");
    CHECK(refused(R"({"__metadata__":{"a":{}}})", 0) == header + "__metadata__.a: is an object, takes text");
    CHECK(refused(R"({"__metadata__":"a"})", 0) ==
          header + "__metadata__: is \"a\", takes an object of at most 65536 keys");
    CHECK(refused(R"({"__metadata__":{"a":"1","a":"1"}})", 0) == header + "__metadata__.a: duplicate key; keep one");
    CHECK(refused(R"({"__metadata__":{},"__metadata__":{}})", 0) == header + "__metadata__: duplicate key; keep one");
    std::string axes = "1";
    for (int i = 0; i < 64; ++i) {
        axes += ",1";
    }
    CHECK(refused(tensor(R"("dtype":"F32","data_offsets":[0,8],"shape":[)" + axes + "]")) ==
          header + "a.shape: is an array of 65, takes an array of 0 to 64");
    std::string tensors = "{\"t\":{}";
    std::string texts = "{\"__metadata__\":{\"t\":\"\"";
    for (int i = 0; i < 65536; ++i) {
        const std::string name = ",\"t" + std::to_string(i) + "\":";
        tensors += name + R"({"dtype":"F32","shape":[0],"data_offsets":[0,0]})";
        texts += name + "\"\"";
    }
    CHECK(refused(tensors + "}", 0) == header + "is an object, takes an object of at most 65536 keys");
    CHECK(refused(texts + "}}", 0) == header + "__metadata__: is an object, takes an object of at most 65536 keys");
    std::string zeros = "0";
    for (int i = 0; i < 1'000'000; ++i) {
        zeros += ",0";
    }
    CHECK(refused(tensor("\"shape\":[" + zeros + "]")) == header + "more than 1000000 values");
    CHECK(refused("{\"a\":" + std::string(1'000'000, '[')) == header + "nested more than 32 deep");
    CHECK(refused("{\"" + std::string(1'000'000, 'n') + "\":1}").size() < 300);
    CHECK(refused("{\"\\u001b[2J\":1}") == header + "\\x1b[2J: is 1, takes an object");
}

TEST_CASE("safetensors: bytes that do not fit the header are refused") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::string no = path + ": not a safetensors file: ";
    const auto refused = [&](const std::string& shape, const std::string& offsets, std::size_t data) {
        folder.write(kName,
                     file_of("{\"a\":{\"dtype\":\"F32\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}}",
                             std::string(data, '\1')));
        return refusal(path);
    };
    REQUIRE(refused("[2]", "[0,8]", 8).empty());
    CHECK(refused("[2]", "[0,8]", 7) == no + "its header describes 8 bytes of tensors, but 7 follow it");
    CHECK(refused("[2]", "[0,8]", 9) == no + "its header describes 8 bytes of tensors, but 9 follow it");
    CHECK(refused("[2]", "[4,12]", 12) == no + "tensor \"a\": bytes 4 to 12 leave a gap after byte 0");
    CHECK(refused("[2]", "[8,0]", 8) == no + "tensor \"a\": bytes 8 to 0 end before they begin");
    CHECK(refused("[3]", "[0,8]", 8) == no + "tensor \"a\": bytes 0 to 8 hold 8, but shape (3) takes 12");
    CHECK(refused("[]", "[0,8]", 8) == no + "tensor \"a\": bytes 0 to 8 hold 8, but shape () takes 4");
    CHECK(refused("[0]", "[0,4]", 4) == no + "tensor \"a\": bytes 0 to 4 hold 4, but shape (0) takes 0");
    // 2^62 floats are 2^64 bytes, which would be 0 in 64 bits.
    CHECK(refused("[4611686018427387904]", "[0,0]", 0) ==
          no +
              "tensor \"a\": bytes 0 to 0 hold 0, but shape (4611686018427387904) takes more bytes than 64 bits count");
    CHECK(refused("[4294967296,4294967296,3]", "[0,0]", 0) ==
          no + "tensor \"a\": bytes 0 to 0 hold 0, but shape (4294967296, 4294967296, 3) takes more bytes than 64 bits "
               "count");
    // No memory is allocated for 4 EB that the file does not contain.
    CHECK(refused("[1152921504606846975]", "[0,4611686018427387900]", 8) ==
          no + "its header describes 4611686018427387900 bytes of tensors, but 8 follow it");

    const std::string two = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                            R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})";
    folder.write(kName, file_of(two, std::string(12, '\1')));
    CHECK(refusal(path) == no + "tensor \"b\": bytes 4 to 12 overlap what ends at byte 8");
}

TEST_CASE("safetensors: a header longer than the file, or than 16 MB, is refused before it is read") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::string no = path + ": not a safetensors file: ";
    folder.write(kName, "");
    CHECK(refusal(path) == no + "it is empty");
    folder.write(kName, std::string("\x60\0\0\0\0\0\0", 7));
    CHECK(refusal(path) == no + "it has 7 bytes, but needs at least 8");
    folder.write(kName, raw<std::uint64_t>({3}) + "{}");
    CHECK(refusal(path) == no + "its header would take 3 bytes, of 2 at most");
    folder.write(kName, raw<std::uint64_t>({~std::uint64_t{0}}) + "{}");
    CHECK(refusal(path) == no + "it does not begin with the length of a header");
    folder.write(kName, raw<std::uint64_t>({~std::uint32_t{0}}) + "{}");
    CHECK(refusal(path) == no + "its header would take 4294967295 bytes, of 2 at most");
    folder.write(kName, raw<std::uint64_t>({16'000'001}) + "{}");
    REQUIRE(::truncate(path.c_str(), 20'000'000) == 0);
    CHECK(refusal(path) == no + "its header would take 16000001 bytes, of 16000000 at most");
    folder.write(kName, "name\nemma\nolivia\n");
    CHECK(refusal(path) == no + "it is text");
}

TEST_CASE("safetensors: a header of 16 MB is read, and none longer is written") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::string begin = R"({"__metadata__":{"a":")", end = "\"}}";
    folder.write(kName, file_of(begin + std::string(16'000'000 - begin.size() - end.size(), 'a') + end, ""));
    CHECK(read_tensors(path).metadata.at("a").size() == 16'000'000 - begin.size() - end.size());
    fs::remove(path);
    CHECK(write_refusal(path, {{"a", std::string(15'999'960, 'a')}}) ==
          path + ": can't be written: its header would take 16000008 bytes, of 16000000 at most");
    CHECK(folder.files().empty());
    CHECK(write_refusal(path, {{"a", std::string(15'999'950, 'a')}}).empty());
    CHECK(read_tensors(path).metadata.at("a").size() == 15'999'950);
}

TEST_CASE("safetensors: every truncated or changed file is either read or refused in one line") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::vector<float> w = {1, 2, 3};
    write_tensors(path, {{"W", {3}, DType::float32, w.data()}, {"X", {1, 1}, DType::float64, "\0\0\0\0\0\0\0"}},
                  {{"note", "x"}});
    const std::string good = folder.read(kName);
    for (std::size_t size = 0; size < good.size(); ++size) {
        folder.write(kName, good.substr(0, size));
        REQUIRE_FALSE(refusal(path).empty());
    }
    for (std::size_t at = 0; at < good.size() - 20; ++at) {
        for (const char other : {'\0', '\xff', '"', '9', '{', ']', ' '}) {
            std::string bent = good;
            bent[at] = other;
            folder.write(kName, bent);
            REQUIRE(refusal(path).find('\n') == std::string::npos);
        }
    }
}

TEST_CASE("safetensors: paths that are not regular files are refused, and a pipe without waiting") {
    const Folder folder;
    CHECK(refusal(folder.file("none")) ==
          folder.file("none") + ": can't be read: No such file or directory; name a file that can");
    CHECK(refusal(folder.file("a\nb")).find("a\\x0ab: can't be read") != std::string::npos);
    CHECK(refusal(folder.file("")) == folder.file("") + ": is a folder; name a file");
    REQUIRE(::mkfifo(folder.file("pipe").c_str(), 0600) == 0);
    CHECK(refusal(folder.file("pipe")) == folder.file("pipe") + ": is not a regular file; name one");
    CHECK_FALSE(own_metadata(folder.file("pipe")).has_value());
    CHECK(write_refusal(folder.file("pipe")) == folder.file("pipe") + ": is not a regular file; name another");
    CHECK(refusal("/dev/zero") == "/dev/zero: is not a regular file; name one");
}

TEST_CASE("safetensors: a file that byhand did not write is not overwritten") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::string refused = path + ": exists and was not written by byhand; name another file, or remove it";
    CHECK_FALSE(own_metadata(path).has_value());
    CHECK_NOTHROW(check_writable(path, Content::tensors));

    const std::string foreign = file_of(R"({"__metadata__":{"format":"pt"}})", "");
    for (const std::string& bytes : {foreign, file_of("{}", ""), std::string("my thesis"), std::string()}) {
        folder.write(kName, bytes);
        CHECK_FALSE(own_metadata(path).has_value());
        CHECK(write_refusal(path) == refused);
        CHECK(folder.read(kName) == bytes);
    }
    CHECK(folder.files().size() == 1);

    fs::remove(path);
    CHECK(write_refusal(path).empty());
    CHECK(own_metadata(path).has_value());
    const float w = 1;
    write_tensors(path, {{"W", {}, DType::float32, &w}}, {});
    CHECK(read_tensors(path).tensors.size() == 1);
    fs::resize_file(path, fs::file_size(path) - 1);  // its tensors are truncated, its header is byhand's
    CHECK(own_metadata(path).has_value());
}

TEST_CASE("safetensors: writes are atomic") {
    const Folder folder;
    const std::string path = folder.file(kName);
    const std::vector<float> w(100'000, 1.5F);
    write_tensors(path, {{"W", {3}, DType::float32, w.data()}}, {});
    const std::string before = folder.read(kName);

    // Files are temporarily limited to 5,000 bytes, as on a full disk.
    rlimit old{};
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &old) == 0);
    const auto handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{5000, old.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
    const auto write = [&] { write_tensors(path, {{"W", {100'000}, DType::float32, w.data()}}, {}); };
    const std::string message = test::message_of(write);
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, handler);
    CHECK(message == path + ": can't be written: File too large");
    CHECK(folder.read(kName) == before);
    CHECK(folder.files().size() == 1);
}

TEST_CASE("safetensors: check_writable reports an unwritable path in advance") {
    const Folder folder;
    CHECK(write_refusal(folder.file("no/a")) ==
          folder.file("no/a") + ": can't be written: there is no folder " + folder.file("no") + "; make it first");
    CHECK(write_refusal(folder.file("")) == folder.file("") + ": is a folder; name a file");
    fs::create_directory(folder.file("sub"));
    CHECK(write_refusal(folder.file("sub")) == folder.file("sub") + ": is a folder; name a file");
    CHECK(write_refusal("") == "the file to write has no name; give it one");
    CHECK(write_refusal(folder.file("a"), {{"note", "\xff"}}) ==
          folder.file("a") + ": can't be written: a name or its metadata is not UTF-8");
    CHECK(folder.files().size() == 1);
    if (::geteuid() != 0) {  // root may write anywhere
        fs::permissions(folder.file("sub"), fs::perms::owner_read | fs::perms::owner_exec);
        CHECK(write_refusal(folder.file("sub/a")).ends_with(": Permission denied"));
        fs::permissions(folder.file("sub"), fs::perms::owner_all);
    }
}

TEST_CASE("safetensors: a link remains a link, and permissions are kept") {
    const Folder folder;
    const std::string path = folder.file(kName), link = folder.file("link");
    write_tensors(path, {}, {});
    CHECK((fs::status(path).permissions() & fs::perms::owner_write) != fs::perms::none);
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
    fs::create_symlink("a.safetensors", link);
    write_tensors(link, {}, {{"note", "new"}});
    CHECK(fs::is_symlink(link));
    CHECK(read_tensors(path).metadata.at("note") == "new");
    CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));

    fs::create_symlink("nowhere", folder.file("dangling"));
    CHECK(write_refusal(folder.file("dangling")) ==
          folder.file("dangling") + ": is a symbolic link that can't be followed: No such file or directory");
}

TEST_CASE("safetensors: a name without a folder is written here, and the longest name works") {
    const Folder folder;
    const fs::path here = fs::current_path();
    fs::current_path(folder.file(""));
    const std::string longest(255, 'n');
    write_tensors(longest, {}, {});
    const bool written = own_metadata(longest).has_value();
    fs::current_path(here);
    CHECK(written);
    CHECK(folder.files().size() == 1);
}

TEST_CASE("safetensors: a duplicate name is an error of the program") {
    const Folder folder;
    const float w = 1;
    const View view{"W", {}, DType::float32, &w};
    CHECK_THROWS_AS(write_tensors(folder.file("a"), {view, view}, {}), std::invalid_argument);
    CHECK_THROWS_AS(write_tensors(folder.file("a"), {{"__metadata__", {}, DType::float32, &w}}, {}),
                    std::invalid_argument);
    CHECK(folder.files().empty());
}
