#include <algorithm>

#include "lab/walkthrough/walkthrough.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kShown = 3;

// Where a tensor is looked at along an axis that is not its last.
std::size_t index_along(Axis axis, const Followed& followed) {
    const NetworkConfig& network = followed.wording.network;
    switch (axis) {
        case Axis::row:
            return followed.row;
        case Axis::position:
            return network.context - 1;
        case Axis::input:
            return (network.context - 1) * network.embedding;
        case Axis::embedded:
        case Axis::character:
            return followed.character();
        case Axis::unit:
        case Axis::dimension:
            break;
    }
    return 0;
}

// The first few along the last axis.
std::vector<Place> last_along(Axis axis, std::size_t extent, const Followed& followed) {
    std::vector<Place> places;
    if (axis == Axis::row) {
        return {{followed.row, ""}};
    }
    if (axis == Axis::character) {
        places.push_back({followed.target(), followed.character_in_words(followed.target())});
        for (std::size_t i = 0; i < extent && places.size() < kShown; ++i) {
            if (i != followed.target()) {
                places.push_back({i, followed.character_in_words(i)});
            }
        }
        return places;
    }
    const std::size_t first = axis == Axis::input ? index_along(axis, followed) : 0;
    for (std::size_t i = first; i < std::min(extent, first + kShown); ++i) {
        places.push_back({i, (axis == Axis::unit ? "unit " : "dim. ") + std::to_string(i - first)});
    }
    return places;
}

}  // namespace

std::size_t Followed::target() const {
    return static_cast<std::size_t>(wording.Y[row]);
}

std::size_t Followed::character() const {
    return static_cast<std::size_t>(wording.X[(row + 1) * wording.network.context - 1]);
}

std::string Followed::character_in_words(std::size_t number) const {
    return "'" + wording.characters[number] + "'";
}

std::vector<Place> places_of(const std::string& tensor, const Shape& shape, const Followed& followed) {
    if (shape.empty()) {
        return {{0, ""}};
    }
    const std::vector<Axis> axes =
        axes_of(tensor, shape.size(), followed.wording).value_or(std::vector<Axis>(shape.size(), Axis::dimension));
    std::size_t before = 0;
    for (std::size_t axis = 0; axis + 1 < shape.size(); ++axis) {
        before = (before + index_along(axes[axis], followed)) * shape[axis + 1];
    }
    std::vector<Place> places = last_along(axes.back(), shape.back(), followed);
    for (Place& place : places) {
        place.position += before;
    }
    return places;
}

}  // namespace byhand::lab
