#include "lab/claims/verdict.h"

#include <cmath>
#include <cstddef>

#include "lab/figures.h"

namespace byhand::lab {

Verdict verdict_of(const std::vector<double>& with, const std::vector<double>& without, Better better) {
    std::vector<double> differences(with.size());
    for (std::size_t i = 0; i < with.size(); ++i) {
        differences[i] = with[i] - without[i];
    }
    const MeanAndDeviation figures = mean_and_deviation(differences);
    Verdict verdict;
    verdict.difference = figures.mean;
    verdict.error = figures.deviation / std::sqrt(static_cast<double>(differences.size()));
    if (differences.size() < 2 || !std::isfinite(figures.mean)) {
        return verdict;
    }
    const double gained = better == Better::larger ? verdict.difference : -verdict.difference;
    const double counts = kErrorsThatCount * verdict.error;
    verdict.outcome = gained > counts    ? Outcome::holds
                      : gained < -counts ? Outcome::does_not_hold
                                         : Outcome::no_difference;
    return verdict;
}

std::string words_of(Outcome outcome) {
    switch (outcome) {
        case Outcome::holds:
            return "holds";
        case Outcome::does_not_hold:
            return "does not hold";
        case Outcome::no_difference:
            return "no difference beyond the spread";
        case Outcome::undecided:
            return "undecided";
    }
    return "undecided";
}

std::string brief(Outcome outcome) {
    return outcome == Outcome::no_difference ? "no difference" : words_of(outcome);
}

}  // namespace byhand::lab
