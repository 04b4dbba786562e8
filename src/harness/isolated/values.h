// Values made by the harness, by name; they own what their views show. Numbers are doubles, which may all be floats.
#pragma once

#include <cstdint>
#include <map>
#include <string>
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

    bool contains(const std::string& name) const { return entries_.contains(name); }
    std::vector<View> views() const;
    std::size_t elements() const;  // of all of them

    // Throw std::out_of_range if the name is missing or of the other kind.
    const std::vector<double>& numbers(const std::string& name) const;
    const std::vector<std::int64_t>& indices(const std::string& name) const;
    bool holds_indices(const std::string& name) const { return !entries_.at(name).indices.empty(); }

private:
    struct Entry {
        Shape shape;
        std::vector<double> numbers;
        std::vector<std::int64_t> indices;
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
Values with_digits_of_doubles(const Values& floats);

}  // namespace byhand
