#include "base/parts.h"

namespace byhand {

std::vector<BatchPart> parts_of(std::size_t rows, std::size_t parts) {
    std::vector<BatchPart> all;
    for (std::size_t k = 0; k < parts; ++k) {
        const std::size_t first = rows * k / parts;
        all.push_back({.first = first, .rows = rows * (k + 1) / parts - first, .batch = rows});
    }
    return all;
}

PartsOfRank parts_of_rank(std::size_t parts, std::size_t rank, std::size_t ranks) {
    return {parts * rank / ranks, parts * (rank + 1) / ranks};
}

}  // namespace byhand
