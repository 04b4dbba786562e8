// Values that the harness makes itself: by name, owning what views show.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/network.h"
#include "base/tensors.h"
#include "base/view.h"

namespace byhand {

class Values {
public:
    // A copy of the view: float as float, indices as indices; double is rounded to float.
    void put(const View& view);
    void put(const TensorSpec& spec, std::vector<float> values);
    void put(const TensorSpec& spec, std::vector<std::int64_t> values);

    bool contains(const std::string& name) const { return entries_.contains(name); }
    std::vector<View> views() const;

    // Throw std::out_of_range where there is no such name, or where it is of the other kind.
    const std::vector<float>& numbers(const std::string& name) const;
    const std::vector<std::int64_t>& indices(const std::string& name) const;
    bool holds_indices(const std::string& name) const { return !entries_.at(name).indices.empty(); }

private:
    struct Entry {
        Shape shape;
        std::vector<float> numbers;
        std::vector<std::int64_t> indices;
    };
    std::map<std::string, Entry> entries_;
};

}  // namespace byhand
