// LibTorch's reference operations in isolation, against the formulas in plain loops and their finite differences.
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "torch_ref/near.h"
#include "torch_ref/stepwise.h"

using namespace byhand;

namespace {

using Values = std::vector<double>;

constexpr std::size_t kRows = 7, kColumns = 3;

// No two rows or columns are equal.
struct Inputs {
    Values x, dy;
    Values gain = {0.5, -1.5, 2}, bias = {0.25, 3, -1};
    Values running_mean = {0.5, -2, 1}, running_spread = {1.5, 0.5, 3};
    std::vector<std::int64_t> Y = {2, 0, 1, 1, 0, 2, 2};

    Inputs() {
        for (std::size_t i = 0; i < kRows * kColumns; ++i) {
            const auto at = static_cast<double>(i);
            x.push_back(2 * std::sin(1.7 * at) + 0.1 * at);
            dy.push_back(std::cos(2.3 * at) - 0.05 * at);
        }
    }

    // Under every name that an operation reads.
    std::vector<View> views() const {
        const Shape wide = {kRows, kColumns}, narrow = {kColumns};
        std::vector<View> all = {{"Y", {kRows}, DType::int64, Y.data()}};
        const auto add = [&](const char* name, const Shape& shape, const Values& values) {
            all.push_back({name, shape, DType::float64, values.data()});
        };
        for (const char* name : {"hprebn", "hpreln", "hprerms"}) {
            add(name, wide, x);
        }
        add("logits", wide, x);
        add("dhpreact", wide, dy);
        add("bngain", narrow, gain);
        add("lngain", narrow, gain);
        add("rmsgain", narrow, gain);
        add("bnbias", narrow, bias);
        add("lnbias", narrow, bias);
        add("bnmean_running", narrow, running_mean);
        add("bnvar_running", narrow, running_spread);
        return all;
    }
};

double deviation_of(double variance, const NormConfig& norm) {
    return norm.epsilon_place == EpsilonPlace::inside ? std::sqrt(variance + norm.epsilon)
                                                      : std::sqrt(variance) + norm.epsilon;
}

struct Statistics {
    double mean = 0, squares = 0;
};

// The statistics of `count` values from `from` on, every `step`-th.
Statistics statistics(const Values& x, std::size_t from, std::size_t step, std::size_t count) {
    Statistics made;
    for (std::size_t i = 0; i < count; ++i) {
        made.mean += x[from + i * step] / static_cast<double>(count);
    }
    for (std::size_t i = 0; i < count; ++i) {
        made.squares += std::pow(x[from + i * step] - made.mean, 2);
    }
    return made;
}

double divided_by(Divisor divisor) {
    return divisor == Divisor::n ? kRows : kRows - 1;
}

Values batch_norm_by_loops(const Inputs& inputs, const Values& x, const NormConfig& norm) {
    Values y = x;
    for (std::size_t j = 0; j < kColumns; ++j) {
        const Statistics column = statistics(x, j, kColumns, kRows);
        const double deviation = deviation_of(column.squares / divided_by(norm.batch_divisor), norm);
        for (std::size_t i = j; i < x.size(); i += kColumns) {
            y[i] = inputs.gain[j] * (x[i] - column.mean) / deviation + inputs.bias[j];
        }
    }
    return y;
}

Values layer_norm_by_loops(const Inputs& inputs, const Values& x, double epsilon) {
    Values y = x;
    for (std::size_t i = 0; i < kRows; ++i) {
        const Statistics row = statistics(x, i * kColumns, 1, kColumns);
        for (std::size_t j = 0; j < kColumns; ++j) {
            const std::size_t at = i * kColumns + j;
            y[at] = inputs.gain[j] * (x[at] - row.mean) / std::sqrt(row.squares / kColumns + epsilon) + inputs.bias[j];
        }
    }
    return y;
}

Values softmax_by_loops(const Values& x) {
    Values probs;
    for (std::size_t i = 0; i < x.size(); ++i) {
        const std::size_t row = i / kColumns * kColumns;
        probs.push_back(std::exp(x[i]) / (std::exp(x[row]) + std::exp(x[row + 1]) + std::exp(x[row + 2])));
    }
    return probs;
}

double cross_entropy_by_loops(const Inputs& inputs, const Values& x) {
    const Values probs = softmax_by_loops(x);
    double sum = 0;
    for (std::size_t i = 0; i < kRows; ++i) {
        sum -= std::log(probs[i * kColumns + static_cast<std::size_t>(inputs.Y[i])]);
    }
    return sum / kRows;
}

double squared_error_by_loops(const Inputs& inputs, const Values& x) {
    const Values probs = softmax_by_loops(x);
    double sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        sum += std::pow(probs[i] - (static_cast<std::size_t>(inputs.Y[i / kColumns]) == i % kColumns ? 1 : 0), 2);
    }
    return sum / (2 * kRows);
}

// The gradient of f(x).
Values differences(const Values& x, const std::function<double(const Values& x)>& f) {
    constexpr double kStep = 1e-5;
    Values gradient;
    for (std::size_t i = 0; i < x.size(); ++i) {
        Values more = x, less = x;
        more[i] += kStep;
        less[i] -= kStep;
        gradient.push_back((f(more) - f(less)) / (2 * kStep));
    }
    return gradient;
}

// y and its gradients; those of gain and bias are Σ_i dy·(y − β)/γ and Σ_i dy, column by column.
// `norm` is "bn", "ln" or "rms".
void check_norm(const ReferenceOperations& reference_operations, const Inputs& inputs, const std::string& norm,
                const std::function<Values(const Values& x)>& by_loops) {
    const std::vector<View> values = inputs.views();
    const Values y = by_loops(inputs.x);
    near::check("hpreact", reference_operations.evaluate("hpreact", values), y, 1e-12, 0);
    const auto weighted = [&](const Values& x) {
        const Values made = by_loops(x);
        double sum = 0;
        for (std::size_t i = 0; i < made.size(); ++i) {
            sum += inputs.dy[i] * made[i];
        }
        return sum;
    };
    near::check("dx", reference_operations.evaluate("dhpre" + norm, values), differences(inputs.x, weighted), 1e-7, 0);
    Values dgain(kColumns, 0), dbias(kColumns, 0);
    for (std::size_t i = 0; i < inputs.x.size(); ++i) {
        const std::size_t j = i % kColumns;
        dgain[j] += inputs.dy[i] * (y[i] - (norm == "rms" ? 0 : inputs.bias[j])) / inputs.gain[j];
        dbias[j] += inputs.dy[i];
    }
    near::check("dgain", reference_operations.evaluate("d" + norm + "gain", values), dgain, 1e-12, 0);
    if (norm != "rms") {
        near::check("dbias", reference_operations.evaluate("d" + norm + "bias", values), dbias, 1e-12, 0);
    }
}

// The mean and variance after this batch; and x normalised by those before it.
void check_running(const ReferenceOperations& reference_operations, const Inputs& inputs, const NormConfig& norm) {
    const std::vector<View> values = inputs.views();
    const bool holds_variance = norm.running_spread == RunningSpread::variance;
    Values mean, spread, evaluated = inputs.x;
    for (std::size_t j = 0; j < kColumns; ++j) {
        const Statistics column = statistics(inputs.x, j, kColumns, kRows);
        const double variance = column.squares / divided_by(norm.running_divisor);
        mean.push_back(0.7 * inputs.running_mean[j] + 0.3 * column.mean);
        spread.push_back(0.7 * inputs.running_spread[j] + 0.3 * (holds_variance ? variance : std::sqrt(variance)));
        const double before = inputs.running_spread[j];
        const double deviation = deviation_of(holds_variance ? before : before * before, norm);
        for (std::size_t i = j; i < evaluated.size(); i += kColumns) {
            evaluated[i] = inputs.gain[j] * (inputs.x[i] - inputs.running_mean[j]) / deviation + inputs.bias[j];
        }
    }
    near::check("mean", reference_operations.evaluate("new_bnmean_running", values), mean, 1e-12, 0);
    near::check("spread", reference_operations.evaluate("new_bnvar_running", values), spread, 1e-12, 0);
    near::check("evaluation", reference_operations.evaluate("eval_hpreact", values), evaluated, 1e-12, 0);
}

}  // namespace

TEST_CASE("isolated operation: batch norm with every convention, forward, backward and in evaluation") {
    const Inputs inputs;
    for (const Divisor batch : {Divisor::n, Divisor::n_minus_1}) {
        for (const Divisor running : {Divisor::n, Divisor::n_minus_1}) {
            for (const EpsilonPlace place : {EpsilonPlace::inside, EpsilonPlace::outside}) {
                for (const RunningSpread spread : {RunningSpread::variance, RunningSpread::deviation}) {
                    const NormConfig norm{.affine = false,  // the operation has γ and β nevertheless
                                          .batch_divisor = batch,
                                          .running_divisor = running,
                                          .running_spread = spread,
                                          .momentum = 0.3,
                                          .epsilon_place = place,
                                          .epsilon = 0.05};
                    CAPTURE(batch, running, place, spread);
                    const auto reference_operations = torch_ref::single_operation("batchnorm", norm, kRows, kColumns);
                    check_norm(*reference_operations, inputs, "bn",
                               [&](const Values& x) { return batch_norm_by_loops(inputs, x, norm); });
                    check_running(*reference_operations, inputs, norm);
                }
            }
        }
    }
}

TEST_CASE("isolated operation: layer norm, forward and backward") {
    const Inputs inputs;
    const auto reference_operations = torch_ref::single_operation("layernorm", {.epsilon = 0.05}, kRows, kColumns);
    check_norm(*reference_operations, inputs, "ln",
               [&](const Values& x) { return layer_norm_by_loops(inputs, x, 0.05); });
}

TEST_CASE("isolated operation: RMS norm, forward and backward") {
    const Inputs inputs;
    const auto reference_operations = torch_ref::single_operation("rmsnorm", {.epsilon = 0.05}, kRows, kColumns);
    check_norm(*reference_operations, inputs, "rms", [&](const Values& x) {
        Values y = x;
        for (std::size_t i = 0; i < x.size(); ++i) {
            const double* row = &x[i / kColumns * kColumns];
            const double squares = row[0] * row[0] + row[1] * row[1] + row[2] * row[2];
            y[i] *= inputs.gain[i % kColumns] / std::sqrt(squares / kColumns + 0.05);
        }
        return y;
    });
}

TEST_CASE("isolated operation: losses, forward and backward") {
    const Inputs inputs;
    const auto check = [&](const char* op, double (*by_loops)(const Inputs&, const Values&)) {
        const auto reference_operations = torch_ref::single_operation(op, {}, kRows, kColumns);
        near::check(op, reference_operations->evaluate("loss", inputs.views()), {by_loops(inputs, inputs.x)}, 1e-12, 0);
        near::check(op, reference_operations->evaluate("dlogits", inputs.views()),
                    differences(inputs.x, [&](const Values& x) { return by_loops(inputs, x); }), 1e-7, 0);
    };
    check("cross_entropy", cross_entropy_by_loops);
    check("squared_error", squared_error_by_loops);
}

TEST_CASE("isolated operation: the names are the result, the gradients of the inputs, and those for evaluation") {
    using Names = std::set<std::string>;
    const auto names = [](const char* op) {
        const std::vector<std::string> all = torch_ref::single_operation(op, {}, kRows, kColumns)->names();
        return Names(all.begin(), all.end());
    };
    CHECK(names("batchnorm") == Names({"hpreact", "dhprebn", "dbngain", "dbnbias", "new_bnmean_running",
                                       "new_bnvar_running", "eval_hpreact"}));
    CHECK(names("layernorm") == Names({"hpreact", "dhpreln", "dlngain", "dlnbias"}));
    CHECK(names("rmsnorm") == Names({"hpreact", "dhprerms", "drmsgain"}));
    CHECK(names("cross_entropy") == Names({"loss", "dlogits"}));
    CHECK(names("squared_error") == Names({"loss", "dlogits"}));
    CHECK_THROWS_AS(names("tanh"), InputError);
}

TEST_CASE("isolated operation: each result depends on its declared inputs, and changes none of them") {
    const Inputs inputs, untouched;
    for (const char* op : {"batchnorm", "layernorm", "rmsnorm", "cross_entropy", "squared_error"}) {
        const auto reference_operations = torch_ref::single_operation(op, {}, kRows, kColumns);
        for (const std::string& name : reference_operations->names()) {
            INFO(op << " " << name);
            const std::vector<View> all = inputs.views();
            std::vector<View> needed;
            for (const TensorSpec& spec : reference_operations->reads(name)) {
                needed.push_back(near::view(all, spec.name));
                CHECK(needed.back().shape == spec.shape);
            }
            const Values expected = reference_operations->evaluate(name, all);
            CHECK(reference_operations->evaluate(name, needed) == expected);
            CHECK(reference_operations->evaluate(name, all) == expected);
        }
    }
    CHECK(inputs.x == untouched.x);
    CHECK(inputs.running_mean == untouched.running_mean);
    CHECK(inputs.running_spread == untouched.running_spread);
}
