#include "harness/isolated/values.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <stdexcept>
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
    entries_[spec.name] = {spec.shape, std::move(values), {}};
}

void Values::put(const TensorSpec& spec, const std::vector<float>& values) {
    put(spec, std::vector<double>(values.begin(), values.end()));
}

void Values::put(const TensorSpec& spec, std::vector<std::int64_t> values) {
    entries_[spec.name] = {spec.shape, {}, std::move(values)};
}

std::vector<View> Values::views() const {
    std::vector<View> all;
    for (const auto& [name, entry] : entries_) {
        const bool indices = !entry.indices.empty();
        all.push_back({name, entry.shape, indices ? DType::int64 : DType::float64,
                       indices ? static_cast<const void*>(entry.indices.data())
                               : static_cast<const void*>(entry.numbers.data())});
    }
    return all;
}

std::size_t Values::elements() const {
    std::size_t all = 0;
    for (const auto& [name, entry] : entries_) {
        all += entry.numbers.size() + entry.indices.size();
    }
    return all;
}

const std::vector<double>& Values::numbers(const std::string& name) const {
    const Entry& entry = entries_.at(name);
    if (!entry.indices.empty()) {
        throw std::out_of_range(name + " holds indices");
    }
    return entry.numbers;
}

const std::vector<std::int64_t>& Values::indices(const std::string& name) const {
    const Entry& entry = entries_.at(name);
    if (entry.indices.empty()) {
        throw std::out_of_range(name + " holds no indices");
    }
    return entry.indices;
}

Values with_digits_of_doubles(const Values& floats) {
    Values doubles;
    for (const View& view : floats.views()) {
        if (floats.holds_indices(view.name)) {
            doubles.put(view);
            continue;
        }
        std::vector<double> numbers = floats.numbers(view.name);
        std::ranges::transform(numbers, numbers.begin(), with_more_digits);
        doubles.put({view.name, view.shape}, std::move(numbers));
    }
    return doubles;
}

}  // namespace byhand
