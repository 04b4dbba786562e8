#include "byhand/view.h"

#include <algorithm>

namespace byhand {

std::size_t size_of(DType dtype) {
    return dtype == DType::float32 ? sizeof(float) : sizeof(double);
}

double value_at(const View& view, std::size_t position) {
    switch (view.dtype) {
        case DType::float32:
            return static_cast<const float*>(view.data)[position];
        case DType::float64:
            return static_cast<const double*>(view.data)[position];
        case DType::int64:
            return static_cast<double>(static_cast<const std::int64_t*>(view.data)[position]);
    }
    return 0;
}

std::vector<std::size_t> index_of(const Shape& shape, std::size_t position) {
    std::vector<std::size_t> index(shape.size());
    for (std::size_t axis = shape.size(); axis-- > 0;) {
        index[axis] = position % shape[axis];
        position /= shape[axis];
    }
    return index;
}

const View* find(const std::vector<View>& views, const std::string& name) {
    const auto found = std::ranges::find_if(views, [&](const View& view) { return view.name == name; });
    return found == views.end() ? nullptr : &*found;
}

}  // namespace byhand
