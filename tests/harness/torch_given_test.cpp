// The planted mistakes as somebody else would hand them in: the numbers of a spoiled network, in no order, without the
// steps that made them. Held against LibTorch's answers.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "candidates/candidates.h"
#include "harness/drawn.h"
#include "harness/mistakes.h"
#include "harness/report.h"
#include "manual/models.h"
#include "manual/networks.h"
#include "manual/stepwise.h"
#include "torch_ref/load.h"

using namespace byhand;

namespace {

using Names = std::set<std::string>;
constexpr float kRate = 0.1F;

// The network of the recipe notes or makemore-bn in odd sizes, drawn values, two batches.
class Ground {
public:
    Ground(const NetworkConfig& config, std::size_t rows, std::uint64_t seed)
        : config_(config),
          rows_(rows),
          state_(drawn_state(config, seed)),
          reference_(reference_of(torch_ref::load(), config, rows, seed)),
          before_(networks::make(config, rows, static_cast<unsigned>(seed))),
          now_(networks::make(config, rows, static_cast<unsigned>(seed) + 1)),
          catches_(catches_of(config, rows, reference_, state_, now_.batch(), kRate)) {}

    // Null where the mistake has no place here.
    struct Handed {
        Names culprits;  // as the mistake names them
        std::unique_ptr<Side> side;
    };
    Handed spoiled(const Mistake& mistake) const {
        Graph network = stepwise_graph(config_, rows_);
        const std::vector<std::string> culprits = mistake.plant(network, catches_);
        Handed handed{{culprits.begin(), culprits.end()}, make_step_side(std::move(network))};
        // Some mistakes keep what the step before this one left.
        for (const networks::Example* example : {&before_, &now_}) {
            handed.side->load(state_);
            handed.side->run(example->batch(), kRate);
        }
        return handed;
    }

    // What is said of these numbers.
    Summary judged(const std::vector<View>& given) {
        std::vector<Candidate> candidates;
        candidates.push_back(
            candidate_of(std::make_unique<GivenSide>(fit_to(stepwise_graph(config_, rows_), given), "given"), config_,
                         rows_, reference_));
        const Schedule schedule{.batch = [&](std::size_t) { return now_.batch(); },
                                .rate = [](std::size_t) { return kRate; }};
        Summary summary;
        reference_.chain.memo = &memo_;
        reference_.collapsed_chain.memo = &collapsed_memo_;
        run_comparison(config_, state_, schedule, candidates, reference_.sides, reference_.chain,
                       [&](const ComparedStep& step) {
                           add(summary, step);
                           last_ = step;
                       });
        return summary;
    }
    const ComparedStep& last() const { return last_; }
    Batch batch() const { return now_.batch(); }

    // From now on a mistake that goes by what is said to be caught goes by what is said of given numbers, of gradients
    // alone: somebody else's words are held to more than ours.
    void go_by_what_is_caught_of_given() {
        const std::unique_ptr<Side> side = right(HandForm::stepwise);
        std::vector<View> gradients = side->views();
        std::erase_if(gradients, [this](const View& view) { return !is_gradient(view.name); });
        judged(gradients);
        for (const StepAlone& step : last_.blamed.at(0).alone) {
            catches_[step.makes] = step.real.catches;
        }
    }

    // What a network makes with one step changed.
    std::unique_ptr<Side> changed(const std::string& makes, const std::function<void(Step&)>& change) const {
        Graph network = stepwise_graph(config_, rows_);
        change(*std::ranges::find(network.backward, makes, &Step::makes));
        std::unique_ptr<Side> side = make_step_side(std::move(network));
        side->load(state_);
        side->run(now_.batch(), kRate);
        return side;
    }

    // The values of a right network of that form, as it keeps them.
    std::unique_ptr<Side> right(HandForm form, DType dtype = DType::float32) const {
        std::unique_ptr<Side> side = make_hand_side(form, config_, rows_, dtype);
        side->load(state_);
        side->run(now_.batch(), kRate);
        return side;
    }

    bool is_gradient(const std::string& name) const {
        const StepList backward = stepwise_graph(config_, rows_).backward;
        return std::ranges::find(backward, name, &Step::makes) != backward.end();
    }

private:
    NetworkConfig config_;
    std::size_t rows_;
    Tensors<float> state_;
    Reference reference_;
    networks::Example before_, now_;
    Catches catches_;
    Memo memo_, collapsed_memo_;
    ComparedStep last_;
};

NetworkConfig notes() {
    NetworkConfig config = networks::small({37}, 11);
    config.embedding = 3;
    return config;
}

NetworkConfig without_epsilon() {
    NetworkConfig config = notes();
    config.hidden_bias = false;
    config.norm.running_spread = RunningSpread::deviation;
    config.norm.epsilon = 0;
    return config;
}

Names culprits_of(const Summary& summary) {
    Names names;
    for (const Culprit& culprit : summary.culprits) {
        names.insert(culprit.name);
    }
    return names;
}

std::vector<View> only(const std::vector<View>& views, const Names& names) {
    std::vector<View> some;
    std::ranges::copy_if(views, std::back_inserter(some), [&](const View& v) { return names.contains(v.name); });
    return some;
}

// What the numbers alone tell otherwise than the steps do that made them.
const std::map<std::string, Names> kToldOtherwise = {
    // dhpreact was written over: what is handed in as dhpreact is not what dh makes, and dbnraw not what it makes.
    {"in-place-before-use", {"dbnraw", "dhpreact"}},
};

}  // namespace

TEST_CASE("given: the right network's numbers agree, all of them, its gradients alone and the parameters' alone") {
    for (const NetworkConfig& config : {notes(), without_epsilon()}) {
        Ground ground(config, 31, 5);
        for (const HandForm form : {HandForm::stepwise, HandForm::collapsed, HandForm::fused}) {
            const std::unique_ptr<Side> side = ground.right(form);
            Names gradients, of_parameters;
            for (const View& view : side->views()) {
                if (ground.is_gradient(view.name)) {
                    gradients.insert(view.name);
                }
            }
            for (const TensorSpec& spec : parameters(config)) {
                of_parameters.insert("d" + spec.name);
            }
            for (const auto& given :
                 {side->views(), only(side->views(), gradients), only(side->views(), of_parameters)}) {
                INFO(static_cast<int>(form) << ": " << given.size() << " tensors");
                const Summary summary = ground.judged(given);
                CHECK(summary.agree);
                CHECK(culprits_of(summary).empty());
                CHECK(summary.compared == given.size());
            }
        }
    }
}

TEST_CASE("given: dlogits from logits and Y alone is judged in the collapsed form, and a gradient of it by it") {
    Ground ground(notes(), 31, 5);
    const std::unique_ptr<Side> side = ground.right(HandForm::stepwise);
    for (const std::string wrong : {"", "dlogits", "db2"}) {
        Tensors<float> values({{"logits", {31, 11}}, {"dlogits", {31, 11}}, {"db2", {11}}});
        for (const TensorSpec& spec : values.table()) {
            const std::vector<View> views = side->views();
            const View& view = *find(views, spec.name);
            for (std::size_t i = 0; i < count(spec.shape); ++i) {
                const bool off = spec.name == wrong || (spec.name == "db2" && wrong == "dlogits");  // db2 is of dlogits
                values[spec.name][i] = static_cast<float>(value_at(view, i)) * (off ? 1.001F : 1);
            }
        }
        INFO("wrong: " << wrong);
        const Summary summary = ground.judged(values.views());
        CHECK(culprits_of(summary) == (wrong.empty() ? Names{} : Names{wrong}));
        const std::vector<StepAlone>& alone = ground.last().blamed.at(0).alone;
        const auto dlogits = std::ranges::find(alone, "dlogits", &StepAlone::makes);
        REQUIRE(dlogits != alone.end());
        CHECK(Names(dlogits->reads.begin(), dlogits->reads.end()) == Names{"Y", "logits"});
        CHECK(std::ranges::count(alone, "db2", &StepAlone::makes) == 1);
    }
}

TEST_CASE(
    "given: a gradient that is wrong in the chain, with nothing to judge it by, is nobody's fault, and disagreement") {
    Ground ground(notes(), 31, 5);
    const std::unique_ptr<Side> side = ground.right(HandForm::stepwise);
    Tensors<float> dC({{"dC", {11, 3}}});
    const std::vector<View> views = side->views();
    for (std::size_t i = 0; i < 33; ++i) {
        dC["dC"][i] = 2 * static_cast<float>(value_at(*find(views, "dC"), i));
    }
    const Summary summary = ground.judged(dC.views());
    CHECK_FALSE(summary.agree);
    CHECK(summary.first_divergence == "dC");
    CHECK(summary.culprits.empty());
    CHECK(summary.compared == 1);
    CHECK(ground.last().blamed.at(0).alone.empty());
    const std::vector<std::string>& missing = ground.last().blamed.at(0).missing;
    REQUIRE(missing.size() == 19);
    CHECK(missing[0] == "demb");
    CHECK(missing[1] == "dembcat");
    CHECK(std::ranges::count(missing, "dlogprobs") == 1);
}

namespace {

// Every value in double, with one of them off by a billionth. `as_float` is what float keeps of it.
class Doubles {
public:
    Doubles(const Side& side, const std::string& off, bool as_float = false) {
        for (const View& view : side.views()) {
            std::vector<double>& numbers = numbers_.emplace_back();
            for (std::size_t i = 0; i < count(view.shape); ++i) {
                const double number = value_at(view, i) * (view.name == off ? 1 + 1e-9 : 1);
                numbers.push_back(as_float ? static_cast<double>(static_cast<float>(number)) : number);
            }
            views_.push_back({view.name, view.shape, DType::float64, numbers.data()});
        }
    }
    const std::vector<View>& views() const { return views_; }

private:
    std::deque<std::vector<double>> numbers_;
    std::vector<View> views_;
};

}  // namespace

TEST_CASE("given: what was computed in double is judged by double's limits, each step in isolation and in the chain") {
    for (const NetworkConfig& config : {notes(), without_epsilon()}) {
        Ground ground(config, 31, 5);
        const std::unique_ptr<Side> side = ground.right(HandForm::stepwise, DType::float64);
        CHECK(ground.judged(Doubles(*side, "").views()).agree);
        for (const std::string name : {"h", "loss", "dbnvar", "dW1", "db2", "dC"}) {
            INFO(name);
            const Doubles doubles(*side, name);
            const Summary all = ground.judged(doubles.views());
            CHECK_FALSE(all.agree);
            CHECK(all.first_divergence == name);
            CHECK(culprits_of(all).contains(name));
            // Without forward values nothing tells that the forward pass was in double: then the chain has float's.
            Names gradients;
            for (const View& view : doubles.views()) {
                if (ground.is_gradient(view.name)) {
                    gradients.insert(view.name);
                }
            }
            const Summary alone = ground.judged(only(doubles.views(), gradients));
            if (name == "db2" || name == "dC") {  // nothing forward is read
                CHECK(culprits_of(alone).contains(name));
            }
            CHECK(ground.judged(only(doubles.views(), {name})).agree == ground.is_gradient(name));
            // What float rounded is judged as float, whatever it is saved as.
            CHECK(ground.judged(Doubles(*ground.right(HandForm::stepwise), name, true).views()).agree);
        }
    }
}

TEST_CASE(
    "given: gradients in double of forward values in float are judged in isolation by double's limits, and agree") {
    Ground ground(notes(), 31, 5);
    // dC is summed up in double, of floats.
    const std::unique_ptr<Side> side = ground.right(HandForm::stepwise);
    const std::vector<View> floats = side->views();
    const View* demb = find(floats, "demb");
    std::vector<double> dC(11 * 3);
    const Batch batch = ground.batch();
    for (std::size_t place = 0; place < count(demb->shape) / 3; ++place) {
        for (std::size_t e = 0; e < 3; ++e) {
            dC[static_cast<std::size_t>(batch.X[place]) * 3 + e] += value_at(*demb, place * 3 + e);
        }
    }
    std::vector<View> given = floats;
    std::erase_if(given, [](const View& view) { return view.name == "new_C"; });
    *std::ranges::find(given, "dC", &View::name) = {"dC", {11, 3}, DType::float64, dC.data()};
    CHECK(ground.judged(given).agree);
    dC[4] *= 1 + 1e-3;
    CHECK(culprits_of(ground.judged(given)) == Names{"dC"});
}

TEST_CASE("given: a wrong gradient that is zero in exact arithmetic is to blame, where all that it reads is given") {
    Ground ground(notes(), 31, 5);
    struct Case {
        std::string makes, reads;
    };
    // Sums whose terms cancel: the answer is rounding, the terms are not.
    for (const auto& [makes, reads] : {Case{"db1", "dhpreact"}, Case{"dlogit_maxes", "dcounts"}}) {
        INFO(makes << " by " << reads);
        const std::unique_ptr<Side> side = ground.changed(makes, [&](Step& step) { step.reads.front() = reads; });
        const Summary summary = ground.judged(side->views());
        CHECK_FALSE(summary.agree);
        CHECK(culprits_of(summary) == Names{makes});
        // The same where it is off by no more than a twentieth of one term.
        const std::unique_ptr<Side> little = ground.changed(makes, [](Step& step) {
            step.in_float.run = [right = step.in_float.run, elements = count(step.shape)](float* out,
                                                                                          Reads<float> read) {
                right(out, read);
                const float term = *numbers(read, 0);
                std::for_each_n(out, elements, [term](float& element) { element += 0.05F * term; });
            };
        });
        CHECK(culprits_of(ground.judged(little->views())) == Names{makes});
    }
}

TEST_CASE("given: every planted mistake in a gradient is caught, and rightly blamed") {
    std::size_t planted = 0;
    for (const NetworkConfig& config : {notes(), without_epsilon()}) {
        Ground ground(config, 31, 5);
        ground.go_by_what_is_caught_of_given();
        const std::unique_ptr<Side> right = ground.right(HandForm::stepwise);
        for (const Mistake& mistake : mistakes()) {
            const Ground::Handed handed = ground.spoiled(mistake);
            const bool only_gradients =
                std::ranges::all_of(handed.culprits, [&](const std::string& name) { return ground.is_gradient(name); });
            if (handed.culprits.empty() || !only_gradients) {
                continue;
            }
            const std::vector<View> views = handed.side->views(), right_views = right->views();
            const auto makes_the_same = [&](const std::string& name) {
                const View* made = find(views, name);
                return made != nullptr && largest_difference(*made, *find(right_views, name)) == 0;
            };
            if (std::ranges::all_of(handed.culprits, makes_the_same)) {
                continue;  // it shows only on other data
            }
            ++planted;
            INFO(mistake.name);
            Names gradients;
            for (const View& view : handed.side->views()) {
                if (ground.is_gradient(view.name)) {
                    gradients.insert(view.name);
                }
            }
            const Summary summary = ground.judged(handed.side->views());
            CHECK_FALSE(summary.agree);
            const auto otherwise = kToldOtherwise.find(mistake.name);
            const Names& blamed = otherwise != kToldOtherwise.end() ? otherwise->second : handed.culprits;
            CHECK(culprits_of(summary) == blamed);
            // The same where forward values are the reference's.
            const Summary by_gradients = ground.judged(only(handed.side->views(), gradients));
            CHECK_FALSE(by_gradients.agree);
            CHECK(culprits_of(by_gradients) == blamed);
        }
    }
    CHECK(planted > 80);
}
