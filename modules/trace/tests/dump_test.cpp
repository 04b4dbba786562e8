// What byhand/dump.h writes, as byhand reads it.
#include "byhand/dump.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/narrow.h"
#include "base/temporary_folder.h"
#include "checks/files/tensor_source.h"

using namespace byhand;

namespace {

std::vector<double> numbers(const TensorSource& source) {
    const StoredTensor tensor = read(source);
    const View view{tensor.name, tensor.shape, tensor.dtype, tensor.bytes.data()};
    std::vector<double> all;
    for (std::size_t i = 0; i < count(tensor.shape); ++i) {
        all.push_back(value_at(view, i));
    }
    return all;
}

}  // namespace

TEST_CASE("dump.h: arrays of every type, appended one after the other, are read as they are") {
    const temporary::Folder folder;
    const std::string path = folder.file("a.npz");
    const std::vector<float> floats = {0.5F, -2, 3e-40F, 4, 5, 6};
    const std::vector<double> doubles = {0.1, 1e300};
    const std::vector<std::int64_t> whole = {-1, std::int64_t{1} << 40, 3};
    const std::vector<std::uint8_t> bytes = {0, 1, 255};
    const std::vector<std::uint16_t> halves = {float16_of(0.5), float16_of(-65504)},
                                     brains = {bfloat16_of(0.5), bfloat16_of(3e38)};
    const std::size_t two_three[] = {2, 3}, two[] = {2}, three[] = {3}, none[] = {0, 7};
    CHECK(byhand_dump(path.c_str(), "h", floats.data(), BYHAND_F32, 2, two_three) == 0);
    CHECK(open_tensors(path).tensors.size() == 1);  // whole after each call
    CHECK(byhand_dump(path.c_str(), "d", doubles.data(), BYHAND_F64, 1, two) == 0);
    CHECK(byhand_dump(path.c_str(), "ids", whole.data(), BYHAND_I64, 1, three) == 0);
    CHECK(byhand_dump(path.c_str(), "mask", bytes.data(), BYHAND_U8, 1, three) == 0);
    CHECK(byhand_dump(path.c_str(), "half", halves.data(), BYHAND_F16, 1, two) == 0);
    CHECK(byhand_dump(path.c_str(), "brain", brains.data(), BYHAND_BF16, 1, two) == 0);
    CHECK(byhand_dump(path.c_str(), "loss", floats.data(), BYHAND_F32, 0, nullptr) == 0);
    CHECK(byhand_dump(path.c_str(), "none", floats.data(), BYHAND_F32, 2, none) == 0);
    CHECK(byhand_dump(path.c_str(), "h", doubles.data(), BYHAND_F64, 1, two) == 0);

    const std::vector<TensorSource> all = open_tensors(path).tensors;
    REQUIRE(all.size() == 9);
    CHECK(all[0].name == "h");
    CHECK(all[0].shape == Shape{2, 3});
    CHECK(numbers(all[0]) == std::vector<double>(floats.begin(), floats.end()));
    CHECK(numbers(all[1]) == doubles);
    CHECK(numbers(all[2]) == std::vector<double>(whole.begin(), whole.end()));
    CHECK(numbers(all[3]) == std::vector<double>{0, 1, 255});
    CHECK(numbers(all[4]) == std::vector<double>{0.5, -65504});
    CHECK(numbers(all[5]) == std::vector<double>{0.5, of_bfloat16(brains[1])});
    CHECK(all[6].shape.empty());
    CHECK(numbers(all[6]) == std::vector<double>{0.5});
    CHECK(all[7].shape == Shape{0, 7});
    CHECK(numbers(all[7]).empty());
    CHECK(all[8].name == "h.1");

    // Another program's file stays as it is.
    folder.write("theirs.npz", "PK theirs");
    CHECK(byhand_dump(folder.file("theirs.npz").c_str(), "h", floats.data(), BYHAND_F32, 1, two) == 1);
    CHECK(folder.read("theirs.npz") == "PK theirs");
    CHECK(byhand_dump(folder.file("no/such.npz").c_str(), "h", floats.data(), BYHAND_F32, 1, two) == 1);
}
