#include "base/tensors.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace byhand {

template <class T>
Tensors<T>::Tensors(std::vector<TensorSpec> table) : table_(std::move(table)) {
    for (const TensorSpec& spec : table_) {
        if (!entries_.try_emplace(spec.name, Numbers(count(spec.shape))).second) {
            throw std::invalid_argument("two tensors are called " + spec.name);
        }
    }
    clear();
}

void check_count(const TensorSpec& spec, std::size_t elements) {
    if (count(spec.shape) != elements) {
        throw std::invalid_argument(spec.name + " has " + std::to_string(elements) + " elements, but its shape has " +
                                    std::to_string(count(spec.shape)));
    }
}

template <class T>
std::vector<View> Tensors<T>::views() const {
    std::vector<View> all;
    all.reserve(table_.size());
    for (const TensorSpec& spec : table_) {
        if (holds_indices(spec.name)) {
            all.push_back({spec.name, spec.shape, DType::int64, indices(spec.name).data()});
        } else {
            all.push_back({spec.name, spec.shape, *dtype_for<T>, (*this)[spec.name].data()});
        }
    }
    return all;
}

template <class T>
std::size_t Tensors<T>::elements() const {
    return std::transform_reduce(table_.begin(), table_.end(), std::size_t{0}, std::plus(),
                                 [](const TensorSpec& spec) { return count(spec.shape); });
}

template <class T>
void Tensors<T>::clear() {
    // Bit by bit through memcpy: passed as a value, a signalling NaN may become quiet.
    for (auto& [name, elements] : entries_) {
        auto* numbers = std::get_if<Numbers>(&elements);
        for (std::size_t i = 0; numbers != nullptr && i < numbers->size(); ++i) {
            std::memcpy(&(*numbers)[i], &kUnwritten<T>, sizeof(T));
        }
    }
}

template <class To, class From>
void copy_into(Tensors<To>& to, const Tensors<From>& from) {
    for (const TensorSpec& spec : from.table()) {
        const std::span<const From> source = from[spec.name];
        const std::span<To> target = to[spec.name];
        if (source.size() != target.size()) {
            throw std::invalid_argument("tensors called " + spec.name + " differ in size");
        }
        std::copy(source.begin(), source.end(), target.begin());
    }
}

const TensorSpec* first_not_finite(const Tensors<float>& state) {
    for (const TensorSpec& spec : state.table()) {
        if (!std::ranges::all_of(state[spec.name], [](float x) { return std::isfinite(x); })) {
            return &spec;
        }
    }
    return nullptr;
}

template class Tensors<float>;
template class Tensors<double>;
template void copy_into(Tensors<float>&, const Tensors<float>&);
template void copy_into(Tensors<double>&, const Tensors<float>&);

}  // namespace byhand
