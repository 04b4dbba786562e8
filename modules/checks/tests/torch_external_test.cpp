// The numbers of a right or a spoiled network, in no order, as external values: which are called wrong.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "checks/tests/external_ground.h"

using namespace byhand;
using namespace byhand::given;

namespace {

// What the numbers alone tell otherwise than the steps do that made them.
const std::map<std::string, Names> kToldOtherwise = {
    // dhpreact was written over: what is handed in as dhpreact is not what dh makes, and dbnraw not what it makes.
    {"in-place-before-use", {"dbnraw", "dhpreact"}},
};

}  // namespace

TEST_CASE("external: the right network's numbers agree, all of them, its gradients alone and the parameters' alone") {
    for (const NetworkConfig& config : {notes(), without_epsilon()}) {
        Ground ground(config, 31, 5);
        for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
            const std::unique_ptr<Model> implementation = ground.right(form);
            Names of_parameters;
            for (const TensorSpec& spec : parameters(config)) {
                of_parameters.insert("d" + spec.name);
            }
            for (const auto& given : {implementation->views(), ground.gradients(implementation->views()),
                                      only(implementation->views(), of_parameters)}) {
                INFO(static_cast<int>(form) << ": " << given.size() << " tensors");
                const Summary summary = ground.judged(given);
                CHECK(summary.agree);
                CHECK(culprits_of(summary).empty());
                CHECK(summary.compared == given.size());
            }
        }
    }
}

TEST_CASE("external: dlogits from logits and Y alone is judged in the collapsed form, and a gradient of it by it") {
    Ground ground(notes(), 31, 5);
    const std::unique_ptr<Model> implementation = ground.right(HandForm::stepwise);
    for (const std::string wrong : {"", "dlogits", "db2"}) {
        Tensors<float> values({{"logits", {31, 11}}, {"dlogits", {31, 11}}, {"db2", {11}}});
        for (const TensorSpec& spec : values.table()) {
            const std::vector<View> views = implementation->views();
            const View& view = *find(views, spec.name);
            for (std::size_t i = 0; i < count(spec.shape); ++i) {
                const bool off = spec.name == wrong || (spec.name == "db2" && wrong == "dlogits");  // db2 is of dlogits
                values[spec.name][i] = static_cast<float>(value_at(view, i)) * (off ? 1.001F : 1);
            }
        }
        INFO("wrong: " << wrong);
        const Summary summary = ground.judged(values.views());
        CHECK(culprits_of(summary) == (wrong.empty() ? Names{} : Names{wrong}));
        const ModelReport& report = ground.last().models.at(0);
        const auto dlogits = std::ranges::find(report.values, "dlogits", &ValueReport::name);
        REQUIRE(dlogits != report.values.end());
        REQUIRE(dlogits->isolated.has_value());
        CHECK(Names(dlogits->reads.begin(), dlogits->reads.end()) == Names{"Y", "logits"});
        CHECK(std::ranges::count(report.at(report.isolated), "db2", &ValueReport::name) == 1);
    }
}

TEST_CASE("external: a gradient that is wrong end to end, with nothing to judge it by, has no culprit, and disagrees") {
    Ground ground(notes(), 31, 5);
    const std::unique_ptr<Model> implementation = ground.right(HandForm::stepwise);
    Tensors<float> dC({{"dC", {11, 3}}});
    const std::vector<View> views = implementation->views();
    for (std::size_t i = 0; i < 33; ++i) {
        dC["dC"][i] = 2 * static_cast<float>(value_at(*find(views, "dC"), i));
    }
    const Summary summary = ground.judged(dC.views());
    CHECK_FALSE(summary.agree);
    CHECK(summary.first_divergence == "dC");
    CHECK(summary.culprits.empty());
    CHECK(summary.compared == 1);
    CHECK(ground.last().models.at(0).isolated.empty());
    const std::vector<std::string>& missing = ground.last().models.at(0).missing;
    REQUIRE(missing.size() == 19);
    CHECK(missing[0] == "demb");
    CHECK(missing[1] == "dembcat");
    CHECK(std::ranges::count(missing, "dlogprobs") == 1);
}

TEST_CASE("external: a wrong gradient that is zero in exact arithmetic is to blame, where all that it reads is given") {
    Ground ground(notes(), 31, 5);
    struct Case {
        std::string makes, reads;
    };
    // Sums whose terms cancel: the result is rounding, the terms are not.
    for (const auto& [makes, reads] : {Case{"db1", "dhpreact"}, Case{"dlogit_maxes", "dcounts"}}) {
        INFO(makes << " by " << reads);
        const std::unique_ptr<Model> implementation =
            ground.changed(makes, [&](Step& step) { step.reads.front() = reads; });
        const Summary summary = ground.judged(implementation->views());
        CHECK_FALSE(summary.agree);
        CHECK(culprits_of(summary) == Names{makes});
        // The same where it is off by no more than a twentieth of one term.
        const std::unique_ptr<Model> little = ground.changed(makes, [](Step& step) {
            step.in_float.run = [right = step.in_float.run, elements = count(step.shape)](float* out,
                                                                                          Reads<float> read) {
                right(out, read);
                const float term = *numbers(read, 0);
                std::for_each_n(out, elements, [term](float& element) { element += 0.05F * term; });
            };
        });
        CHECK(culprits_of(ground.judged(little->views())) == Names{makes});
        // The same without the inputs on which the reference's result does not depend.
        const auto without_those = [](const std::vector<View>& views) {
            std::vector<View> some = views;
            std::erase_if(some, [](const View& view) {
                return Names{"logit_maxes", "norm_logits", "embcat", "hprebn"}.contains(view.name);
            });
            return some;
        };
        CHECK(culprits_of(ground.judged(without_those(implementation->views()))) == Names{makes});
        CHECK(culprits_of(ground.judged(without_those(little->views()))) == Names{makes});
        const std::unique_ptr<Model> right = ground.right(HandForm::stepwise);
        CHECK(ground.judged(without_those(right->views())).agree);
        const ModelReport& report = ground.last().models.at(0);
        CHECK(std::ranges::count(report.at(report.isolated), makes, &ValueReport::name) == 1);
    }
}

TEST_CASE("external: every planted mistake in a gradient is caught, and rightly blamed") {
    std::size_t planted = 0;
    for (const NetworkConfig& config : {notes(), without_epsilon()}) {
        Ground ground(config, 31, 5);
        ground.go_by_what_is_caught_of_given();
        const std::unique_ptr<Model> right = ground.right(HandForm::stepwise);
        for (const Mistake& mistake : mistakes()) {
            const Ground::Handed handed = ground.spoiled(mistake);
            const bool only_gradients =
                std::ranges::all_of(handed.culprits, [&](const std::string& name) { return ground.is_gradient(name); });
            if (handed.culprits.empty() || !only_gradients) {
                continue;
            }
            const std::vector<View> views = handed.implementation->views(), right_views = right->views();
            const auto makes_the_same = [&](const std::string& name) {
                const View* made = find(views, name);
                return made != nullptr && largest_difference(*made, *find(right_views, name)) == 0;
            };
            if (std::ranges::all_of(handed.culprits, makes_the_same)) {
                continue;  // it shows only on other data
            }
            ++planted;
            INFO(mistake.name);
            const Summary summary = ground.judged(handed.implementation->views());
            CHECK_FALSE(summary.agree);
            const auto otherwise = kToldOtherwise.find(mistake.name);
            const Names& blamed = otherwise != kToldOtherwise.end() ? otherwise->second : handed.culprits;
            CHECK(culprits_of(summary) == blamed);
            // The same where forward values are the reference's.
            const Summary by_gradients = ground.judged(ground.gradients(handed.implementation->views()));
            CHECK_FALSE(by_gradients.agree);
            CHECK(culprits_of(by_gradients) == blamed);
        }
    }
    CHECK(planted > 80);
}

TEST_CASE("external: with an optimizer, intermediate results that are not given are derived from the others") {
    for (const OptimizerKind kind : {OptimizerKind::sgd, OptimizerKind::adamw}) {
        const bool adamw = kind == OptimizerKind::adamw;
        NetworkConfig config = notes();
        config.optimizer.kind = kind;
        config.optimizer.weight_decay = 0.01;
        config.optimizer.momentum = adamw ? 0 : 0.9;
        Ground ground(config, 31, 5);
        const Names derived =
            adamw ? Names{"new_mhat_W1", "new_vhat_W1", "new_correction1", "new_correction2"} : Names{"new_l2grad_W1"};
        const Names kept = adamw ? Names{"new_exp_avg_W1", "new_exp_avg_sq_W1"} : Names{"new_momentum_W1"};
        Names given = kept;
        given.insert({"dW1", "new_W1"});
        const auto judged_without = [&](const Model& implementation, const Names& left_out) {
            Names some;
            std::ranges::set_difference(given, left_out, std::inserter(some, some.end()));
            return ground.judged(only(implementation.views(), some));
        };
        const std::unique_ptr<Model> right = ground.right(HandForm::stepwise);
        CHECK(judged_without(*right, {}).agree);
        const ModelReport& report = ground.last().models.at(0);
        for (const std::string& name : kept) {
            CHECK(std::ranges::count(report.at(report.isolated), name, &ValueReport::name) == 1);
        }
        CHECK(std::ranges::count(report.at(report.isolated), "new_W1", &ValueReport::name) == 1);

        const auto doubled = [](Step& step) {
            step.in_float.run = [run = step.in_float.run, n = count(step.shape)](float* out, Reads<float> reads) {
                run(out, reads);
                std::for_each_n(out, n, [](float& x) { x *= 2; });
            };
        };
        for (const std::string& name : Names{*kept.begin(), "new_W1"}) {
            INFO(name);
            const std::unique_ptr<Model> wrong = ground.changed(name, doubled);
            CHECK(culprits_of(judged_without(*wrong, {})) == Names{name});
        }
        // A wrong buffer beside the parameter that the right one makes.
        const std::unique_ptr<Model> wrong = ground.changed(*kept.begin(), doubled);
        std::vector<View> views = only(right->views(), given);
        const std::vector<View> wrong_views = wrong->views();
        *std::ranges::find(views, *kept.begin(), &View::name) = *find(wrong_views, *kept.begin());
        CHECK(culprits_of(ground.judged(views)) == Names{*kept.begin()});
        // A wrong intermediate result is in what follows from it, unless it is given.
        const std::unique_ptr<Model> between = ground.changed(*derived.begin(), doubled);
        if (adamw) {
            CHECK(culprits_of(judged_without(*between, {})) == Names{"new_W1"});
            const ValueReport& blamed = *ground.last().models.at(0).at(ground.last().models.at(0).culprits).begin();
            CHECK(blamed.evidence()->hint.starts_with("new_mhat_W1, new_vhat_W1 are derived"));
        }
        Names with_them = given;
        with_them.insert(derived.begin(), derived.end());
        CHECK(culprits_of(ground.judged(only(between->views(), with_them))) == Names{*derived.begin()});
        // What can be derived is not asked for.
        judged_without(*ground.changed("new_W1", doubled), Names{kept.begin(), kept.end()});
        const std::vector<std::string>& missing = ground.last().models.at(0).missing;
        CHECK(Names(missing.begin(), missing.end()) == kept);
    }
}

TEST_CASE("external: of the parameters' gradients alone, the planted mistake that makes the same is named") {
    Ground ground(notes(), 31, 5);
    const std::unique_ptr<Model> right = ground.right(HandForm::stepwise);
    const std::vector<View> right_views = right->views();
    std::size_t planted = 0, named = 0;
    std::string not_named;
    for (const Mistake& mistake : mistakes()) {
        const Ground::Handed handed = ground.spoiled(mistake);
        const std::vector<View> views = handed.implementation->views();
        const std::vector<View> given = only(views, {"dW1", "dC", "db2"});
        if (handed.culprits.empty() || ground.judged(given).agree) {
            continue;
        }
        INFO(mistake.name);
        ++planted;
        const Mistake* const found = ground.last().models.at(0).mistake;
        named += found == nullptr ? 0 : 1;
        if (found == nullptr) {
            not_named += mistake.name + " ";
            continue;
        }
        const Ground::Handed same = ground.spoiled(*found);
        const std::vector<View> same_views = same.implementation->views();
        for (const View& view : given) {
            const double error = largest_difference(view, *find(right_views, view.name));
            CHECK(largest_difference(view, *find(same_views, view.name)) <= 0.05 * error + 1e-8);
        }
    }
    INFO("not named: " << not_named);
    CHECK(planted > 50);
    CHECK(named >= planted - 7);  // the others leave elements unwritten, or are of the order of steps
    // Where nothing is off none is looked for; and of numbers that no mistake makes none is named.
    CHECK(ground.judged(right_views).agree);
    CHECK(ground.last().models.at(0).mistake == nullptr);
    Tensors<float> dC({{"dC", {11, 3}}});
    for (std::size_t i = 0; i < 33; ++i) {
        dC["dC"][i] = 1.37F * static_cast<float>(value_at(*find(right_views, "dC"), i));
    }
    CHECK_FALSE(ground.judged(dC.views()).agree);
    CHECK(ground.last().models.at(0).mistake == nullptr);
}
