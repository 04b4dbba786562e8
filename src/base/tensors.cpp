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
        if (!entries_.try_emplace(spec.name, Entry{false, AlignedVector<T>(count(spec.shape))}).second) {
            throw std::invalid_argument("two tensors are called " + spec.name);
        }
    }
    clear();
}

template <class T>
void Tensors<T>::put(const View& view) {
    Entry entry{view.dtype == DType::int64};
    const std::size_t elements = count(view.shape);
    if (entry.is_indices) {
        const auto* data = static_cast<const std::int64_t*>(view.data);
        entry.indices.assign(data, data + elements);
    } else {
        entry.numbers.reserve(elements);
        for (std::size_t i = 0; i < elements; ++i) {
            entry.numbers.push_back(static_cast<T>(value_at(view, i)));
        }
    }
    if (entries_.insert_or_assign(view.name, std::move(entry)).second) {
        table_.push_back({view.name, view.shape});
    } else {
        std::ranges::find(table_, view.name, &TensorSpec::name)->shape = view.shape;
    }
}

template <class T>
template <class Entries>
auto& Tensors<T>::find(Entries& entries, const std::string& name, bool is_indices) {
    auto& entry = entries.at(name);
    if (entry.is_indices != is_indices) {
        throw std::out_of_range(name + (is_indices ? " holds no indices" : " holds indices"));
    }
    return entry;
}

template <class T>
std::span<T> Tensors<T>::operator[](const std::string& name) {
    return find(entries_, name, false).numbers;
}

template <class T>
std::span<const T> Tensors<T>::operator[](const std::string& name) const {
    return find(entries_, name, false).numbers;
}

template <class T>
std::span<const std::int64_t> Tensors<T>::indices(const std::string& name) const {
    return find(entries_, name, true).indices;
}

template <class T>
std::vector<T> Tensors<T>::copy_of(const std::string& name) const {
    const std::span<const T> numbers = (*this)[name];
    return {numbers.begin(), numbers.end()};
}

template <class T>
std::vector<View> Tensors<T>::views() const {
    std::vector<View> all;
    all.reserve(table_.size());
    for (const TensorSpec& spec : table_) {
        const Entry& entry = entries_.at(spec.name);
        if (entry.is_indices) {
            all.push_back({spec.name, spec.shape, DType::int64, entry.indices.data()});
        } else {
            all.push_back(
                {spec.name, spec.shape, sizeof(T) == 4 ? DType::float32 : DType::float64, entry.numbers.data()});
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
    for (auto& [name, entry] : entries_) {
        for (T& element : entry.numbers) {
            std::memcpy(&element, &kUnwritten<T>, sizeof(T));
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
