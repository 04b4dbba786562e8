#include "harness/blame/blame.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <optional>

#include "harness/hand_made.h"
#include "harness/results.h"

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

Names names(const std::vector<ListFault>& faults) {
    Names all;
    for (const ListFault& fault : faults) {
        all.push_back(fault.name);
    }
    return all;
}

Names culprits(const ModelReport& report) {
    Names all;
    for (const ValueReport& culprit : report.at(report.culprits)) {
        CHECK(culprit.role.kind == Role::Kind::culprit);
        all.push_back(culprit.name);
    }
    return all;
}

Trial trial(Verdict verdict) {
    Trial t;
    t.verdict = verdict;
    return t;
}

IsolatedStep isolated(const std::string& makes, Verdict real, Verdict probe) {
    IsolatedStep step{makes, "make_" + makes, {}, {}, {trial(real), trial(probe)}};
    step.trials[1].input = TrialInput::random;
    return step;
}

// Compared values, off end to end.
std::vector<ValueReport> off(const Names& names) {
    std::vector<ValueReport> values;
    for (const std::string& name : names) {
        values.emplace_back().name = name;
        values.back().operations.emplace().verdict = Verdict::mismatch;
    }
    return values;
}

// Wrong steps whose values are not compared.
std::vector<ListFault> wrong(const Names& names) {
    std::vector<ListFault> faults;
    for (const std::string& name : names) {
        faults.push_back({name, "", "no step makes it"});
    }
    return faults;
}

const ValueReport& value(const ModelReport& report, const std::string& name) {
    return *std::ranges::find(report.values, name, &ValueReport::name);
}

// What `name` inherits from, "nothing" where it is off and no culprit leads there.
std::string from(const ModelReport& report, const std::string& name) {
    for (const ValueReport& one : report.at(report.downstream)) {
        if (one.name == name) {
            const bool inherits = one.role.kind == Role::Kind::inherited;
            CHECK(inherits == !one.role.from.empty());
            CHECK((inherits || one.role.kind == Role::Kind::unexplained));
            return inherits ? one.role.from : "nothing";
        }
    }
    return "not downstream";
}

}  // namespace

TEST_CASE("blame: right lists have no faults") {
    CHECK(list_faults(diamond(), diamond()).empty());
}

TEST_CASE("blame: a step that runs too early, in its list or across lists") {
    Graph early = diamond();
    std::swap(early.forward[1], early.forward[3]);  // a d c b
    const std::vector<ListFault> faults = list_faults(early, diamond());
    REQUIRE(!faults.empty());
    CHECK(faults[0].name == "d");
    CHECK(faults[0].function == "make_d");
    CHECK(faults[0].why == "runs before b, which it reads, is made");
    // Two of the values that it reads do not exist yet; it is one culprit.
    const ModelReport report = blame("stepwise", {}, {}, faults, early);
    CHECK(culprits(report) == Names{"d"});
    CHECK(value(report, "d").why() == faults[0].why);
    CHECK(value(report, "d").wrong_function() == "make_d");
    CHECK(value(report, "d").evidence() == nullptr);

    Graph across = diamond();
    across.forward.insert(across.forward.begin(), across.backward[0]);
    across.backward.erase(across.backward.begin());
    CHECK(names(list_faults(across, diamond())) == Names{"dd"});
}

TEST_CASE("blame: a step that is missing, and those that read what it would have made") {
    Graph without = diamond();
    without.backward.erase(without.backward.begin() + 1);  // db
    const std::vector<ListFault> faults = list_faults(without, diamond());
    CHECK(names(faults) == Names{"da", "db"});
    CHECK(faults[1].why == "no step makes it");
    CHECK(faults[1].function == "make_db");
}

TEST_CASE("blame: culprits are the faults and what is wrong in isolation, each once, with where it shows") {
    using enum Verdict;
    const std::vector<IsolatedStep> steps = {isolated("a", exact, within),       isolated("b", mismatch, mismatch),
                                             isolated("c", within, mismatch),    isolated("d", vacuous, out_of_range),
                                             isolated("dd", unwritten, within),  isolated("db", non_finite, exact),
                                             isolated("da", out_of_range, shape)};
    // b is off end to end; da and db are compared first, but the steps run in the order above.
    std::vector<ValueReport> compared = off({"da", "db", "b"});
    compared[0].operations->verdict = within;
    const ModelReport found = blame("fused", compared, steps, {}, {});
    CHECK(found.model == "fused");
    CHECK(found.values.size() == steps.size());
    CHECK(found.values[0].name == "da");
    CHECK(culprits(found) == Names{"b", "c", "dd", "db", "da"});
    CHECK(found.isolated.size() == steps.size());
    for (std::size_t i = 0; i < steps.size(); ++i) {
        CHECK(found.values[found.isolated[i]].name == steps[i].makes);
        CHECK(found.values[found.isolated[i]].function == steps[i].function);
    }
    CHECK(value(found, "b").why() == "on this batch");
    CHECK(value(found, "b").evidence() != nullptr);
    CHECK_FALSE(value(found, "b").without_effect());
    CHECK(value(found, "c").why() == "on random values");
    CHECK(value(found, "c").without_effect());
    CHECK(value(found, "dd").without_effect());  // not compared end to end
    CHECK_FALSE(value(found, "db").without_effect());
    CHECK(value(found, "da").without_effect());
    CHECK(value(found, "a").role.kind == Role::Kind::none);
    CHECK_FALSE(value(found, "a").without_effect());

    const auto why = [](const IsolatedStep& step) { return blame("", {}, {step}, {}, {}).values.at(0).why(); };
    IsolatedStep in_double = isolated("a", exact, within);
    in_double.trials.push_back(test::in_double(trial(mismatch), TrialInput::batch));
    CHECK(why(in_double) == "in double, on this batch");
    in_double.trials.back() = test::in_double(trial(mismatch), TrialInput::random);
    CHECK(why(in_double) == "in double, on random values");

    IsolatedStep noted = isolated("a", mismatch, within);
    noted.trials[0].note = "overwrites x, which it reads";
    CHECK(why(noted) == "overwrites x, which it reads");
    std::swap(noted.trials[0].input, noted.trials[1].input);
    CHECK(why(noted) == "overwrites x, which it reads, on random values");

    const ModelReport both = blame("", {}, steps, wrong({"b"}), {});
    CHECK(culprits(both) == Names{"b", "c", "dd", "db", "da"});
    CHECK(value(both, "b").why() == "no step makes it");
    CHECK(value(both, "b").evidence() == nullptr);
}

TEST_CASE("blame: what of an error end to end is not the step's own is inherited") {
    IsolatedStep step = isolated("b", Verdict::within, Verdict::within);
    step.trials[0].error = 0.25;
    const auto inherited = [&](std::optional<double> operations, std::optional<double> module) {
        std::vector<ValueReport> compared = off({"b"});
        compared[0].operations->error = operations;
        if (module) {
            compared[0].module.emplace().error = module;
        }
        return blame("", compared, {step}, {}, {}).values.at(0).inherited_error();
    };
    CHECK(inherited(1, std::nullopt) == 0.75);
    CHECK(inherited(1, 2) == 1.75);
    CHECK(inherited(0.125, std::nullopt) == 0.0);
    CHECK_FALSE(inherited(std::nullopt, std::nullopt).has_value());
    CHECK_FALSE(blame("", {}, {step}, {}, {}).values.at(0).inherited_error().has_value());
}

TEST_CASE("blame: what fails inherits from the nearest culprit, and from none where none leads there") {
    const Graph net = diamond();
    const auto of = [&](const Names& guilty, const Names& failing) {
        return blame("", off(failing), {}, wrong(guilty), net);
    };
    const auto one = of({"a"}, {"a", "b", "d", "dd"});
    CHECK(from(one, "a") == "not downstream");
    CHECK(from(one, "b") == "a");
    CHECK(from(one, "d") == "a");
    CHECK(from(one, "dd") == "a");
    CHECK(to_string(value(one, "a").role) == "culprit");
    CHECK(to_string(value(one, "b").role) == "inherited from a");
    // Two lead there: the nearer.
    const auto two = of({"a", "c"}, {"d", "b", "dd"});
    CHECK(from(two, "d") == "c");
    CHECK(from(two, "dd") == "c");
    CHECK(from(two, "b") == "a");
    const auto backward = of({"a", "dd"}, {"da", "db"});
    CHECK(from(backward, "db") == "dd");
    CHECK(from(backward, "da") == "dd");
    // b does not come from c, nor does anything from da.
    CHECK(from(of({"c"}, {"b"}), "b") == "nothing");
    CHECK(from(of({"da"}, {"d"}), "d") == "nothing");
    CHECK(from(of({}, {"d"}), "d") == "nothing");
    CHECK(to_string(value(of({}, {"d"}), "d").role).empty());
    CHECK(of({"a"}, {}).downstream.empty());
    // What is right, or shows nothing, has no role.
    std::vector<ValueReport> right = off({"b", "d"});
    right[0].operations->verdict = Verdict::vacuous;
    right[1].operations->verdict = Verdict::within;
    CHECK(blame("", right, {}, wrong({"a"}), net).downstream.empty());
    // One of the two comparisons is enough.
    right[1].module.emplace().verdict = Verdict::mismatch;
    CHECK(from(blame("", right, {}, wrong({"a"}), net), "d") == "a");
}

TEST_CASE("blame: what is off end to end itself hands it on, rather than a nearer culprit that is not") {
    const Graph net = diamond();
    const auto inherits = [&](const Names& guilty, const Names& failing) {
        return from(blame("", off(failing), {}, wrong(guilty), net), "d");
    };
    CHECK(inherits({"a", "c"}, {"a", "d"}) == "a");
    CHECK(inherits({"a", "c"}, {"a", "c", "d"}) == "c");
    CHECK(inherits({"a", "c"}, {"d"}) == "c");  // neither is
    // It is not off itself, but puts off what it reads.
    IsolatedStep overwriting = isolated("b", Verdict::mismatch, Verdict::within);
    overwriting.trials[0].overwrites = "c";
    CHECK(from(blame("", off({"a", "d"}), {overwriting}, wrong({"a"}), net), "d") == "b");
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
        add(net.forward, "last", {}, reads, "", nothing2);
        CHECK(from(blame("", off({"last"}), {}, wrong({"near", "far"}), net), "last") == "near");
    }
}
