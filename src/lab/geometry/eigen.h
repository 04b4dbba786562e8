// The eigenvalues of a symmetric matrix.
#pragma once

#include <cstddef>
#include <vector>

namespace byhand::lab {

struct Eigen {
    std::vector<double> values;   // falling
    std::vector<double> vectors;  // (size, size): row k belongs to values[k], of length 1
};

// By Jacobi's rotations, row by row (Golub and Van Loan, Matrix Computations, 4th ed., section 8.5.5). `matrix` is
// (size, size) and symmetric.
Eigen symmetric_eigen(std::vector<double> matrix, std::size_t size);

// The largest over the smallest. Infinite where the smallest is not positive but for rounding: below size·2^-52 of the
// largest.
double condition_number(const Eigen& eigen);

}  // namespace byhand::lab
