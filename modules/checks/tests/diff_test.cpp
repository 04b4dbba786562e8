#include "checks/diff.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "checks/tests/external_file.h"

using namespace byhand;
using byhand::test::File;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

Diff diffed(const File& a, const File& b, double limit = 0) {
    return diff("a", a.views(), "b", b.views(), limit);
}

// Of two rows of numbers.
template <class T>
DiffedTensor between(const std::vector<T>& a, const std::vector<T>& b, double limit = 0) {
    return diffed(File().add("x", {a.size()}, a), File().add("x", {b.size()}, b), limit).tensors.at(0);
}

}  // namespace

TEST_CASE("diff: what is the same to the bit agrees, whatever it is") {
    File file;
    file.add<float>("row", {3}, {0.1F, -7, 0})
        .add<float>("scalar", {}, {3.25F})
        .add<float>("empty", {5, 0, 3}, {})
        .add<double>("wide", {1, 2}, {0.1, 1e300})
        .add<std::int64_t>("whole", {2}, {INT64_MIN, INT64_MAX});
    const Diff same = diffed(file, file);
    CHECK(agree(same));
    CHECK(differing(same) == 0);
    REQUIRE(same.tensors.size() == 5);
    for (const DiffedTensor& tensor : same.tensors) {
        CAPTURE(tensor.name);
        CHECK(tensor.verdict == Verdict::exact);
        CHECK(tensor.difference == 0.0);
        CHECK(tensor.ulp == 0U);
        CHECK_FALSE(tensor.worst);
        CHECK(tensor.note.empty());
    }
    CHECK(same.tensors[0].scale == 7.0);
    CHECK(same.tensors[2].shape == Shape{5, 0, 3});
    CHECK(agree(diffed(File(), File())));
}

TEST_CASE("diff: the largest difference, in value and in ULP, and where it stands") {
    // 0.5 is furthest apart in value, 1e-20 in ULP.
    const float half = std::nextafter(std::nextafter(0.5F, 1.0F), 1.0F), least = 2e-20F;
    File a, b;
    a.add<float>("W", {2, 3}, {1, 2, -9, 0.5F, 1e-20F, 6});
    b.add<float>("W", {2, 3}, {1, 2, -9, half, least, 6});
    for (const bool turned : {false, true}) {
        const DiffedTensor found = (turned ? diffed(b, a) : diffed(a, b)).tensors.at(0);
        CHECK(found.verdict == Verdict::mismatch);
        CHECK(found.difference == 0x1p-23);
        CHECK(found.ulp == std::bit_cast<std::uint32_t>(least) - std::bit_cast<std::uint32_t>(1e-20F));
        CHECK(found.scale == 9.0);
        REQUIRE(found.worst);
        CHECK(found.worst->position == 3);
        CHECK(found.worst->ours == (turned ? static_cast<double>(half) : 0.5));
        CHECK(found.worst->reference == (turned ? 0.5 : static_cast<double>(half)));
    }
    CHECK(between<float>({1, -3}, {1, 2}).scale == 3.0);
    CHECK(between<float>({1, 2}, {1, -3}).scale == 3.0);
    const DiffedTensor wide = between<double>({0.1}, {std::nextafter(0.1, 1.0)});
    CHECK(wide.verdict == Verdict::mismatch);
    CHECK(wide.ulp == 1U);
}

TEST_CASE("diff: no more than the limit is agreement") {
    CHECK(between<float>({1, 0.5F}, {1, 0.75F}, 0.25).verdict == Verdict::within);
    CHECK(between<float>({1, 0.5F}, {1, 0.75F}, std::nextafter(0.25, 0.0)).verdict == Verdict::mismatch);
    // One that is wider than the numbers themselves was typed in all the same.
    CHECK(between<float>({1}, {-5}, 1e300).verdict == Verdict::within);
    const DiffedTensor zero = between<float>({0}, {-0.0F});
    CHECK(zero.verdict == Verdict::within);
    CHECK(zero.difference == 0.0);
    CHECK(zero.ulp == 0U);
    CHECK(zero.worst);
    CHECK(between<double>({1e308}, {-1e308}, 1e300).verdict == Verdict::mismatch);
}

TEST_CASE("diff: what is not finite and the same in both is noted") {
    const DiffedTensor same = between<float>({kNan, 2, -kInfinity}, {kNan, 2, -kInfinity});
    CHECK(same.verdict == Verdict::exact);
    CHECK(same.note == "not finite, and the same in both: 2");
    CHECK(same.scale == 2.0);
    const DiffedTensor beside = between<float>({kNan, 2}, {kNan, 2.5F}, 0.5);
    CHECK(beside.verdict == Verdict::within);
    CHECK(beside.note == "not finite, and the same in both: 1");
    const DiffedTensor other = between<float>({kNan, 2}, {kNan, kInfinity}, 1e300);
    CHECK(other.verdict == Verdict::non_finite);
    CHECK(other.worst->position == 1);
    CHECK(other.note.empty());
}

TEST_CASE("diff: another shape or type has no figures, even where the numbers are the same") {
    const auto check = [](const File& a, const File& b, const std::string& note) {
        const DiffedTensor found = diffed(a, b, 1e300).tensors.at(0);
        CHECK(found.verdict == Verdict::shape);
        CHECK(found.note == note);
        CHECK(found.shape == a.views().at(0).shape);
        CHECK_FALSE(found.difference);
        CHECK_FALSE(found.worst);
    };
    check(File().add<float>("x", {2, 3}, {1, 2, 3, 4, 5, 6}), File().add<float>("x", {3, 2}, {1, 2, 3, 4, 5, 6}),
          "(2, 3) in A, (3, 2) in B");
    check(File().add<float>("x", {}, {1}), File().add<float>("x", {1}, {1}), "() in A, (1) in B");
    check(File().add<float>("x", {0, 3}, {}), File().add<float>("x", {0}, {}), "(0, 3) in A, (0) in B");
    check(File().add<float>("x", {1}, {1}), File().add<double>("x", {1}, {1}), "F32 in A, F64 in B");
    check(File().add<std::int64_t>("x", {1}, {1}), File().add<double>("x", {1}, {1}), "I64 in A, F64 in B");
}

TEST_CASE("diff: names of A in their order, then those that only B has") {
    File a, b;
    a.add<float>("z", {1}, {1}).add<float>("only", {3}, {1, 2, 3}).add<float>("b", {1}, {1});
    b.add<float>("new", {2}, {1, 2}).add<float>("b", {1}, {1}).add<float>("z", {1}, {2}).add<float>("last", {}, {1});
    const Diff found = diffed(a, b);
    std::vector<std::string> names;
    names.reserve(found.tensors.size());
    for (const DiffedTensor& tensor : found.tensors) {
        names.push_back(tensor.name);
    }
    CHECK(names == std::vector<std::string>{"z", "only", "b", "new", "last"});
    CHECK(differing(found) == 4);
    CHECK(found.tensors[0].verdict == Verdict::mismatch);
    CHECK(found.tensors[2].verdict == Verdict::exact);
    for (const auto& [at, note] : {std::pair{1, "only in A"}, {3, "only in B"}, {4, "only in B"}}) {
        const DiffedTensor& alone = found.tensors[static_cast<std::size_t>(at)];
        CHECK(alone.verdict == Verdict::missing);
        CHECK(alone.note == note);
        CHECK_FALSE(alone.difference);
    }
    CHECK(found.tensors[1].shape == Shape{3});
    CHECK(found.tensors[3].shape == Shape{2});
    // Nothing of one is no agreement either.
    CHECK(differing(diffed(a, File())) == 3);
    CHECK(differing(diffed(File(), b)) == 4);
}
