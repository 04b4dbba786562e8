// Equality to the bit.
#pragma once

#include <cstring>
#include <string>

#include "base/tensors.h"

namespace byhand::test {

inline bool same_bytes(const View& a, const View& b) {
    return a.shape == b.shape && a.dtype == b.dtype &&
           std::memcmp(a.data, b.data, count(a.shape) * size_of(a.dtype)) == 0;
}

// The first tensor that is not the same in both; empty if all are.
inline std::string first_different(const Tensors<float>& a, const Tensors<float>& b) {
    const std::vector<View> ours = a.views(), theirs = b.views();
    for (const View& view : ours) {
        const View* same = find(theirs, view.name);
        if (same == nullptr || !same_bytes(view, *same)) {
            return view.name;
        }
    }
    return ours.size() == theirs.size() ? "" : "the number of tensors";
}

}  // namespace byhand::test
