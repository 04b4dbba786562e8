#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <type_traits>

#include "library/torch/moves.h"

namespace byhand {
namespace {

template <class T>
using Wide = std::conditional_t<sizeof(T) == sizeof(float), double, long double>;

constexpr std::int64_t kMostTerms = std::int64_t{1} << 22;  // in all sums of an operation

// Of the n numbers that `term` returns. With signs apart also moved farther from the exact sum, by what n independent
// roundings are likely to make of it, each of half a unit of the sum so far: in this one order they may happen to
// cancel.
template <class T, class Term>
T sum_of(std::int64_t n, Order order, Term term) {
    T sum = 0, negative = 0;
    double squares = 0;  // of the sums so far
    Wide<T> exact = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const T next = term(order == Order::backward ? n - 1 - i : i);
        T& to = order == Order::signs_apart && next < 0 ? negative : sum;
        to += next;
        squares += double{to} * double{to};
        exact += Wide<T>{next};
    }
    const double rounding = std::sqrt(squares) * (std::numeric_limits<T>::epsilon() / 2);
    if (order != Order::signs_apart || n < 2 || !std::isfinite(rounding)) {
        return sum + negative;
    }
    const Wide<T> made = Wide<T>{sum} + Wide<T>{negative};
    return static_cast<T>(made + (made < exact ? -rounding : rounding));
}

// (… kept …, … reduced …), contiguous.
at::Tensor with_reduced_last(const at::Tensor& x, std::vector<std::int64_t> dims) {
    for (std::int64_t& d : dims) {
        d = d < 0 ? d + x.dim() : d;
    }
    std::vector<std::int64_t> places;
    for (std::int64_t d = 0; d < x.dim(); ++d) {
        if (std::ranges::find(dims, d) == dims.end()) {
            places.push_back(d);
        }
    }
    std::ranges::sort(dims);
    places.insert(places.end(), dims.begin(), dims.end());
    return x.permute(places).contiguous();
}

// Of `sums` equal parts of x, or their means.
template <class T>
at::Tensor sums_of(const at::Tensor& x, std::int64_t sums, Order order, bool mean, const at::Tensor& to) {
    at::Tensor result = at::empty(to.sizes(), to.options().requires_grad(false));
    const std::int64_t n = x.numel() / sums;
    const T* from = x.data_ptr<T>();
    for (std::int64_t i = 0; i < sums; ++i) {
        const T sum = sum_of<T>(n, order, [row = from + i * n](std::int64_t j) { return row[j]; });
        result.data_ptr<T>()[i] = mean ? sum / static_cast<T>(n) : sum;
    }
    return result;
}

// a (…, M, K)·b (…, K, N)
template <class T>
at::Tensor product_of(const at::Tensor& a, const at::Tensor& b, Order order, const at::Tensor& to) {
    at::Tensor result = at::empty(to.sizes(), to.options().requires_grad(false));
    const at::Tensor rows = a.contiguous(), columns = b.transpose(-1, -2).contiguous();
    const std::int64_t M = a.size(-2), K = a.size(-1), N = b.size(-1);
    T* y = result.data_ptr<T>();
    for (std::int64_t i = 0; i < result.numel(); ++i) {
        const std::int64_t matrix = i / (M * N);
        const T* row = rows.data_ptr<T>() + i / N * K;
        const T* column = columns.data_ptr<T>() + (matrix * N + i % N) * K;
        y[i] = sum_of<T>(K, order, [=](std::int64_t k) { return row[k] * column[k]; });
    }
    return result;
}

template <class T>
std::optional<at::Tensor> sum_in_order_of(const c10::FunctionSchema& schema, const std::string& name,
                                          const std::vector<c10::IValue>& arguments, Order order,
                                          const at::Tensor& to) {
    if (order == Order::as_torch || arguments.empty() || !arguments[0].isTensor() || to.numel() == 0 ||
        arguments[0].toTensor().scalar_type() != to.scalar_type()) {
        return {};
    }
    const at::Tensor x = arguments[0].toTensor().detach();
    const auto product = [&](const at::Tensor& a, const at::Tensor& b) -> std::optional<at::Tensor> {
        if (to.numel() * a.size(-1) > kMostTerms) {
            return {};
        }
        return product_of<T>(a, b, order, to);
    };
    const auto second = [&] { return arguments[1].toTensor().detach(); };
    if (name == "mm" || name == "bmm") {
        return product(x, second());
    }
    if (name == "mv" || name == "dot") {
        return product(name == "dot" ? x.unsqueeze(0) : x, second().unsqueeze(1));
    }
    const auto is_one = [](const c10::IValue& factor) { return factor.toScalar().toDouble() == 1; };
    if (name == "addmm" && is_one(arguments[3]) && is_one(arguments[4])) {
        const auto made = product(second(), arguments[2].toTensor().detach());
        return made ? std::optional(*made + x) : made;
    }
    if (name == "convolution_backward" && to.dim() == 1 && x.dim() > 1 && to.numel() == x.size(1) &&
        x.numel() <= kMostTerms) {
        std::vector<std::int64_t> dims(static_cast<std::size_t>(x.dim() - 1));
        std::iota(dims.begin() + 1, dims.end(), 2);
        return sums_of<T>(with_reduced_last(x, dims), to.numel(), order, false, to);
    }
    if ((name != "sum" && name != "mean") || x.numel() > kMostTerms) {
        return {};
    }
    std::vector<std::int64_t> dims;
    if (const auto dim = schema.argumentIndexWithName("dim")) {
        const c10::IValue& given = arguments[static_cast<std::size_t>(*dim)];
        if (given.isIntList()) {
            dims = given.toIntVector();
        }
    }
    if (dims.empty()) {
        return sums_of<T>(x.contiguous(), 1, order, name == "mean", to);
    }
    return sums_of<T>(with_reduced_last(x, dims), to.numel(), order, name == "mean", to);
}

}  // namespace

std::optional<at::Tensor> sum_in_order(const c10::FunctionSchema& schema, const std::string& name,
                                       const std::vector<c10::IValue>& arguments, Order order, const at::Tensor& to) {
    return to.scalar_type() == at::kDouble ? sum_in_order_of<double>(schema, name, arguments, order, to)
                                           : sum_in_order_of<float>(schema, name, arguments, order, to);
}

void SumsInPlace::note(const std::string& name, const std::vector<c10::IValue>& arguments) {
    if ((name != "add" && name != "sub") || arguments.size() < 2 || !arguments[0].isTensor() ||
        !arguments[1].isTensor()) {
        return;
    }
    const at::Tensor to = arguments[0].toTensor().detach(), term = arguments[1].toTensor().detach();
    if (!to.defined() || to.numel() == 0 || term.scalar_type() != to.scalar_type()) {
        return;
    }
    Sum& sum = all_[to.data_ptr()];
    if (!sum.left.defined() || !sum.left.equal(to)) {
        sum = {to.abs(), {}, to.eq(0).all().item<bool>() ? std::size_t{0} : std::size_t{1}};
    }
    const at::Scalar factor = arguments.size() > 2 && arguments[2].isScalar() ? arguments[2].toScalar() : at::Scalar(1);
    sum.magnitudes = sum.magnitudes + (term * factor).abs();
    ++sum.terms;
}

at::Tensor SumsInPlace::magnitudes(const at::Tensor& result) const {
    constexpr std::size_t kFew = 3;
    const auto sum = all_.find(result.data_ptr());
    return sum != all_.end() && sum->second.terms >= kFew && sum->second.magnitudes.sizes() == result.sizes()
               ? sum->second.magnitudes
               : at::Tensor();
}

void SumsInPlace::leave(const at::Tensor& result) {
    if (const auto sum = all_.find(result.data_ptr()); sum != all_.end()) {
        sum->second.left = result.detach().clone();
    }
}

}  // namespace byhand
