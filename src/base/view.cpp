#include "byhand/view.h"

#include <algorithm>
#include <cstdint>

#include "base/narrow.h"

namespace byhand {

std::size_t size_of(DType dtype) {
    switch (dtype) {
        case DType::int8:
            return 1;
        case DType::int16:
        case DType::bfloat16:
        case DType::float16:
            return 2;
        case DType::int32:
        case DType::float32:
            return 4;
        case DType::int64:
        case DType::float64:
            return 8;
    }
    return 0;
}

double value_at(const View& view, std::size_t position) {
    const auto at = [&]<class T>(T /*type*/) { return static_cast<const T*>(view.data)[position]; };
    switch (view.dtype) {
        case DType::float32:
            return at(0.0F);
        case DType::float64:
            return at(0.0);
        case DType::int8:
            return at(std::int8_t{});
        case DType::int16:
            return at(std::int16_t{});
        case DType::int32:
            return at(std::int32_t{});
        case DType::int64:
            return static_cast<double>(at(std::int64_t{}));
        case DType::bfloat16:
            return of_bfloat16(at(std::uint16_t{}));
        case DType::float16:
            return of_float16(at(std::uint16_t{}));
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
