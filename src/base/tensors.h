// Named tensors, in the order of their table.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "base/network.h"
#include "byhand/view.h"

namespace byhand {

// The bits of an element that has not been written: a signalling NaN. A copy preserves it, and arithmetic makes it
// quiet, so "never written" and "computed from unwritten elements" are distinguishable.
template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
template <class T>
inline constexpr Bits<T> kUnwritten = static_cast<Bits<T>>(sizeof(T) == 4 ? 0x7fa0b10d : 0x7ff0b10db10db10d);

// True where the element's bits are kUnwritten. Takes an address: passing the value could quiet it.
template <class T>
bool is_unwritten(const T* element) {
    Bits<T> bits;
    std::memcpy(&bits, element, sizeof bits);
    return bits == kUnwritten<T>;
}

// True if the element is the result of arithmetic on kUnwritten: its bits, but quiet, of either sign.
template <class T>
bool is_from_unwritten(const T* element) {
    constexpr auto kSign = Bits<T>{1} << (8 * sizeof(T) - 1);
    constexpr auto kQuiet = Bits<T>{1} << (sizeof(T) == 4 ? 22 : 51);
    Bits<T> bits;
    std::memcpy(&bits, element, sizeof bits);
    return (bits & ~kSign) == (kUnwritten<T> | kQuiet);
}

// The size of a cache line, and of the widest vectors.
inline constexpr std::size_t kAlignment = 64;

// An allocator for std::vector that starts on a cache line.
template <class T>
struct AlignedAllocator {
    using value_type = T;
    AlignedAllocator() = default;
    template <class U>
    AlignedAllocator(const AlignedAllocator<U>&) {}  // NOLINT(google-explicit-constructor): containers convert it
    // Versions of clang-format differ on a space after operator new.
    // clang-format off
    T* allocate(std::size_t n) { return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t{kAlignment})); }
    void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t{kAlignment}); }
    // clang-format on
    bool operator==(const AlignedAllocator&) const { return true; }
};
template <class T>
using AlignedVector = std::vector<T, AlignedAllocator<T>>;

// Throws std::invalid_argument unless the shape has so many elements.
void check_count(const TensorSpec& spec, std::size_t elements);

// Tensors of T, and of indices. T is float or double; or Rounded, which has the members that are defined here. Each
// tensor of T starts on a 64-byte line; addresses hold until the tensor is put again, or the object is destroyed, moved
// from or assigned to.
template <class T>
class Tensors {
public:
    Tensors() = default;
    // Every element unwritten. Throws std::invalid_argument for a duplicate name.
    explicit Tensors(std::vector<TensorSpec> table);
    // The same tensors, converted.
    template <class From>
    explicit Tensors(const Tensors<From>& from) {
        for (const TensorSpec& spec : from.table()) {
            const auto put_all = [&](const auto& values) { put(spec, std::vector(values.begin(), values.end())); };
            from.holds_indices(spec.name) ? put_all(from.indices(spec.name)) : put_all(from[spec.name]);
        }
    }

    // Copies a tensor, converted to T unless it holds indices, and replaces the one of its name. Throws
    // std::invalid_argument if the shape has another number of elements than there are.
    void put(const View& view) {
        const std::size_t elements = count(view.shape);
        if (view.dtype == DType::int64) {
            const auto* data = static_cast<const std::int64_t*>(view.data);
            insert({view.name, view.shape}, Indices(data, data + elements));
            return;
        }
        Numbers numbers(elements);
        for (std::size_t i = 0; i < elements; ++i) {
            numbers[i] = static_cast<T>(value_at(view, i));
        }
        insert({view.name, view.shape}, std::move(numbers));
    }
    template <class From>
    void put(const TensorSpec& spec, const std::vector<From>& values) {
        check_count(spec, values.size());
        if constexpr (dtype_for<From>) {
            put({spec.name, spec.shape, *dtype_for<From>, values.data()});
        } else {
            insert(spec, Numbers(values.begin(), values.end()));
        }
    }

    // Each number is change(number, its position) instead. Indices stay.
    template <class Change>
    void change_numbers(Change change) {
        for (auto& [name, elements] : entries_) {
            auto* numbers = std::get_if<Numbers>(&elements);
            for (std::size_t i = 0; numbers != nullptr && i < numbers->size(); ++i) {
                (*numbers)[i] = change((*numbers)[i], i);
            }
        }
    }

    // Leaves out the others.
    template <class IsKept>
    void keep(IsKept is_kept) {
        std::erase_if(table_, [&](const TensorSpec& spec) { return !is_kept(spec.name); });
        std::erase_if(entries_, [&](const auto& entry) { return !is_kept(entry.first); });
    }

    // In the order in which they were added.
    const std::vector<TensorSpec>& table() const { return table_; }
    std::vector<View> views() const;
    bool contains(const std::string& name) const { return entries_.contains(name); }
    bool holds_indices(const std::string& name) const { return std::holds_alternative<Indices>(entries_.at(name)); }
    std::size_t elements() const;  // of all of them

    // Throw std::out_of_range if the name is missing, std::bad_variant_access if it is of the other kind: errors of the
    // program, not of its input.
    std::span<T> operator[](const std::string& name) { return std::get<Numbers>(entries_.at(name)); }
    std::span<const T> operator[](const std::string& name) const { return std::get<Numbers>(entries_.at(name)); }
    std::span<const std::int64_t> indices(const std::string& name) const {
        return std::get<Indices>(entries_.at(name));
    }
    std::vector<T> copy_of(const std::string& name) const {
        const std::span<const T> numbers = (*this)[name];
        return {numbers.begin(), numbers.end()};
    }

    // Marks every element of T as unwritten again.
    void clear();

private:
    using Numbers = AlignedVector<T>;
    using Indices = std::vector<std::int64_t>;
    using Elements = std::variant<Numbers, Indices>;

    void insert(const TensorSpec& spec, Elements elements) {
        if (entries_.insert_or_assign(spec.name, std::move(elements)).second) {
            table_.push_back(spec);
        } else {
            std::ranges::find(table_, spec.name, &TensorSpec::name)->shape = spec.shape;
        }
    }

    std::vector<TensorSpec> table_;
    std::unordered_map<std::string, Elements> entries_;
};

// Copies every tensor of `from` into the one of that name in `to`, converting between float and double. Throws
// std::out_of_range if `to` lacks a name, std::invalid_argument if the counts differ.
template <class To, class From>
void copy_into(Tensors<To>& to, const Tensors<From>& from);

// The first tensor with an element that is not finite; null if all are finite.
const TensorSpec* first_not_finite(const Tensors<float>& state);

extern template class Tensors<float>;
extern template class Tensors<double>;
extern template void copy_into(Tensors<float>&, const Tensors<float>&);
extern template void copy_into(Tensors<double>&, const Tensors<float>&);

}  // namespace byhand
