// Notes 1 and 5: three derivations of batch norm's backward by hand, how exact they are and how fast.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/quantile.h"
#include "lab/experiments.h"
#include "lab/figures.h"
#include "lab/operation.h"
#include "lab/study.h"
#include "manual/batchnorm/chain.h"
#include "manual/batchnorm/formulas.h"
#include "names/random.h"

namespace byhand::lab {
namespace {

// 65,536 × 1,024: ten arrays of it are 2.7 GB.
constexpr std::size_t kMostElements = std::size_t{1} << 26;

struct BackwardOptions {
    std::vector<std::size_t> rows = {8, 128, 2048, 65536};  // the shapes that are timed: all pairs
    std::vector<std::size_t> columns = {16, 100, 256, 1024};
    std::size_t rounds = 51;  // at most, for each shape; fewer if they take longer

    std::vector<OwnOption> own() {
        return {{"--rows", "Numbers of rows to time, each with each number of columns", &rows, 2, kMostElements},
                {"--columns", "Numbers of columns to time", &columns, 1, kMostElements},
                {"--rounds", "Rounds for each shape; fewer if they take long", &rounds, 1, 1'000'000}};
    }
};

// ---- the forms ----

// The chain without its path from the variance to the mean, dbnvar·Σ(−2)·bndiff/D, is measured beside the three forms:
// the differences from a mean add up to 0, but for the rounding of the mean.
enum Form : std::size_t { kLine, kSteps, kChain, kChainWithoutPath };
constexpr std::size_t kForms = 3;  // without the last
constexpr std::array kFormNames = {"one line", "small steps", "chain", "chain without path"};

// From dbnraw, and what the forward pass has made, to dhprebn, each of (n, H).
StepList steps_of(std::size_t form, const NormConfig& norm, std::size_t n, std::size_t H) {
    const Divisor divisor = norm.batch_divisor;
    StepList steps;
    if (form >= kChain) {
        add(steps, "dbnvar", {H}, {"dbnraw", "bndiff", "bnvar"}, BYHAND_FUNCTION(batchnorm_chain_variance_backward), n,
            H, norm.epsilon, norm.epsilon_place);
        add(steps, "dbnmeani", {H}, {"dbnraw", "bndiff", "bnvar_inv", form == kChain ? "dbnvar" : "zero"},
            BYHAND_FUNCTION(batchnorm_chain_mean_backward), n, H, divisor);
        add(steps, "dhprebn", {n, H}, {"dbnraw", "bndiff", "bnvar_inv", "dbnvar", "dbnmeani"},
            BYHAND_FUNCTION(batchnorm_chain_input_backward), n, H, divisor);
        return steps;
    }
    const HandForm by_hand = form == kSteps ? HandForm::stepwise : HandForm::collapsed;
    steps = operation_graph(op::kBatchnorm, norm, n, H, by_hand).backward;
    steps.erase(steps.begin(), std::ranges::find(steps, "dbnraw", &Step::makes) + 1);
    return steps;
}

// dhprebn by each form. T is float, double or Rounded.
template <class T>
std::array<std::vector<T>, kFormNames.size()> gradients(const Tensors<T>& in, const NormConfig& norm) {
    const auto [n, H] = shape_of(in);
    Tensors<T> values = forward_and_backward(operation_graph(op::kBatchnorm, norm, n, H), in);
    values.put({"zero", {H}}, std::vector<T>(H, T{0}));
    std::array<std::vector<T>, kFormNames.size()> dx;
    for (std::size_t form = 0; form < dx.size(); ++form) {
        run(steps_of(form, norm, n, H), values);
        dx[form] = values.copy_of("dhprebn");
    }
    return dx;
}

// ---- data and references ----

// Of two draws in float, the second for the digits that the first does not have.
std::vector<double> normal(TorchGenerator& generator, std::size_t count, double mean, double deviation) {
    constexpr double kBelowFloat = 0x1p-24;
    std::vector<float> z(count), digits(count);
    randn(generator, z);
    randn(generator, digits);
    std::vector<double> values(count);
    std::ranges::transform(z, digits, values.begin(), [=](float high, float low) {
        return mean + deviation * (static_cast<double>(high) + kBelowFloat * static_cast<double>(low));
    });
    return values;
}

// Rows drawn with this mean and deviation, the same for every column.
struct NormData {
    std::size_t rows = 128, columns = 7;
    double mean = 1, deviation = 1;
};
Tensors<double> drawn(const NormData& data, std::uint64_t seed) {
    TorchGenerator generator = torch_seeded(seed);
    const std::size_t count = data.rows * data.columns;
    constexpr double kSpread = 0.25;
    const std::vector<double> x = normal(generator, count, data.mean, data.deviation),
                              dy = normal(generator, count, 0, 1), gain = normal(generator, data.columns, 1, kSpread),
                              bias = normal(generator, data.columns, 0, kSpread);
    return batchnorm_inputs(x, dy, gain, bias);
}

// The one line by the same functions in long double, which steps do not have.
std::vector<long double> in_long_double(const Tensors<double>& in, const NormConfig& norm) {
    using Long = std::vector<long double>;
    const auto [n, H] = shape_of(in);
    const Long x = as<long double>(in.copy_of("hprebn")), dy = as<long double>(in.copy_of("dhpreact")),
               gain = as<long double>(in.copy_of("bngain"));
    Long mean(H), variance(H), inverse(H), difference(n * H), square(n * H), raw(n * H), dx(n * H);
    batchnorm_mean(mean.data(), x.data(), n, H, n);
    batchnorm_difference(difference.data(), x.data(), mean.data(), n, H);
    batchnorm_square(square.data(), difference.data(), n * H);
    batchnorm_variance(variance.data(), square.data(), n, H, n, norm.batch_divisor);
    batchnorm_inverse_deviation(inverse.data(), variance.data(), H, norm.epsilon, norm.epsilon_place);
    batchnorm_normalise(raw.data(), difference.data(), inverse.data(), n, H);
    batchnorm_raw_backward(dx.data(), dy.data(), gain.data(), n, H);
    batchnorm_backward(dx.data(), dx.data(), raw.data(), inverse.data(), variance.data(), n, H, norm.batch_divisor,
                       norm.epsilon, norm.epsilon_place);
    return dx;
}

// LibTorch in double where it is there and the results are in float; else the one line by hand in long double.
template <class T>
std::vector<long double> reference_of(const Tensors<double>& in, const NormConfig& norm, const Setting& setting) {
    if (std::is_same_v<T, double> || setting.torch == nullptr) {
        return in_long_double(in, norm);
    }
    const auto [n, H] = shape_of(in);
    return as<long double>(evaluate(*setting.torch->single_operation(op::kBatchnorm, norm, n, H), "dhprebn", in));
}

// The largest error of each form over the largest |dx|.
template <class T>
std::array<double, kFormNames.size()> errors(const NormData& data, const NormConfig& norm, std::uint64_t seed,
                                             const Setting& setting) {
    const Tensors<T> in(drawn(data, seed));
    const std::vector<long double> expected = reference_of<T>(Tensors<double>(in), norm, setting);
    std::array<double, kFormNames.size()> found{};
    std::ranges::transform(gradients(in, norm), found.begin(), [&](const std::vector<T>& dx) {
        std::vector<long double> off = as<long double>(dx);
        std::ranges::transform(off, expected, off.begin(), std::minus());
        return largest_magnitude(as<double>(off)) / largest_magnitude(as<double>(expected));
    });
    return found;
}

// The three forms in float against the reference, and where that is LibTorch the one line in long double against it,
// each by the limits of rounding.
void add_agreements(std::vector<Agreement>& all, const Tensors<float>& in, const NormConfig& norm,
                    const Setting& setting) {
    const char* divisor = norm.batch_divisor == Divisor::n ? ", n" : ", n − 1";
    const std::vector<double> reference = as<double>(reference_of<float>(Tensors<double>(in), norm, setting));
    const auto dx = gradients(in, norm);
    const auto bounds = gradients(Tensors<Rounded>(in), norm);
    for (std::size_t form = 0; form < kForms; ++form) {
        all.push_back(agreement(std::string(kFormNames[form]) + divisor, dx[form], bounds[form], reference));
    }
    if (setting.torch == nullptr) {
        return;
    }
    // What is off by at most the limits in float is off by 2^29 times less in double.
    constexpr double kFloatToDouble = 0x1p-29;
    const std::vector<long double> exact = in_long_double(Tensors<double>(in), norm);
    std::vector<double> differences, limits;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        differences.push_back(static_cast<double>(exact[i] - static_cast<long double>(reference[i])));
        limits.push_back(bounds[kLine][i].any_order() * kFloatToDouble);
    }
    all.push_back(agreement_within(std::string("long double") + divisor, differences,
                                   std::vector<double>(exact.size(), 0), limits));
}

// ---- accuracy ----

struct Condition {
    const char *key, *title, *varied;
    std::vector<double> values;
    NormData (*data)(double value);
    double epsilon = 1e-5;
};

const std::vector<Condition>& conditions() {
    static const std::vector<Condition> all = {
        {"mean",
         "the mean grows",
         "mean/deviation",
         {1, 10, 1e2, 1e3, 1e4, 1e5, 1e6},
         [](double mean) { return NormData{.mean = mean}; }},
        {"deviation",
         "the deviation shrinks without ε",
         "deviation",
         {1e-4, 1e-8, 1e-12, 1e-14, 1e-16, 1e-20},
         [](double deviation) { return NormData{.mean = 0, .deviation = deviation}; },
         0},
        {"rows", "the batch grows", "rows", {8, 64, 512, 4096, 65536}, [](double rows) {
             return NormData{.rows = static_cast<std::size_t>(rows), .columns = 3};
         }}};
    return all;
}

// The geometric mean of the errors; a result that is not finite counts as an error of 1.
double typical(const std::vector<double>& of_values) {
    double sum = 0;
    for (const double error : of_values) {
        constexpr double kLeast = 1e-30;  // an exact result
        sum += std::log(std::isfinite(error) ? std::max(error, kLeast) : 1);
    }
    return std::exp(sum / static_cast<double>(of_values.size()));
}

template <class T>
void add_accuracy(Document& document, std::vector<Claim>& claims, const Setup& setup) {
    const std::string type = sizeof(T) == sizeof(float) ? "float" : "double";
    for (const Condition& condition : conditions()) {
        Study study{.key = fmt::format("{}_n_{}", condition.key, type),
                    .title = fmt::format("error of dx as {}, {}, divisor n", condition.title, type),
                    .arms = {kFormNames.begin(), kFormNames.end()},
                    .seeds = setup.seeds.size(),
                    .measure = "error over the largest |dx|",
                    .varied = condition.varied,
                    .values = condition.values,
                    .by_factors = true};
        std::vector<std::array<double, kFormNames.size()>> found;
        for (const double value : study.values) {
            for (const std::uint64_t seed : setup.seeds) {
                const NormConfig norm{.batch_divisor = Divisor::n, .epsilon = condition.epsilon};
                found.push_back(errors<T>(condition.data(value), norm, seed, setup.setting));
            }
        }
        study = filled(std::move(study), [&](std::size_t arm, std::size_t value, std::size_t seed) {
            return found[value * setup.seeds.size() + seed][arm];
        });
        add(document, {study});
        claims.push_back(claim_on(study,
                                  {.name = "rounding",
                                   .subject = type,
                                   .sentence = "The one line rounds less than the small steps",
                                   .measure = fmt::format("Error of dx as {}, geometric mean", condition.title),
                                   .brief = condition.varied,
                                   .by_factors = true},
                                  typical));
    }
    for (const double mean : {1.0, 1e6}) {
        Claim claim{.name = "path",
                    .subject = type,
                    .sentence = "The path from the variance to the mean, which is 0, takes off rounding errors",
                    .measure = fmt::format("Error of the chain with it and without, mean/deviation {:g}", mean),
                    .brief = fmt::format("path, {:g}", mean),
                    .by_factors = true,
                    .arms = {"with path", "without"}};
        for (const std::uint64_t seed : setup.seeds) {
            const auto found = errors<T>({.mean = mean}, {.batch_divisor = Divisor::n_minus_1}, seed, setup.setting);
            claim.first.push_back(found[kChain]);
            claim.second.push_back(found[kChainWithoutPath]);
        }
        claims.push_back(std::move(claim));
    }
}

// ---- speed ----

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Seconds of one run of the steps, of so many that it takes some tens of microseconds: far more than a look at the
// clock.
double seconds_of(const std::vector<BoundStep<float>>& steps, std::size_t elements) {
    constexpr std::size_t kLeastElements = 100'000;
    const std::size_t repeats = std::max<std::size_t>(1, kLeastElements / elements);
    const Clock::time_point start = Clock::now();
    for (std::size_t i = 0; i < repeats; ++i) {
        for (const BoundStep<float>& step : steps) {
            step.run();
        }
    }
    return seconds_since(start) / static_cast<double>(repeats);
}

// A ratio of two times of one round, for each round: the 10th, the 50th and the 90th percentile.
using Speedup = std::array<double, 3>;

// Of the one line over the small steps, and over the chain.
std::array<Speedup, 2> time_shape(std::size_t n, std::size_t H, std::size_t rounds) {
    constexpr double kSeconds = 0.2, kPatience = 0.5;  // of a shape; that fewer than three rounds may take
    const NormConfig norm{.batch_divisor = Divisor::n};
    Tensors<float> values({{"hprebn", {n, H}}, {"dhpreact", {n, H}}, {"bngain", {H}}, {"bnbias", {H}}});
    TorchGenerator generator = torch_seeded(1);
    randn(generator, values["hprebn"]);
    randn(generator, values["dhpreact"]);
    std::ranges::fill(values["bngain"], 1);
    std::ranges::fill(values["bnbias"], 0);
    const Graph graph = operation_graph(op::kBatchnorm, norm, n, H, HandForm::collapsed);
    values = forward_and_backward(graph, std::move(values));
    std::array<StepList, kForms> forms;
    std::array<std::vector<BoundStep<float>>, kForms> bound;
    for (std::size_t form = 0; form < kForms; ++form) {
        forms[form] = steps_of(form, norm, n, H);
        bound[form] = lab::bind(forms[form], values);
        seconds_of(bound[form], n * H);  // a warm-up
    }
    std::array<std::vector<double>, 2> ratios;
    const Clock::time_point start = Clock::now();
    for (std::size_t round = 0; round < rounds; ++round) {
        if (const double taken = seconds_since(start); round > 0 && taken >= (round < 3 ? kPatience : kSeconds)) {
            break;
        }
        std::array<double, kForms> seconds{};
        for (std::size_t i = 0; i < kForms; ++i) {
            const std::size_t form = (round + i) % kForms;
            seconds[form] = seconds_of(bound[form], n * H);
        }
        ratios[0].push_back(seconds[kSteps] / seconds[kLine]);
        ratios[1].push_back(seconds[kChain] / seconds[kLine]);
    }
    std::array<Speedup, 2> speedups{};
    for (std::size_t over = 0; over < speedups.size(); ++over) {
        std::ranges::transform(std::array{0.1, 0.5, 0.9}, speedups[over].begin(),
                               [&](double share) { return quantile(ratios[over], share); });
    }
    return speedups;
}

void add_speed(Document& document, const BackwardOptions& options, const Setting& setting) {
    document.blocks.emplace_back(Text{fmt::format(
        "How fast: from dbnraw to dx in float on one thread. In each of at most {} rounds every form runs, in an order "
        "that changes, and a speed-up is a ratio of two times of one round: median, 10th and 90th percentile.",
        options.rounds)});
    std::vector<std::array<Speedup, 2>> found;
    const std::size_t shapes = options.columns.size() * options.rows.size();
    setting.progress(0, shapes);
    for (const std::size_t columns : options.columns) {
        for (const std::size_t rows : options.rows) {
            found.push_back(time_shape(rows, columns, options.rounds));
            setting.progress(found.size(), shapes);
        }
    }
    std::string conclusion;
    for (const auto& [over, name] : {std::pair<std::size_t, const char*>{0, "small steps"}, {1, "chain"}}) {
        Study study{.key = over == 0 ? "speed_steps" : "speed_chain",
                    .title = fmt::format("Speed-up of the one line over the {}", name),
                    .arms = {},
                    .seeds = std::tuple_size_v<Speedup>,
                    .measure = "times as fast",
                    .varied = "rows",
                    .values = as<double>(options.rows),
                    .by_factors = true};
        for (const std::size_t columns : options.columns) {
            study.arms.push_back(fmt::format("{} columns", columns));
        }
        study = filled(std::move(study), [&, over = over](std::size_t arm, std::size_t value, std::size_t percentile) {
            return found[arm * options.rows.size() + value][over][percentile];
        });
        add(document, {std::move(study)});
        conclusion += fmt::format(
            "{}The one line is faster than the {} in {} of {} shapes (10th percentile above 1) and slower in {} (90th "
            "below 1).",
            over == 0 ? "" : " ", name,
            std::ranges::count_if(found, [&, over = over](const auto& one) { return one[over].front() > 1; }), shapes,
            std::ranges::count_if(found, [&, over = over](const auto& one) { return one[over].back() < 1; }));
    }
    document.blocks.emplace_back(as_conclusion(conclusion));
}

void check(const BackwardOptions& options) {
    if (options.rows.empty() || options.columns.empty() || options.rounds == 0) {
        throw InputError("--rows and --columns take a number each at least, and --rounds one above 0");
    }
    for (const std::size_t rows : options.rows) {
        for (const std::size_t columns : options.columns) {
            if (rows < 2) {
                throw InputError(fmt::format("--rows {}: a variance with n − 1 takes 2 rows at least", rows));
            }
            if (columns == 0 || rows > kMostElements / columns) {
                throw InputError(
                    fmt::format("{} rows of {} columns: take 1 column at least and no more than {} elements", rows,
                                columns, kMostElements));
            }
        }
    }
}

Document backward(const BackwardOptions& options, const Setup& setup) {
    check(options);
    const Setting& setting = setup.setting;
    Document document{"lab backward", "notes 1 and 5", "Three ways to batch norm's backward", {}, {}, {}, true};
    document.blocks.emplace_back(Text{fmt::format(
        "The gradient of a batch norm's input, derived three times by hand: whether the three are the same but for "
        "rounding, which of them rounds least and when, and how much time a shorter formula saves. Errors are medians "
        "over {} seeds of the largest over the largest |dx|. The reference is {} for float, and long double by hand "
        "for double.",
        setup.seeds.size(), setting.torch == nullptr ? "long double by hand" : "LibTorch in double")});
    for (const auto& [form, title] : {std::pair{kChain, "The chain, note 1:"},
                                      {kSteps, "The small steps, one value at a time:"},
                                      {kLine, "The one line, note 5:"}}) {
        document.blocks.emplace_back(Text{title});
        document.blocks.emplace_back(formulas_of(steps_of(form, {}, 2, 1)));
    }
    std::vector<Agreement> all;
    for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
        add_agreements(all, Tensors<float>(drawn({}, setup.seeds.front())), {.batch_divisor = divisor}, setting);
    }
    add_agreements(document,
                   setting.torch != nullptr ? "against LibTorch in double: the forms in float, and long double by hand"
                                            : "against the one line in long double: the forms in float",
                   all);
    std::vector<Claim> claims;
    add_accuracy<float>(document, claims, setup);
    add_accuracy<double>(document, claims, setup);
    add(document, claims);
    add_speed(document, options, setting);
    return document;
}

}  // namespace

Experiment backward_experiment() {
    return {.name = "backward",
            .note = "notes 1, 5",
            .about = "Three derivations: how exact, how fast",
            .seeds = 9,
            .prepare = [] { return prepared(backward); }};
}

}  // namespace byhand::lab
