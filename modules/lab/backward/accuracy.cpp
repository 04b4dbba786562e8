// How far each form of batch norm's backward is off, on data that are easy and hard.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "lab/backward/backward.h"
#include "lab/study.h"
#include "manual/batchnorm/formulas.h"
#include "names/random.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kRows = 128, kColumns = 7;
constexpr std::size_t kLine = 2;  // in kForms

template <class T>
constexpr const char* kType = sizeof(T) == sizeof(float) ? "float" : "double";

const char* words_of(Divisor divisor) {
    return divisor == Divisor::n ? "divisor n" : "divisor n − 1";
}

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

template <class T>
double largest(const std::vector<T>& values) {
    T most = 0;
    for (const T value : values) {
        if (std::isnan(value)) {
            return NAN;
        }
        most = std::max(most, std::abs(value));
    }
    return static_cast<double>(most);
}

template <class T>
double largest_distance(const std::vector<T>& a, const std::vector<T>& b) {
    std::vector<T> off;
    std::ranges::transform(a, b, std::back_inserter(off), std::minus());
    return largest(off);
}

template <class T>
std::pair<std::size_t, std::size_t> shape_of(const Numbers<T>& in) {
    const std::size_t H = in["bngain"].size();
    return {in["hprebn"].size() / H, H};
}

// The one line by the same functions in long double, which steps do not have.
std::vector<long double> in_long_double(const Numbers<double>& in, const NormConfig& norm) {
    using Long = std::vector<long double>;
    const auto [n, H] = shape_of(in);
    const Long x = as<long double>(in["hprebn"]), dy = as<long double>(in["dhpreact"]),
               gain = as<long double>(in["bngain"]);
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

std::vector<double> by_torch(const Numbers<double>& in, const NormConfig& norm, const Setting& setting) {
    const auto [n, H] = shape_of(in);
    return evaluate(*setting.torch->single_operation(op::kBatchnorm, norm, n, H), "dhprebn", in);
}

template <class T>
std::vector<long double> reference(const Numbers<T>& in, const NormConfig& norm, const Setting& setting) {
    const Numbers<double> exact = as<double>(in);
    return std::is_same_v<T, float> && setting.torch != nullptr ? as<long double>(by_torch(exact, norm, setting))
                                                                : in_long_double(exact, norm);
}

}  // namespace

Numbers<double> drawn(const NormData& data, std::uint64_t seed) {
    TorchGenerator generator = torch_seeded(seed);
    const std::size_t count = data.rows * data.columns;
    constexpr double kSpread = 0.25;
    Numbers<double> in;
    in["hprebn"] = normal(generator, count, data.mean, data.deviation);
    in["dhpreact"] = normal(generator, count, 0, 1);
    in["bngain"] = normal(generator, data.columns, 1, kSpread);
    in["bnbias"] = normal(generator, data.columns, 0, kSpread);
    return in;
}

template <class T>
ThreeForms<T> three_forms(const Numbers<T>& in, const NormConfig& norm) {
    const auto [n, H] = shape_of(in);
    ThreeForms<T> forms{forward_and_backward(operation_graph(op::kBatchnorm, norm, n, H), in), {}};
    for (std::size_t form = 0; form < kForms.size(); ++form) {
        run(steps_of(kForms[form], norm, n, H), forms.values);
        forms.dx[form] = forms.values["dhprebn"];
    }
    return forms;
}

template <class T>
std::vector<T> without_path(Numbers<T>& values, const NormConfig& norm) {
    const auto [n, H] = shape_of(values);
    StepList chain = steps_of(Form::chain, norm, n, H);
    values["no_dbnvar"].assign(H, T{0});
    std::ranges::replace(chain[1].reads, "dbnvar", "no_dbnvar");
    run(chain, values);
    return values["dhprebn"];
}

template <class T>
double relative_error(const std::vector<T>& values, const std::vector<long double>& expected) {
    return largest_distance(as<long double>(values), expected) / largest(expected);
}

template <class T>
std::array<double, 4> errors(const NormData& data, const NormConfig& norm, std::uint64_t seed, const Setting& setting) {
    const Numbers<T> in = as<T>(drawn(data, seed));
    const std::vector<long double> expected = reference(in, norm, setting);
    ThreeForms<T> forms = three_forms(in, norm);
    std::array<double, 4> found{};
    for (std::size_t form = 0; form < kForms.size(); ++form) {
        found[form] = relative_error(forms.dx[form], expected);
    }
    found.back() = relative_error(without_path(forms.values, norm), expected);
    return found;
}

std::vector<Agreement> agreements(const NormData& data, const NormConfig& norm, std::uint64_t seed,
                                  const Setting& setting) {
    const Numbers<float> in = as<float>(drawn(data, seed));
    const std::vector<double> torch = by_torch(as<double>(in), norm, setting);
    const ThreeForms<float> forms = three_forms(in, norm);
    const ThreeForms<Rounded> bounds = three_forms(as<Rounded>(in), norm);
    std::vector<Agreement> found;
    found.reserve(kForms.size() + 1);
    for (std::size_t form = 0; form < kForms.size(); ++form) {
        found.push_back(agreement(kFormNames[form], forms.dx[form], bounds.dx[form], torch));
    }
    // What is off by at most the limits in float is off by 2^29 times less in double.
    constexpr double kFloatToDouble = 0x1p-29;
    const std::vector<long double> exact = in_long_double(as<double>(in), norm);
    std::vector<double> differences, limits;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        differences.push_back(static_cast<double>(exact[i] - static_cast<long double>(torch[i])));
        limits.push_back(bounds.dx[kLine][i].any_order() * kFloatToDouble);
    }
    found.push_back(agreement_within("long double", differences, std::vector<double>(exact.size(), 0), limits));
    return found;
}

template ThreeForms<float> three_forms(const Numbers<float>&, const NormConfig&);
template ThreeForms<Rounded> three_forms(const Numbers<Rounded>&, const NormConfig&);
template std::vector<float> without_path(Numbers<float>&, const NormConfig&);
template double relative_error(const std::vector<double>&, const std::vector<long double>&);
template std::array<double, 4> errors<float>(const NormData&, const NormConfig&, std::uint64_t, const Setting&);

// ---- on the same data ----

namespace {

template <class T>
void add_differences(Table& table, const NormData& data, std::uint64_t seed) {
    for (const Divisor divisor : kDivisors) {
        const auto [chain, steps, line] = three_forms(as<T>(drawn(data, seed)), norm_with(divisor)).dx;
        table.rows.push_back({fmt::format("{}, {}", kType<T>, words_of(divisor)),
                              significant(largest_distance(chain, steps), 2),
                              significant(largest_distance(chain, line), 2),
                              significant(largest_distance(steps, line), 2), significant(largest(line), 3)});
    }
}

void add_differences(Document& document, std::uint64_t seed, const Setting& setting) {
    const NormData easy{kRows, kColumns, 1, 1};
    Table table{fmt::format("The same data by the three forms: {} rows, {} columns, mean 1, deviation 1; the largest "
                            "differences",
                            kRows, kColumns),
                {"", "chain−steps", "chain−line", "steps−line", "largest |dx|"},
                {}};
    add_differences<float>(table, easy, seed);
    add_differences<double>(table, easy, seed);
    document.blocks.emplace_back(std::move(table));
    for (const Divisor divisor : kDivisors) {
        if (setting.torch != nullptr) {
            add_agreements(document,
                           fmt::format("Against LibTorch in double, {}: the forms in float, and long double by hand by "
                                       "limits for double",
                                       words_of(divisor)),
                           agreements(easy, norm_with(divisor), seed, setting));
        }
    }
}

// ---- under conditions ----

struct Condition {
    const char* key;
    const char* title;
    const char* varied;
    std::vector<double> values;
    NormData (*data)(double value);
    double epsilon = 1e-5;
};

NormData of_mean(double mean) {
    return {kRows, kColumns, mean, 1};
}
NormData of_deviation(double deviation) {
    return {kRows, kColumns, 0, deviation};
}
NormData of_rows(double rows) {
    constexpr std::size_t kFew = 3;
    return {static_cast<std::size_t>(rows), kFew, 1, 1};
}

const std::vector<Condition>& conditions() {
    static const std::vector<Condition> all = {
        {"mean", "the mean grows", "mean/deviation", {1, 10, 1e2, 1e3, 1e4, 1e5, 1e6}, of_mean},
        {"deviation",
         "the deviation shrinks without ε",
         "deviation",
         {1e-4, 1e-8, 1e-12, 1e-14, 1e-16, 1e-20},
         of_deviation,
         0},
        {"rows", "the batch grows", "rows", {8, 64, 512, 4096, 65536}, of_rows}};
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
Study study_of(const Condition& condition, Divisor divisor, const Setup& setup) {
    Study study{.key = fmt::format("{}_{}_{}", condition.key, key_of(divisor), kType<T>),
                .title = fmt::format("error of dx as {}, {}, {}", condition.title, kType<T>, words_of(divisor)),
                .arms = {"one line", "small steps", "chain", "chain without path"},
                .seeds = setup.seeds.size(),
                .measure = "error over the largest |dx|",
                .varied = condition.varied,
                .values = condition.values,
                .by_factors = true};
    std::vector<std::array<double, 4>> found;
    for (const double value : study.values) {
        for (const std::uint64_t seed : setup.seeds) {
            found.push_back(
                errors<T>(condition.data(value), norm_with(divisor, condition.epsilon), seed, setup.setting));
        }
    }
    constexpr std::array<std::size_t, 4> kOrder = {2, 1, 0, 3};  // the line is the first, and compared with the steps
    return filled(std::move(study), [&](std::size_t arm, std::size_t value, std::size_t seed) {
        return found[value * setup.seeds.size() + seed][kOrder[arm]];
    });
}

template <class T>
void add_conditions(Document& document, std::vector<Claim>& claims, const Setup& setup) {
    for (const Condition& condition : conditions()) {
        const Study study = study_of<T>(condition, Divisor::n, setup);
        add(document, {study});
        claims.push_back(claim_on(study,
                                  {.name = "rounding",
                                   .subject = std::string(kType<T>),
                                   .sentence = "The one line rounds less than the small steps",
                                   .measure = fmt::format("Error of dx as {}, geometric mean", condition.title),
                                   .brief = condition.varied,
                                   .by_factors = true},
                                  typical));
    }
}

// Note 1's path from the variance to the mean, dbnvar·Σ(−2)·bndiff/D: the differences from a mean add up to 0, but for
// the rounding of the mean.
template <class T>
void add_path(std::vector<Claim>& claims, const Setup& setup) {
    for (const double mean : {1.0, 1e6}) {
        Claim claim{.name = "path",
                    .subject = std::string(kType<T>),
                    .sentence = "The path from the variance to the mean, which is 0, takes off rounding errors",
                    .measure = fmt::format("Error of the chain with it and without, mean/deviation {:g}", mean),
                    .brief = fmt::format("path, {:g}", mean),
                    .arms = {"with path", "without"},
                    .by_factors = true};
        for (const std::uint64_t seed : setup.seeds) {
            const auto found =
                errors<T>({kRows, kColumns, mean, 1}, norm_with(Divisor::n_minus_1), seed, setup.setting);
            claim.first.push_back(found[0]);
            claim.second.push_back(found[3]);
        }
        claims.push_back(std::move(claim));
    }
}

}  // namespace

void add_accuracy(Document& document, const Setup& setup) {
    add_differences(document, setup.seeds.front(), setup.setting);
    document.blocks.emplace_back(Text{fmt::format(
        "How exact each is: medians over {} seeds of the largest error over the largest |dx|. The reference is {} for "
        "float, and long double by hand for double.",
        setup.seeds.size(), setup.setting.torch == nullptr ? "long double by hand" : "LibTorch in double")});
    std::vector<Claim> claims;
    add_conditions<float>(document, claims, setup);
    add_path<float>(claims, setup);
    add_conditions<double>(document, claims, setup);
    add_path<double>(claims, setup);
    add(document, claims);
}

}  // namespace byhand::lab
