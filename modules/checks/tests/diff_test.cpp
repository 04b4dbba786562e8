#include "checks/diff.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "checks/tests/external_file.h"

using namespace byhand;
using byhand::test::File;

namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

Diff diffed(const File& a, const File& b, double limit = 0) {
    return diff("a", a.sources(), "b", b.sources(), {.limit = {.absolute = limit}});
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
    check(File().add<std::int64_t>("x", {1}, {1}), File().add<double>("x", {1}, {1}), "I64 in A, F64 in B");
}

TEST_CASE("diff: two types of floats are compared by their values, in the coarser one's units") {
    const DiffedTensor found = diffed(File().add<float>("x", {3}, {1, 0.1F, 4}),
                                      File().add<double>("x", {3}, {1, 0.1, std::nextafter(4.0, 5.0)}))
                                   .tensors.at(0);
    CHECK(found.verdict == Verdict::mismatch);
    CHECK(found.type == "F32 | F64");
    CHECK(found.ulp == 0U);  // rounded to float, both are the same
    CHECK(found.worst->position == 1);
    CHECK(found.roundings < 1.0);
    CHECK(found.roundings > 0.0);
}

TEST_CASE("diff: the limit is absolute, relative to the largest magnitude in B, or in units of the last place") {
    const std::vector<float> b = {1, -8, 0.25F}, a = {1, -8, 0.375F};
    const auto verdict = [&](const char* limit) {
        return diff("a", File().add("x", {3}, a).sources(), "b", File().add("x", {3}, b).sources(),
                    {.limit = diff_limit(limit)})
            .tensors.at(0)
            .verdict;
    };
    CHECK(verdict("0.125") == Verdict::within);
    CHECK(verdict("0.124") == Verdict::mismatch);
    CHECK(verdict("0.015625rel") == Verdict::within);  // of 8
    CHECK(verdict("0.0156rel") == Verdict::mismatch);
    CHECK(verdict("4194304ulp") == Verdict::within);  // 2^-25 each
    CHECK(verdict("4194303ulp") == Verdict::mismatch);
    CHECK(verdict("0.0625+0.0078125rel") == Verdict::within);
    CHECK(to_string(diff_limit("1e-3+2ulp")) == "0.001+2ulp");
    CHECK(to_string(diff_limit("0")) == "0");
    for (const char* wrong : {"", "x", "-1", "1e301", "nan", "1 ulp", "1ulps", "1+", "+1", "1rel2"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(diff_limit(wrong), InputError);
    }
}

TEST_CASE("diff: figures of a tensor in several pieces are those of the whole") {
    std::vector<float> a(600'001, 2), b = a;
    b[300'000] = 2.5F;
    b[599'999] = -2;
    b[7] = std::nextafter(2.0F, 3.0F);
    const DiffedTensor found = between(a, b, 1);
    CHECK(found.verdict == Verdict::mismatch);
    CHECK(found.difference == 4.0);
    CHECK(found.worst->position == 599'999);
    CHECK(found.relative == 4.0 / 2.5);
    CHECK(found.scale == 2.5);
    REQUIRE(found.cosine);
    CHECK(*found.cosine > 0.99999);
    CHECK(*found.cosine < 1);
    // √(16.25/(600,001·2⁻⁴⁴/12)), apart from one neighbour and two units twice or half as large
    CHECK(std::abs(*found.roundings / 7.5623e4 - 1) < 1e-3);
    b[400'000] = kNan;
    const DiffedTensor other = between(a, b, 10);
    CHECK(other.verdict == Verdict::non_finite);
    CHECK(other.worst->position == 400'000);
    CHECK_FALSE(other.difference);
}

TEST_CASE("diff: names of A stand for others in B, by pairs and by regular expressions") {
    File a, b;
    a.add<float>("h.0.w", {1}, {1}).add<float>("h.11.w", {1}, {2}).add<float>("wte", {1}, {3});
    b.add<float>("block0/w", {1}, {1}).add<float>("block11/w", {1}, {2}).add<float>("tok", {1}, {3});
    const std::vector<Renaming> all = {{"wte", "tok"}, {R"(h\.(\d+)\.w)", "block$1/w"}};
    CHECK(agree(diff("a", a.sources(), "b", b.sources(), {.renamings = all})));
    const auto refused = [&](const std::vector<Renaming>& renamings) {
        CHECK_THROWS_AS(diff("a", a.sources(), "b", b.sources(), {.renamings = renamings}), InputError);
    };
    refused({{"h.(", "x"}});
    refused({{".*", "tok"}});  // three become one
}

TEST_CASE("diff: the order of computation, the first divergence in it, and where differences jump") {
    File a, b;
    a.add<float>("late", {2}, {1, 2}).add<float>("early", {2}, {1, 2}).add<float>("mid", {2}, {1, 2});
    b.add<float>("late", {2}, {1, 3})
        .add<float>("early", {2}, {std::nextafter(1.0F, 2.0F), 2})
        .add<float>("mid", {2}, {1.5F, 2});
    const Diff found =
        diff("a", a.sources(), "b", b.sources(), {.limit = {.ulp = 2}, .order = {"early", "mid", "nowhere"}});
    CHECK(found.tensors[0].name == "early");
    CHECK(found.tensors[2].name == "late");
    REQUIRE(first_divergence(found) != nullptr);
    CHECK(first_divergence(found)->name == "mid");
    CHECK(first_jump(found).first == &found.tensors[1]);
    CHECK(first_jump(found).second > 1e5);
    CHECK(first_jump(diffed(a, a)).first == nullptr);
}

TEST_CASE("diff: transposed tensors, and proposals where a name or a shape fits only so") {
    File a, b;
    a.add<float>("fc.weight", {2, 3}, {1, 2, 3, 4, 5, 6}).add<float>("W", {2, 3}, {7, 8, 9, 1, 2, 3});
    b.add<float>("kernel", {3, 2}, {1, 4, 2, 5, 3, 6}).add<float>("W", {3, 2}, {7, 1, 8, 2, 9, 3});
    const Diff found = diffed(a, b);
    REQUIRE(found.proposals.size() == 2);
    CHECK(found.proposals[0].of_a == "fc.weight");
    CHECK(found.proposals[0].of_b == "kernel");
    CHECK(found.proposals[0].transposed);
    CHECK(found.proposals[0].apart == 0.0);
    CHECK(found.proposals[1].of_b == "W");
    const Diff fits =
        diff("a", a.sources(), "b", b.sources(),
             {.renamings = {{"fc.weight", "kernel"}}, .transposes = [](const std::string&) { return true; }});
    CHECK(agree(fits));
    CHECK(fits.proposals.empty());
    // Of three axes the last two.
    File deep, turned;
    deep.add<float>("x", {2, 1, 3}, {1, 2, 3, 4, 5, 6});
    turned.add<float>("x", {2, 3, 1}, {1, 2, 3, 4, 5, 6});
    CHECK(agree(
        diff("a", deep.sources(), "b", turned.sources(), {.transposes = [](const std::string&) { return true; }})));
    // Files of one tensor each are compared whatever it is called.
    CHECK(agree(diffed(File().add<float>("h", {1}, {1}), File().add<float>("h2", {1}, {1}))));
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
