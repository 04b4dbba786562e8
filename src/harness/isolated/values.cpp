#include "harness/isolated/values.h"

#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "base/hash.h"

namespace byhand {
namespace {

double with_more_digits(double x) {
    constexpr std::uint64_t kFew = (std::uint64_t{1} << 41) - 1;  // bits that a number of 12 binary digits leaves 0
    const auto bits = std::bit_cast<std::uint64_t>(x);
    if ((bits & kFew) == 0 || !(std::abs(x) >= static_cast<double>(std::numeric_limits<float>::min()))) {
        return x;
    }
    // Off by 2^-27 to 2^-26 of it: a float is rounded from what is within 2^-25.
    const std::uint64_t random = mixed(bits);
    const double off = (1 + static_cast<double>(random >> 11) * 0x1p-53) * 0x1p-27;
    return x * (1 + (random % 2 == 0 ? off : -off));
}

}  // namespace

void Values::put(const View& view) {
    const std::size_t elements = count(view.shape);
    if (view.dtype == DType::int64) {
        const auto* data = static_cast<const std::int64_t*>(view.data);
        put({view.name, view.shape}, std::vector<std::int64_t>(data, data + elements));
        return;
    }
    std::vector<double> numbers(elements);
    for (std::size_t i = 0; i < elements; ++i) {
        numbers[i] = value_at(view, i);
    }
    put({view.name, view.shape}, std::move(numbers));
}

void Values::put(const TensorSpec& spec, std::vector<double> values) {
    entries_[spec.name] = {spec.shape, std::move(values)};
}

void Values::put(const TensorSpec& spec, const std::vector<float>& values) {
    put(spec, std::vector<double>(values.begin(), values.end()));
}

void Values::put(const TensorSpec& spec, std::vector<std::int64_t> values) {
    entries_[spec.name] = {spec.shape, std::move(values)};
}

std::vector<View> Values::views() const {
    std::vector<View> all;
    for (const auto& [name, entry] : entries_) {
        const auto* data =
            std::visit([](const auto& elements) -> const void* { return elements.data(); }, entry.elements);
        all.push_back({name, entry.shape, holds_indices(name) ? DType::int64 : DType::float64, data});
    }
    return all;
}

std::size_t Values::elements() const {
    std::size_t all = 0;
    for (const auto& [name, entry] : entries_) {
        all += std::visit([](const auto& elements) { return elements.size(); }, entry.elements);
    }
    return all;
}

Values with_digits_of_doubles(Values values) {
    values.change_numbers([](double x, std::size_t) { return with_more_digits(x); });
    return values;
}

}  // namespace byhand
