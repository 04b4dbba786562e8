#include <span>
#include <stdexcept>
#include <type_traits>

#include "byhand/reference.h"
#include "harness/isolated/hints.h"
#include "library/checked.h"
#include "library/sampled.h"

namespace byhand {
namespace {

template <class T>
Trial trial_of(const View& yours, const Sampled& right) {
    const std::vector<double> limits = std::is_same_v<T, float> ? right.limits : limits_in_double(right.limits);
    const std::span<const T> ours(static_cast<const T*>(yours.data), count(yours.shape));
    Trial trial = trial_against(ours, right.exact.numbers, limits);
    if (trial.verdict == Verdict::mismatch) {
        trial.hint = hint(std::vector<double>(ours.begin(), ours.end()), right.exact.numbers, limits, yours.shape,
                          extents_of(yours.shape));
    }
    return trial;
}

}  // namespace

Report check(const View& yours, const Matches& right) {
    if (yours.dtype == DType::int64) {
        throw std::invalid_argument(yours.name + " has indices; floats or doubles are compared");
    }
    const std::vector<Sampled> all = sampled(right.evaluate(), {});
    Checked checked{.name = yours.name,
                    .shape = yours.shape,
                    .in_double = yours.dtype == DType::float64,
                    .trials = 1,
                    .out_of_range = 0,
                    .reads = {},
                    .trial = {}};
    if (all.at(0).exact.shape != yours.shape) {
        checked.trial.verdict = Verdict::shape;
        checked.trial.note =
            "has the shape " + to_string(yours.shape) + ", but the reference's is " + to_string(all[0].exact.shape);
    } else {
        checked.trial = checked.in_double ? trial_of<double>(yours, all[0]) : trial_of<float>(yours, all[0]);
    }
    return report_of(yours.name, "", {std::move(checked)});
}

bool Matches::match(const View& yours) const {
    const Report report = check(yours, *this);
    text_ = text_after(yours.name, report);
    return report.agrees();
}

}  // namespace byhand
