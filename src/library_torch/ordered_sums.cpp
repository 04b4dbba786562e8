#include "library_torch/ordered_sums.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace byhand {
namespace {

constexpr std::int64_t kMostTerms = std::int64_t{1} << 22;  // in all sums of an operation

// Of the n numbers that `term` returns.
template <class T, class Term>
T sum_of(std::int64_t n, Order order, Term term) {
    if (order == Order::lanes) {
        std::array<T, 8> lanes{};
        for (std::int64_t i = 0; i < n; ++i) {
            lanes[static_cast<std::size_t>(i % 8)] += term(i);
        }
        T sum = 0;
        for (const T lane : lanes) {
            sum += lane;
        }
        return sum;
    }
    T sum = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        sum += term(order == Order::forward ? i : n - 1 - i);
    }
    return sum;
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
    if (name == "mm" || name == "bmm") {
        if (to.numel() * x.size(-1) > kMostTerms) {
            return {};
        }
        return product_of<T>(x, arguments[1].toTensor().detach(), order, to);
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

}  // namespace byhand
