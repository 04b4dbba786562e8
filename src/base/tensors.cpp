#include "base/tensors.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace byhand {

template <class T>
Tensors<T>::Tensors(std::vector<TensorSpec> table) : table_(std::move(table)) {
    constexpr std::size_t kLine = kAlignment / sizeof(T);
    std::size_t offset = 0;
    for (const TensorSpec& spec : table_) {
        const std::size_t elements = count(spec.shape);
        if (!offsets_.emplace(spec.name, ArenaRange{offset, elements}).second) {
            throw std::invalid_argument("two tensors are called " + spec.name);
        }
        offset += (elements + kLine - 1) / kLine * kLine;
    }
    arena_.resize(offset);
    clear();
}

template <class T>
std::span<T> Tensors<T>::operator[](const std::string& name) {
    const ArenaRange place = offsets_.at(name);
    return {arena_.data() + place.offset, place.count};
}

template <class T>
std::span<const T> Tensors<T>::operator[](const std::string& name) const {
    const ArenaRange place = offsets_.at(name);
    return {arena_.data() + place.offset, place.count};
}

template <class T>
std::vector<View> Tensors<T>::views() const {
    std::vector<View> all;
    all.reserve(table_.size());
    for (const TensorSpec& spec : table_) {
        const DType dtype = sizeof(T) == 4 ? DType::float32 : DType::float64;
        all.push_back({spec.name, spec.shape, dtype, (*this)[spec.name].data()});
    }
    return all;
}

template <class T>
void Tensors<T>::clear() {
    // Bit by bit through memcpy: passed as a value, a signalling NaN may become quiet.
    for (T& element : arena_) {
        std::memcpy(&element, &kUnwritten<T>, sizeof(T));
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
