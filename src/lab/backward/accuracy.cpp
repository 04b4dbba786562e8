#include "lab/backward/accuracy.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/quantile.h"
#include "names/random.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kLine = 2;  // in kForms

// Of two draws in float, the second for the digits that the first has not.
std::vector<double> normal(TorchGenerator& generator, std::size_t count, double mean, double deviation) {
    constexpr double kBelowFloat = 0x1p-24;
    std::vector<float> z(count), digits(count);
    randn(generator, z);
    randn(generator, digits);
    std::vector<double> values;
    values.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        values.push_back(mean + deviation * (static_cast<double>(z[i]) + kBelowFloat * static_cast<double>(digits[i])));
    }
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

double median(const std::vector<double>& values) {
    const auto is_nan = [](double value) { return std::isnan(value); };
    return std::ranges::any_of(values, is_nan) ? NAN : quantile(values, 0.5);
}

std::vector<long double> in_long_double(const NormInput<long double>& in, const NormConfig& norm) {
    return three_forms(in, norm).dx[kLine];
}

// By LibTorch.
std::vector<double> input_gradient(const NormInput<double>& in, const NormConfig& norm, const Setting& setting) {
    return setting.torch->single_operation(op::kBatchnorm, norm, in.n, in.H)->evaluate("dhprebn", views_of(in));
}

// What is off by at most `limits` in float is off by 2^29 times less in double.
Agreement oracle_agreement(const std::vector<long double>& exact, const std::vector<Rounded>& bounds,
                           const std::vector<double>& reference) {
    constexpr double kFloatToDouble = 0x1p-29;
    std::vector<double> differences, limits;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        differences.push_back(static_cast<double>(exact[i] - static_cast<long double>(reference[i])));
        limits.push_back(bounds[i].any_order() * kFloatToDouble);
    }
    return agreement_within("long double", differences, std::vector<double>(differences.size(), 0), limits);
}

}  // namespace

NormInput<double> drawn(const NormData& data, std::uint64_t seed) {
    TorchGenerator generator = torch_seeded(seed);
    const std::size_t count = data.rows * data.columns;
    constexpr double kSpread = 0.25;
    NormInput<double> in{data.rows, data.columns, {}, {}, {}, {}};
    in.x = normal(generator, count, data.mean, data.deviation);
    in.dy = normal(generator, count, 0, 1);
    in.gain = normal(generator, data.columns, 1, kSpread);
    in.bias = normal(generator, data.columns, 0, kSpread);
    return in;
}

template <class T>
ThreeForms<T> three_forms(const NormInput<T>& in, const NormConfig& norm) {
    NormForward<T> f = norm_forward(in, norm);
    ThreeForms<T> forms;
    BackwardValues<T>& v = forms.values;
    v = make_room<T>(in.n, in.H);
    v.bndiff = std::move(f.bndiff);
    v.bnraw = std::move(f.bnraw);
    v.bnvar = std::move(f.bnvar);
    v.bnvar_inv = std::move(f.bnvar_inv);
    batchnorm_raw_backward(v.dbnraw.data(), in.dy.data(), in.gain.data(), in.n, in.H);
    for (std::size_t form = 0; form < std::size(kForms); ++form) {
        forms.dx[form].resize(in.n * in.H);
        run(passes_of(kForms[form], v, forms.dx[form].data(), norm));
    }
    return forms;
}

template <class T>
std::vector<T> without_path(BackwardValues<T>& v, const NormConfig& norm) {
    const std::vector<T> no_variance(v.H, T{0});
    std::vector<T> dx(v.n * v.H);
    batchnorm_chain_variance_backward(v.dbnvar.data(), v.dbnraw.data(), v.bndiff.data(), v.bnvar.data(), v.n, v.H,
                                      norm.epsilon, norm.epsilon_place);
    batchnorm_chain_mean_backward(v.dbnmeani.data(), v.dbnraw.data(), v.bndiff.data(), v.bnvar_inv.data(),
                                  no_variance.data(), v.n, v.H, norm.batch_divisor);
    batchnorm_chain_input_backward(dx.data(), v.dbnraw.data(), v.bndiff.data(), v.bnvar_inv.data(), v.dbnvar.data(),
                                   v.dbnmeani.data(), v.n, v.H, norm.batch_divisor);
    return dx;
}

std::vector<long double> oracle(const NormInput<float>& in, const NormConfig& norm, const Setting& setting) {
    if (setting.torch == nullptr) {
        return in_long_double(as<long double>(in), norm);
    }
    return as<long double>(input_gradient(as<double>(in), norm, setting));
}

std::vector<long double> oracle(const NormInput<double>& in, const NormConfig& norm, const Setting&) {
    return in_long_double(as<long double>(in), norm);
}

template <class T>
double relative_error(const std::vector<T>& values, const std::vector<long double>& expected) {
    std::vector<long double> differences;
    differences.reserve(values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
        differences.push_back(static_cast<long double>(values[i]) - expected[i]);
    }
    return largest(differences) / largest(expected);
}

template <class T>
Differences differences(const ThreeForms<T>& forms) {
    const auto between = [&](std::size_t a, std::size_t b) {
        std::vector<T> off;
        off.reserve(forms.dx[a].size());
        for (std::size_t i = 0; i < forms.dx[a].size(); ++i) {
            off.push_back(forms.dx[a][i] - forms.dx[b][i]);
        }
        return largest(off);
    };
    return {between(0, 1), between(0, kLine), between(1, kLine), largest(forms.dx[kLine])};
}

template <class T>
Errors median_errors(const NormData& data, const NormConfig& norm, const Seeds& seeds, const Setting& setting) {
    std::array<std::vector<double>, 3> errors;
    for (const std::uint64_t seed : list(seeds)) {
        const NormInput<T> in = as<T>(drawn(data, seed));
        const std::vector<long double> expected = oracle(in, norm, setting);
        const ThreeForms<T> forms = three_forms(in, norm);
        for (std::size_t form = 0; form < errors.size(); ++form) {
            errors[form].push_back(relative_error(forms.dx[form], expected));
        }
    }
    return {median(errors[0]), median(errors[1]), median(errors[2])};
}

template <class T>
PathFigures path_figures(const NormData& data, const NormConfig& norm, const Seeds& seeds, const Setting& setting) {
    std::vector<double> sums, changes, with, without;
    for (const std::uint64_t seed : list(seeds)) {
        const NormInput<T> in = as<T>(drawn(data, seed));
        ThreeForms<T> forms = three_forms(in, norm);
        const std::vector<T> left_out = without_path(forms.values, norm);
        std::vector<T> sum(in.H);
        sum_rows(sum.data(), forms.values.bndiff.data(), in.n, in.H);
        sums.push_back(largest(sum) / (static_cast<double>(in.n) * data.deviation));
        const std::vector<long double> expected = oracle(in, norm, setting);
        changes.push_back(relative_error(left_out, as<long double>(forms.dx[0])));
        with.push_back(relative_error(forms.dx[0], expected));
        without.push_back(relative_error(left_out, expected));
    }
    return {median(sums), median(changes), median(with), median(without)};
}

std::vector<Agreement> agreements(const NormData& data, const NormConfig& norm, std::uint64_t seed,
                                  const Setting& setting) {
    const NormInput<float> in = as<float>(drawn(data, seed));
    const NormInput<double> exact = as<double>(in);
    const std::vector<double> reference = input_gradient(exact, norm, setting);
    const ThreeForms<float> forms = three_forms(in, norm);
    const ThreeForms<Rounded> bounds = three_forms(as<Rounded>(in), norm);
    std::vector<Agreement> found;
    found.reserve(std::size(kForms) + 1);
    for (std::size_t form = 0; form < std::size(kForms); ++form) {
        found.push_back(agreement(name_of(kForms[form]), forms.dx[form], bounds.dx[form], reference));
    }
    found.push_back(oracle_agreement(in_long_double(as<long double>(exact), norm), bounds.dx[kLine], reference));
    return found;
}

template ThreeForms<float> three_forms(const NormInput<float>&, const NormConfig&);
template ThreeForms<double> three_forms(const NormInput<double>&, const NormConfig&);
template ThreeForms<long double> three_forms(const NormInput<long double>&, const NormConfig&);
template ThreeForms<Rounded> three_forms(const NormInput<Rounded>&, const NormConfig&);
template std::vector<float> without_path(BackwardValues<float>&, const NormConfig&);
template std::vector<double> without_path(BackwardValues<double>&, const NormConfig&);
template Differences differences(const ThreeForms<float>&);
template Differences differences(const ThreeForms<double>&);
template Errors median_errors<float>(const NormData&, const NormConfig&, const Seeds&, const Setting&);
template Errors median_errors<double>(const NormData&, const NormConfig&, const Seeds&, const Setting&);
template PathFigures path_figures<float>(const NormData&, const NormConfig&, const Seeds&, const Setting&);
template PathFigures path_figures<double>(const NormData&, const NormConfig&, const Seeds&, const Setting&);

}  // namespace byhand::lab
