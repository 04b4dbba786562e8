#include "harness/values.h"

#include <stdexcept>

namespace byhand {

void Values::put(const View& view) {
    const std::size_t elements = count(view.shape);
    if (view.dtype == DType::int64) {
        const auto* data = static_cast<const std::int64_t*>(view.data);
        put({view.name, view.shape}, std::vector<std::int64_t>(data, data + elements));
        return;
    }
    std::vector<float> numbers(elements);
    for (std::size_t i = 0; i < elements; ++i) {
        numbers[i] = static_cast<float>(value_at(view, i));
    }
    put({view.name, view.shape}, std::move(numbers));
}

void Values::put(const TensorSpec& spec, std::vector<float> values) {
    entries_[spec.name] = {spec.shape, std::move(values), {}};
}

void Values::put(const TensorSpec& spec, std::vector<std::int64_t> values) {
    entries_[spec.name] = {spec.shape, {}, std::move(values)};
}

std::vector<View> Values::views() const {
    std::vector<View> all;
    for (const auto& [name, entry] : entries_) {
        const bool indices = !entry.indices.empty();
        all.push_back({name, entry.shape, indices ? DType::int64 : DType::float32,
                       indices ? static_cast<const void*>(entry.indices.data())
                               : static_cast<const void*>(entry.numbers.data())});
    }
    return all;
}

const std::vector<float>& Values::numbers(const std::string& name) const {
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

}  // namespace byhand
