// Logistic regression, and the valley of its loss.
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>

#include "lab/geometry/geometry.h"
#include "lab/operation.h"
#include "manual/cross_entropy/formulas.h"
#include "manual/linear/formulas.h"
#include "manual/optimizer/formulas.h"

namespace byhand::lab {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kClasses = 2;

// The memory of a computation. Weights are one row and z another, z = w·xᵀ: products along the rows of long matrices.
struct Workspace {
    explicit Workspace(const Regression& data) : n(data.n), size(data.inputs + 1), Y(data.Y.data()) {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t k = 0; k < data.inputs; ++k) {
                x[i * size + k] = xT[k * n + i] = data.x[i * data.inputs + k];
            }
        }
    }
    std::size_t n, size;
    const std::int64_t* Y;
    std::vector<double> x = std::vector<double>(n * size, 1), xT = x;  // with a column of ones for the bias
    std::vector<double> z = std::vector<double>(n), dz = z, gradient = std::vector<double>(size);
    std::vector<double> logits = std::vector<double>(n * kClasses), dlogits = logits;
};

// The loss; the gradient stays in the workspace.
double compute(Workspace& work, const std::vector<double>& weights) {
    matmul_forward(work.z.data(), weights.data(), work.xT.data(), 1, work.size, work.n);
    for (std::size_t i = 0; i < work.n; ++i) {
        work.logits[i * kClasses + 1] = work.z[i];
    }
    double loss = 0;
    cross_entropy_with_gradient(&loss, work.dlogits.data(), work.logits.data(), work.Y, work.n, kClasses, work.n,
                                [](double* y, const double* x, std::size_t count) { softmax_exp(y, x, count); });
    for (std::size_t i = 0; i < work.n; ++i) {
        work.dz[i] = work.dlogits[i * kClasses + 1];
    }
    matmul_forward(work.gradient.data(), work.dz.data(), work.x.data(), 1, work.n, work.size);
    return loss;
}

// Σ factor·xxᵀ.
std::vector<double> products(const Workspace& work, const std::vector<double>& factors) {
    std::vector<double> scaled = work.x;
    for (std::size_t at = 0; at < scaled.size(); ++at) {
        scaled[at] *= factors[at / work.size];
    }
    std::vector<double> matrix(work.size * work.size);
    linear_weight_backward(matrix.data(), work.x.data(), scaled.data(), work.n, work.size, work.size);
    return matrix;
}

// At the weights of the last `compute`: dz = (p − y)/n.
std::vector<double> curvature_of(const Workspace& work) {
    const auto n = static_cast<double>(work.n);
    std::vector<double> factors(work.n);
    for (std::size_t i = 0; i < work.n; ++i) {
        const double p = n * work.dz[i] + static_cast<double>(work.Y[i]);
        factors[i] = p * (1 - p) / n;
    }
    return products(work, factors);
}

// Row by row, as the rest of the project.
using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Solver = Eigen::SelfAdjointEigenSolver<Matrix>;

Solver solved(const std::vector<double>& matrix, std::size_t size) {
    const auto rows = static_cast<Eigen::Index>(size);
    return Solver(Eigen::Map<const Matrix>(matrix.data(), rows, rows));
}

// Newton's step: the gradient over the curvature, along those directions in which the loss bends at all.
Eigen::VectorXd newton_step(const Workspace& work) {
    constexpr double kFlat = 1e-13;
    const Solver bend = solved(curvature_of(work), work.size);
    const Eigen::ArrayXd values = bend.eigenvalues();
    const Eigen::Map<const Eigen::VectorXd> gradient(work.gradient.data(), values.size());
    const Eigen::ArrayXd along = bend.eigenvectors().transpose() * gradient;
    const Eigen::VectorXd steps = (values > kFlat * values.maxCoeff()).select(along / values, 0);
    return bend.eigenvectors() * steps;
}

// Bisection of its logarithm, to two thousandths. Where the classes are linearly separable every rate converges, to
// weights without end: then the largest that is tried.
double largest_rate(const Regression& data, double guess, std::size_t steps) {
    constexpr double kTo = 1.002, kMostTimes = 1 << 20;
    double low = guess;
    while (!converges(data, low, steps)) {
        low /= 2;
    }
    double high = 2 * low;
    while (converges(data, high, steps)) {
        low = high;
        high *= 2;
        if (high > kMostTimes * guess) {
            return low;
        }
    }
    while (high / low > kTo) {
        const double middle = std::sqrt(low * high);
        (converges(data, middle, steps) ? low : high) = middle;
    }
    return low;
}

// Infinite if the limit is reached before the target.
double steps_to(const Regression& data, double rate, double target, std::size_t limit) {
    double steps = kInfinity, step = 0;
    descend(data, rate, limit + 1, [&](double loss) {
        if (loss <= target) {
            steps = step;
        }
        ++step;
        return !(loss <= target);
    });
    return steps;
}

}  // namespace

double loss_of(const Regression& data, const std::vector<double>& weights) {
    Workspace work(data);
    return compute(work, weights);
}

std::vector<double> gradient_of(const Regression& data, const std::vector<double>& weights) {
    Workspace work(data);
    compute(work, weights);
    return work.gradient;
}

std::vector<double> gram_matrix(const Regression& data) {
    return products(Workspace(data), std::vector<double>(data.n, 1 / static_cast<double>(data.n)));
}

std::vector<double> curvature(const Regression& data, const std::vector<double>& weights) {
    Workspace work(data);
    compute(work, weights);
    return curvature_of(work);
}

Regression standardised(const Regression& data) {
    const NormConfig norm{.affine = false, .batch_divisor = Divisor::n};
    Tensors<double> values;
    values.put({"hprebn", {data.n, data.inputs}}, data.x);
    run(operation_graph(op::kBatchnorm, norm, data.n, data.inputs).forward, values);
    return {data.n, data.inputs, values.copy_of("hpreact"), data.Y};
}

void descend(const Regression& data, double rate, std::size_t steps, const std::function<bool(double loss)>& watch) {
    Workspace work(data);
    std::vector<double> weights(work.size, 0);
    for (std::size_t step = 0; step < steps && watch(compute(work, weights)); ++step) {
        byhand::descend(weights.data(), weights.data(), work.gradient.data(), &rate, work.size);
    }
}

std::vector<double> best_weights(const Regression& data) {
    constexpr std::size_t kMostSteps = 100;
    constexpr double kShortest = 1e-10;
    Workspace work(data);
    std::vector<double> weights(data.inputs + 1, 0);
    for (std::size_t taken = 0; taken < kMostSteps; ++taken) {
        const double loss = compute(work, weights);
        const Eigen::VectorXd step = newton_step(work);
        double share = 2;
        std::vector<double> next = weights;
        double next_loss = 0;
        do {  // half as far, until the loss falls
            share /= 2;
            for (std::size_t i = 0; i < next.size(); ++i) {
                next[i] = weights[i] - share * step[static_cast<Eigen::Index>(i)];
            }
            next_loss = compute(work, next);
        } while (!(next_loss < loss) && share > kShortest);
        if (!(next_loss < loss)) {
            break;
        }
        weights = next;
    }
    return weights;
}

std::vector<double> eigenvalues(const std::vector<double>& matrix, std::size_t size) {
    const Eigen::VectorXd rising = solved(matrix, size).eigenvalues();
    std::vector<double> values(rising.begin(), rising.end());
    std::ranges::reverse(values);
    return values;
}

double condition_number(const std::vector<double>& matrix, std::size_t size) {
    const std::vector<double> values = eigenvalues(matrix, size);
    const double rounding = static_cast<double>(size) * std::numeric_limits<double>::epsilon() * values.front();
    return values.back() > rounding ? values.front() / values.back() : kInfinity;
}

bool converges(const Regression& data, double rate, std::size_t steps) {
    constexpr double kRounding = 1e-12;
    const std::size_t late = steps - steps / 10;
    double before = kInfinity;
    std::size_t step = 0;
    bool falls = true;
    descend(data, rate, steps, [&](double loss) {
        falls = std::isfinite(loss) && (step <= late || loss <= before + kRounding);
        before = loss;
        ++step;
        return falls;
    });
    return falls;
}

Valley measure_valley(const Regression& data, double target, std::size_t steps, std::size_t convergence_steps) {
    const std::size_t size = data.inputs + 1;
    Valley valley;
    valley.condition = condition_number(gram_matrix(data), size);
    valley.largest_rate = largest_rate(
        data, 2 / eigenvalues(curvature(data, std::vector<double>(size, 0)), size).front(), convergence_steps);
    valley.steps = static_cast<double>(steps);
    for (const double share : {1.0, 0.85, 0.7, 0.5, 0.25}) {
        const double rate = share * valley.largest_rate;
        const double taken = steps_to(data, rate, target, static_cast<std::size_t>(valley.steps));
        valley.rate = taken < valley.steps || valley.rate == 0 ? rate : valley.rate;
        valley.steps = std::min(valley.steps, taken);
    }
    return valley;
}

}  // namespace byhand::lab
