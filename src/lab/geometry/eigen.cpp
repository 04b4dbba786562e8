#include "lab/geometry/eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace byhand::lab {
namespace {

// Turns rows (or columns, by `stride`) p and q of a matrix by an angle.
void turn(double* p, double* q, std::size_t size, std::size_t stride, double cosine, double sine) {
    for (std::size_t k = 0; k < size; ++k) {
        const double a = p[k * stride], b = q[k * stride];
        p[k * stride] = cosine * a - sine * b;
        q[k * stride] = sine * a + cosine * b;
    }
}

// One rotation, which makes matrix[p, q] 0.
void rotate(std::vector<double>& matrix, std::vector<double>& vectors, std::size_t size, std::size_t p, std::size_t q) {
    const double off = matrix[p * size + q];
    const double cot = (matrix[q * size + q] - matrix[p * size + p]) / (2 * off);
    const double tangent = (cot >= 0 ? 1 : -1) / (std::abs(cot) + std::hypot(1, cot));
    const double cosine = 1 / std::hypot(1, tangent);
    const double sine = tangent * cosine;
    turn(&matrix[p * size], &matrix[q * size], size, 1, cosine, sine);
    turn(&matrix[p], &matrix[q], size, size, cosine, sine);
    turn(&vectors[p * size], &vectors[q * size], size, 1, cosine, sine);
    matrix[p * size + q] = matrix[q * size + p] = 0;
}

double largest_off_diagonal(const std::vector<double>& matrix, std::size_t size) {
    double largest = 0;
    for (std::size_t p = 0; p < size; ++p) {
        for (std::size_t q = p + 1; q < size; ++q) {
            largest = std::max(largest, std::abs(matrix[p * size + q]));
        }
    }
    return largest;
}

}  // namespace

Eigen symmetric_eigen(std::vector<double> matrix, std::size_t size) {
    constexpr std::size_t kMostSweeps = 60;
    std::vector<double> vectors(size * size, 0);
    for (std::size_t k = 0; k < size; ++k) {
        vectors[k * size + k] = 1;
    }
    for (std::size_t sweep = 0; sweep < kMostSweeps && largest_off_diagonal(matrix, size) > 0; ++sweep) {
        for (std::size_t p = 0; p < size; ++p) {
            for (std::size_t q = p + 1; q < size; ++q) {
                const double off = std::abs(matrix[p * size + q]);
                const double least = std::min(std::abs(matrix[p * size + p]), std::abs(matrix[q * size + q]));
                if (off <= least * std::numeric_limits<double>::epsilon() / 16) {
                    matrix[p * size + q] = matrix[q * size + p] = 0;
                } else {
                    rotate(matrix, vectors, size, p, q);
                }
            }
        }
    }
    std::vector<std::size_t> order(size);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return matrix[a * size + a] > matrix[b * size + b]; });
    Eigen eigen;
    eigen.values.reserve(size);
    eigen.vectors.reserve(size * size);
    for (const std::size_t k : order) {
        eigen.values.push_back(matrix[k * size + k]);
        const auto row = vectors.begin() + static_cast<std::ptrdiff_t>(k * size);
        eigen.vectors.insert(eigen.vectors.end(), row, row + static_cast<std::ptrdiff_t>(size));
    }
    return eigen;
}

double condition_number(const Eigen& eigen) {
    const double largest = eigen.values.front(), smallest = eigen.values.back();
    const double rounding = static_cast<double>(eigen.values.size()) * std::numeric_limits<double>::epsilon() * largest;
    return smallest > rounding ? largest / smallest : std::numeric_limits<double>::infinity();
}

}  // namespace byhand::lab
