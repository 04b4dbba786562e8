// Values made by the harness, by name; they own what their views show. Numbers are doubles, which may all be floats.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"
#include "byhand/view.h"

namespace byhand {

class Values {
public:
    // A copy of the view.
    void put(const View& view);
    void put(const TensorSpec& spec, std::vector<double> values);
    void put(const TensorSpec& spec, const std::vector<float>& values);
    void put(const TensorSpec& spec, std::vector<std::int64_t> values);

    // Each number is change(number, its position) instead. Indices stay.
    template <class Change>
    void change_numbers(Change change) {
        for (auto& [name, entry] : entries_) {
            auto* numbers = std::get_if<std::vector<double>>(&entry.elements);
            for (std::size_t i = 0; numbers != nullptr && i < numbers->size(); ++i) {
                (*numbers)[i] = change((*numbers)[i], i);
            }
        }
    }

    // Leaves out the others.
    template <class IsKept>
    void keep(IsKept is_kept) {
        std::erase_if(entries_, [&](const auto& entry) { return !is_kept(entry.first); });
    }

    bool contains(const std::string& name) const { return entries_.contains(name); }
    std::vector<View> views() const;
    std::size_t elements() const;  // of all of them

    // Throw std::out_of_range if the name is missing, std::bad_variant_access if it is of the other kind.
    const std::vector<double>& numbers(const std::string& name) const {
        return std::get<std::vector<double>>(entries_.at(name).elements);
    }
    const std::vector<std::int64_t>& indices(const std::string& name) const {
        return std::get<std::vector<std::int64_t>>(entries_.at(name).elements);
    }
    bool holds_indices(const std::string& name) const {
        return std::holds_alternative<std::vector<std::int64_t>>(entries_.at(name).elements);
    }

private:
    struct Entry {
        Shape shape;
        std::variant<std::vector<double>, std::vector<std::int64_t>> elements;
    };
    std::map<std::string, Entry> entries_;
};

// Whether values of that name are indices: those of X and Y.
inline bool is_index(const std::string& name) {
    return name == "X" || name == "Y";
}

// Adds digits beyond a float's precision: each number still rounds to the same float. Equal numbers stay equal; numbers
// with few digits, zeros and subnormal numbers are unchanged. A function in double that reads its operands as floats
// has another result on these.
Values with_digits_of_doubles(Values values);

}  // namespace byhand
