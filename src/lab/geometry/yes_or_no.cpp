#include "lab/geometry/yes_or_no.h"

#include <cmath>

#include "lab/geometry/eigen.h"
#include "lab/norm_steps.h"
#include "manual/cross_entropy/formulas.h"
#include "manual/linear/formulas.h"
#include "manual/update.h"

namespace byhand::lab {
namespace {

constexpr std::size_t kAnswers = 2;

// x with a column of ones for the bias: (n, inputs + 1).
std::vector<double> with_ones(const YesOrNo& question) {
    std::vector<double> rows;
    rows.reserve(question.n * (question.inputs + 1));
    for (std::size_t i = 0; i < question.n; ++i) {
        const auto row = question.x.begin() + static_cast<std::ptrdiff_t>(i * question.inputs);
        rows.insert(rows.end(), row, row + static_cast<std::ptrdiff_t>(question.inputs));
        rows.push_back(1);
    }
    return rows;
}

// What loss and gradient are computed in. The weights are one row and the answers z another, z = w·xᵀ: products along
// the rows of long matrices.
struct Room {
    explicit Room(const YesOrNo& question)
        : n(question.n),
          size(question.inputs + 1),
          Y(question.Y.data()),
          x(with_ones(question)),
          xT(n * size),
          z(n),
          dz(n),
          logits(n * kAnswers, 0),
          dlogits(n * kAnswers),
          gradient(size) {
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t k = 0; k < size; ++k) {
                xT[k * n + i] = x[i * size + k];
            }
        }
    }
    std::size_t n, size;
    const std::int64_t* Y;
    std::vector<double> x, xT;
    std::vector<double> z, dz;
    std::vector<double> logits, dlogits;
    std::vector<double> gradient;
};

// Loss and gradient at these weights.
double compute(Room& room, const std::vector<double>& weights) {
    matmul_forward(room.z.data(), weights.data(), room.xT.data(), 1, room.size, room.n);
    for (std::size_t i = 0; i < room.n; ++i) {
        room.logits[i * kAnswers + 1] = room.z[i];
    }
    double loss = 0;
    cross_entropy_with_gradient(&loss, room.dlogits.data(), room.logits.data(), room.Y, room.n, kAnswers,
                                [](double* y, const double* x, std::size_t count) { softmax_exp(y, x, count); });
    for (std::size_t i = 0; i < room.n; ++i) {
        room.dz[i] = room.dlogits[i * kAnswers + 1];
    }
    matmul_forward(room.gradient.data(), room.dz.data(), room.x.data(), 1, room.n, room.size);
    return loss;
}

// Σ factor·xxᵀ.
std::vector<double> products(const Room& room, const std::vector<double>& factors) {
    std::vector<double> scaled = room.x;
    for (std::size_t at = 0; at < scaled.size(); ++at) {
        scaled[at] *= factors[at / room.size];
    }
    std::vector<double> matrix(room.size * room.size);
    linear_weight_backward(matrix.data(), room.x.data(), scaled.data(), room.n, room.size, room.size);
    return matrix;
}

// Of the loss at the weights that were computed last. dz = (p − y)/n.
std::vector<double> curvature_of(const Room& room) {
    const auto n = static_cast<double>(room.n);
    std::vector<double> factors(room.n);
    for (std::size_t i = 0; i < room.n; ++i) {
        const double p = n * room.dz[i] + static_cast<double>(room.Y[i]);
        factors[i] = p * (1 - p) / n;
    }
    return products(room, factors);
}

// Newton's step: what the gradient divided by the curvature is, along those directions in which the loss bends at all.
std::vector<double> newton_step(const std::vector<double>& gradient, const Eigen& bend) {
    constexpr double kFlat = 1e-13;
    const std::size_t size = gradient.size();
    std::vector<double> step(size, 0);
    for (std::size_t k = 0; k < size && bend.values[k] > kFlat * bend.values.front(); ++k) {
        const double* direction = &bend.vectors[k * size];
        double along = 0;
        for (std::size_t i = 0; i < size; ++i) {
            along += direction[i] * gradient[i];
        }
        for (std::size_t i = 0; i < size; ++i) {
            step[i] += along / bend.values[k] * direction[i];
        }
    }
    return step;
}

}  // namespace

double loss_of(const YesOrNo& question, const std::vector<double>& weights) {
    Room room(question);
    return compute(room, weights);
}

std::vector<double> gradient_of(const YesOrNo& question, const std::vector<double>& weights) {
    Room room(question);
    compute(room, weights);
    return room.gradient;
}

std::vector<double> gram_matrix(const YesOrNo& question) {
    return products(Room(question), std::vector<double>(question.n, 1 / static_cast<double>(question.n)));
}

std::vector<double> curvature(const YesOrNo& question, const std::vector<double>& weights) {
    Room room(question);
    compute(room, weights);
    return curvature_of(room);
}

YesOrNo standardised(const YesOrNo& question) {
    NormConfig norm;
    norm.batch_divisor = Divisor::n;
    const NormInput<double> in{question.n,
                               question.inputs,
                               question.x,
                               {},
                               std::vector<double>(question.inputs, 1),
                               std::vector<double>(question.inputs, 0)};
    return {question.n, question.inputs, norm_forward(in, norm).y, question.Y};
}

std::vector<double> descend(const YesOrNo& question, std::vector<double> weights, double rate, std::size_t steps,
                            std::size_t free,
                            const std::function<bool(double loss, const std::vector<double>& weights)>& watch) {
    Room room(question);
    for (std::size_t step = 0; step < steps; ++step) {
        if (!watch(compute(room, weights), weights)) {
            break;
        }
        byhand::descend(weights.data(), weights.data(), room.gradient.data(), &rate, free);
    }
    return weights;
}

std::vector<double> best_weights(const YesOrNo& question) {
    constexpr std::size_t kMostSteps = 100;
    constexpr double kShortest = 1e-10;
    Room room(question);
    std::vector<double> weights(question.inputs + 1, 0);
    for (std::size_t taken = 0; taken < kMostSteps; ++taken) {
        const double loss = compute(room, weights);
        const std::vector<double> step =
            newton_step(room.gradient, symmetric_eigen(curvature_of(room), weights.size()));
        double share = 2;
        std::vector<double> next = weights;
        double next_loss = 0;
        do {  // half as far, until the loss falls
            share /= 2;
            for (std::size_t i = 0; i < next.size(); ++i) {
                next[i] = weights[i] - share * step[i];
            }
            next_loss = compute(room, next);
        } while (!(next_loss < loss) && share > kShortest);
        if (!(next_loss < loss)) {
            break;
        }
        weights = next;
    }
    return weights;
}

}  // namespace byhand::lab
