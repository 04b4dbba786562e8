// The planted mistakes as somebody else would hand them in: the numbers of a spoiled network, in no order, without the
// steps that made them. Held against LibTorch's answers.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "candidates/candidates.h"
#include "harness/drawn.h"
#include "harness/faults/mistakes.h"
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
    const Tensors<float>& state() const { return state_; }

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
    struct Case {
        NetworkConfig config;
        std::size_t rows;  // of 32 −1/n is a float: that says nothing of what it was computed in
    };
    for (const auto& [config, rows] : {Case{notes(), 31}, Case{without_epsilon(), 31}, Case{notes(), 32}}) {
        Ground ground(config, rows, 5);
        const std::unique_ptr<Side> side = ground.right(HandForm::stepwise, DType::float64);
        CHECK(ground.judged(Doubles(*side, "").views()).agree);
        for (const std::string name : {"h", "hprebn", "loss", "dprobs", "dbnvar", "dW1", "db2", "dC"}) {
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

namespace {

using Numbers = std::map<std::string, std::vector<double>>;

// What the right steps make in double of a float network's forward values.
Numbers backward_in_double(const Ground& ground, const Graph& network) {
    Numbers numbers;
    const std::unique_ptr<Side> side = ground.right(HandForm::stepwise);
    for (const View& view : side->views()) {
        for (std::size_t i = 0; i < count(view.shape); ++i) {
            numbers[view.name].push_back(value_at(view, i));
        }
    }
    const Tensors<float>& state = ground.state();
    for (const TensorSpec& spec : state.table()) {
        numbers[spec.name].assign(state[spec.name].begin(), state[spec.name].end());
    }
    const Batch batch = ground.batch();
    for (const Step& step : network.backward) {
        std::vector<double> made(count(step.shape));
        execute(step, made.data(), [&](const std::string& name) -> Operand<double> {
            if (name == "X" || name == "Y") {
                return name == "X" ? batch.X : batch.Y;
            }
            return numbers.at(name).data();
        });
        numbers[step.makes] = std::move(made);
    }
    return numbers;
}

// Some of these numbers as a file has them: as double, or, those of `as_float`, as float.
class Mixed {
public:
    Mixed(const Numbers& numbers, const Graph& network, const StepList& steps, const Names& as_float = {}) {
        append(numbers, network.forward, as_float);
        append(numbers, steps, as_float);
    }
    const std::vector<View>& views() const { return views_; }

private:
    void append(const Numbers& numbers, const StepList& steps, const Names& as_float) {
        for (const Step& step : steps) {
            const std::vector<double>& made = numbers.at(step.makes);
            if (as_float.contains(step.makes)) {
                const auto& floats = floats_.emplace_back(made.begin(), made.end());
                views_.push_back({step.makes, step.shape, DType::float32, floats.data()});
            } else {
                const auto& doubles = doubles_.emplace_back(made);
                views_.push_back({step.makes, step.shape, DType::float64, doubles.data()});
            }
        }
    }

    std::deque<std::vector<float>> floats_;
    std::deque<std::vector<double>> doubles_;
    std::vector<View> views_;
};

}  // namespace

TEST_CASE("given: a float pass's forward values, saved as F32 or F64, and gradients computed from them in double") {
    for (const NetworkConfig& config : {notes(), without_epsilon()}) {
        for (const std::size_t rows : {31, 32}) {
            Ground ground(config, rows, 5);
            const Graph network = stepwise_graph(config, rows);
            Numbers numbers = backward_in_double(ground, network);
            Names forward;
            for (const Step& step : network.forward) {
                forward.insert(step.makes);
            }
            const auto judged = [&](const Names& as_float, const Names& missing = {}) {
                const Mixed mixed(numbers, network, network.backward, as_float);
                std::vector<View> views = mixed.views();
                std::erase_if(views, [&](const View& view) { return missing.contains(view.name); });
                return culprits_of(ground.judged(views));
            };
            INFO(rows << " rows");
            CHECK(judged({}).empty());
            CHECK(judged(forward).empty());
            CHECK(judged({}, forward).empty());
            CHECK(judged({"logits", "h", "dlogits", "dbnraw"}, {"counts", "bnvar"}).empty());
            // The same in other words, of the float values.
            const Numbers kept = numbers;
            for (std::size_t i = 0; i < numbers.at("h").size(); ++i) {
                const auto h = static_cast<float>(numbers["h"][i]);
                numbers["dhpreact"][i] = static_cast<double>(1 - h * h) * numbers["dh"][i];
            }
            for (std::size_t i = 0; i < numbers.at("counts").size(); ++i) {
                numbers["dnorm_logits"][i] = std::exp(numbers["norm_logits"][i]) * numbers["dcounts"][i];
            }
            for (const Names& as_float : {Names{}, forward}) {
                INFO("in other words");
                const Mixed mixed(numbers, network, {}, as_float);
                std::vector<View> views = mixed.views();
                const Mixed gradients(numbers, Graph(), network.backward);
                for (const View& view : gradients.views()) {
                    if (Names{"dh", "dhpreact", "dcounts", "dnorm_logits"}.contains(view.name)) {
                        views.push_back(view);
                    }
                }
                CHECK(culprits_of(ground.judged(views)).empty());
            }
            // A loss computed in double from them does not say that they are in double.
            numbers = kept;
            numbers["loss"][0] *= 1 + 1e-9;
            CHECK(judged({}).empty());
            // A wrong one is wrong, and what reads gradients in double alone is held to double.
            for (const auto& [name, factor] : std::map<std::string, double>{{"dh", 1.001}, {"db2", 1 + 1e-9}}) {
                INFO(name);
                numbers = kept;
                std::ranges::for_each(numbers[name], [by = factor](double& number) { number *= by; });
                CHECK(judged({}).contains(name));
            }
        }
    }
}

TEST_CASE("given: gradients in double of gradients in float are judged in isolation by float's limits, and agree") {
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
        // The same without the values that LibTorch's answer is asked with and does not depend on.
        const auto without_those = [](const std::vector<View>& views) {
            std::vector<View> some = views;
            std::erase_if(some, [](const View& view) {
                return Names{"logit_maxes", "norm_logits", "embcat", "hprebn"}.contains(view.name);
            });
            return some;
        };
        CHECK(culprits_of(ground.judged(without_those(side->views()))) == Names{makes});
        CHECK(culprits_of(ground.judged(without_those(little->views()))) == Names{makes});
        const std::unique_ptr<Side> right = ground.right(HandForm::stepwise);
        CHECK(ground.judged(without_those(right->views())).agree);
        CHECK(std::ranges::count(ground.last().blamed.at(0).alone, makes, &StepAlone::makes) == 1);
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
