#include <span>
#include <stdexcept>

#include "byhand/reference.h"
#include "harness/isolated/hints.h"
#include "library/checked.h"
#include "library/sampled.h"

namespace byhand {
namespace {

template <class T>
Trial trial_of(const View& mine, const Sampled& right) {
    constexpr double kUnit = sizeof(T) == sizeof(float) ? 1 : 0x1p-29;  // of T's rounding over that of float's
    std::vector<double> limits = right.limits;
    for (double& limit : limits) {
        limit *= kUnit;
    }
    const std::span<const T> ours(static_cast<const T*>(mine.data), count(mine.shape));
    Trial trial = trial_against(ours, right.exact.numbers, limits);
    if (trial.verdict == Verdict::mismatch) {
        trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), right.exact.numbers, limits, mine.shape,
                          extents_of(mine.shape));
    }
    return trial;
}

}  // namespace

Report check(const View& mine, const Matches& right) {
    if (mine.dtype == DType::int64) {
        throw std::invalid_argument(mine.name + " has indices; floats or doubles are compared");
    }
    const std::vector<Sampled> all = sampled(right.evaluate(), {});
    Checked checked{.name = mine.name,
                    .shape = mine.shape,
                    .in_double = mine.dtype == DType::float64,
                    .trials = 1,
                    .reads = {},
                    .trial = {}};
    if (all.at(0).exact.shape != mine.shape) {
        checked.trial.verdict = Verdict::shape;
        checked.trial.note =
            "has the shape " + to_string(mine.shape) + ", but the reference's is " + to_string(all[0].exact.shape);
    } else {
        checked.trial = checked.in_double ? trial_of<double>(mine, all[0]) : trial_of<float>(mine, all[0]);
    }
    return report_of(mine.name, "", {std::move(checked)});
}

bool Matches::match(const View& mine) const {
    const Report report = check(mine, *this);
    text_ = text_after(mine.name, report);
    return report.agrees();
}

}  // namespace byhand
