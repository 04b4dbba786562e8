#include "harness/blame.h"

#include <catch2/catch_test_macros.hpp>

#include "harness/hand_made.h"

using namespace byhand;

namespace {

using Names = std::vector<std::string>;

void nothing(float* /*y*/, const float* /*x*/) {}
void nothing2(float* /*y*/, const float* /*a*/, const float* /*b*/) {}

// a ← C;  b ← a;  c ← a;  d ← b, c;  and backward dd ← d;  db ← dd, b;  da ← db
Graph diamond() {
    Graph net = test::empty_network();
    add(net.forward, "a", {}, {"C"}, "make_a", nothing);
    add(net.forward, "b", {}, {"a"}, "make_b", nothing);
    add(net.forward, "c", {}, {"a"}, "make_c", nothing);
    add(net.forward, "d", {}, {"b", "c"}, "make_d", nothing2);
    add(net.backward, "dd", {}, {"d"}, "make_dd", nothing);
    add(net.backward, "db", {}, {"dd", "b"}, "make_db", nothing2);
    add(net.backward, "da", {}, {"db"}, "make_da", nothing);
    return net;
}

Names names(const std::vector<Culprit>& culprits) {
    Names all;
    for (const Culprit& culprit : culprits) {
        all.push_back(culprit.name);
    }
    return all;
}

Trial trial(Verdict verdict) {
    Trial t;
    t.verdict = verdict;
    return t;
}

IsolatedStep alone(const std::string& makes, Verdict real, Verdict probe) {
    return {makes, "make_" + makes, {}, trial(real), trial(probe), trial(real), trial(probe)};
}

std::vector<Culprit> culprits(const Names& of) {
    std::vector<Culprit> all;
    for (const std::string& name : of) {
        all.push_back({name, "", "", {}, false});
    }
    return all;
}

std::string from(const std::vector<Victim>& victims, const std::string& name) {
    for (const Victim& victim : victims) {
        if (victim.name == name) {
            return victim.from;
        }
    }
    return "no victim";
}

}  // namespace

TEST_CASE("blame: right lists have no faults") {
    CHECK(list_faults(diamond(), diamond()).empty());
}

TEST_CASE("blame: a step that runs too early, in its list or across lists") {
    Graph early = diamond();
    std::swap(early.forward[1], early.forward[3]);  // a d c b
    const std::vector<Culprit> faults = list_faults(early, diamond());
    REQUIRE(!faults.empty());
    CHECK(faults[0].name == "d");
    CHECK(faults[0].function == "make_d");
    CHECK(faults[0].why == "runs before b, which it reads, is made");
    CHECK_FALSE(faults[0].trial);
    // Two of what it reads are not there yet; it is one culprit.
    CHECK(names(find_culprits(faults, {})) == Names{"d"});

    Graph across = diamond();
    across.forward.insert(across.forward.begin(), across.backward[0]);
    across.backward.erase(across.backward.begin());
    CHECK(names(list_faults(across, diamond())) == Names{"dd"});
}

TEST_CASE("blame: a step that is missing, and those that read what it would have made") {
    Graph without = diamond();
    without.backward.erase(without.backward.begin() + 1);  // db
    const std::vector<Culprit> faults = list_faults(without, diamond());
    CHECK(names(faults) == Names{"da", "db"});
    CHECK(faults[1].why == "no step makes it");
    CHECK(faults[1].function == "make_db");
}

TEST_CASE("blame: culprits are the faults and what is wrong in isolation, each once, with where it shows") {
    using enum Verdict;
    const std::vector<IsolatedStep> steps = {alone("a", exact, within),       alone("b", mismatch, mismatch),
                                          alone("c", within, mismatch),    alone("d", vacuous, out_of_range),
                                          alone("dd", unwritten, within),  alone("db", non_finite, exact),
                                          alone("da", out_of_range, shape)};
    const std::vector<Culprit> found = find_culprits({}, steps);
    CHECK(names(found) == Names{"b", "c", "dd", "db", "da"});
    CHECK(found[0].why == "on this batch's values");
    CHECK(found[0].trial);
    CHECK_FALSE(found[0].without_effect);
    CHECK(found[1].why == "on random values");
    CHECK(found[1].without_effect);
    CHECK(found[4].without_effect);

    IsolatedStep in_double = alone("a", exact, within);
    in_double.real_double.verdict = mismatch;
    CHECK(find_culprits({}, {in_double})[0].why == "in double, on this batch's values");
    in_double.real_double.verdict = exact;
    in_double.probe_double.verdict = mismatch;
    CHECK(find_culprits({}, {in_double})[0].why == "in double, on random values");

    IsolatedStep noted = alone("a", mismatch, within);
    noted.real.note = "overwrites x, which it reads";
    CHECK(find_culprits({}, {noted})[0].why == "overwrites x, which it reads");

    const std::vector<Culprit> known = {{"b", "make_b", "no step makes it", {}, false}};
    const std::vector<Culprit> both = find_culprits(known, steps);
    CHECK(names(both) == Names{"b", "c", "dd", "db", "da"});
    CHECK(both[0].why == "no step makes it");
}

TEST_CASE("blame: victims inherit from the nearest culprit, and from none where none leads there") {
    const Graph net = diamond();
    const auto of = [&](const Names& guilty, const Names& failing) {
        return find_victims(net, culprits(guilty), failing);
    };
    const auto one = of({"a"}, {"a", "b", "d", "dd"});
    CHECK(from(one, "a") == "no victim");
    CHECK(from(one, "b") == "a");
    CHECK(from(one, "d") == "a");
    CHECK(from(one, "dd") == "a");
    // Two lead there: the nearer.
    const auto two = of({"a", "c"}, {"d", "b", "dd"});
    CHECK(from(two, "d") == "c");
    CHECK(from(two, "dd") == "c");
    CHECK(from(two, "b") == "a");
    const auto backward = of({"a", "dd"}, {"da", "db"});
    CHECK(from(backward, "db") == "dd");
    CHECK(from(backward, "da") == "dd");
    // b does not come from c, nor does anything from da.
    CHECK(from(of({"c"}, {"b"}), "b").empty());
    CHECK(from(of({"da"}, {"d"}), "d").empty());
    CHECK(from(of({}, {"d"}), "d").empty());
    CHECK(of({"a"}, {}).empty());
}

TEST_CASE("blame: what is off in the chain itself hands it on, rather than a nearer culprit that is not") {
    const Graph net = diamond();
    const auto inherits = [&](const std::vector<Culprit>& guilty, const Names& failing) {
        return from(find_victims(net, guilty, failing), "d");
    };
    CHECK(inherits(culprits({"a", "c"}), {"a", "d"}) == "a");
    CHECK(inherits(culprits({"a", "c"}), {"a", "c", "d"}) == "c");
    CHECK(inherits(culprits({"a", "c"}), {"d"}) == "c");  // neither is
    // It is not off itself, but puts off what it reads.
    std::vector<Culprit> overwriting = culprits({"a", "b"});
    overwriting[1].trial = trial(Verdict::mismatch);
    overwriting[1].trial->overwrites = "c";
    CHECK(inherits(overwriting, {"a", "d"}) == "b");
}

TEST_CASE("blame: nearest is by the number of steps between, on whichever way") {
    for (const bool mirrored : {false, true}) {
        Graph net = test::empty_network();
        add(net.forward, "near", {}, {"C"}, "", nothing);
        add(net.forward, "far", {}, {"C"}, "", nothing);
        add(net.forward, "short", {}, {"near"}, "", nothing);
        add(net.forward, "between", {}, {"far"}, "", nothing);
        add(net.forward, "long", {}, {"between"}, "", nothing);
        const Names reads = mirrored ? Names{"long", "short"} : Names{"short", "long"};
        add(net.forward, "victim", {}, reads, "", nothing2);
        CHECK(from(find_victims(net, culprits({"near", "far"}), {"victim"}), "victim") == "near");
    }
}
