#include <span>
#include <stdexcept>

#include "base/narrow.h"
#include "byhand/reference.h"
#include "harness/isolated/stored.h"
#include "library/checked.h"
#include "library/sampled.h"

namespace byhand {
namespace {

// T is float, which has all numbers of fewer bits, or double.
template <class T>
Trial trial_in(const View& yours, const Sampled& right) {
    const std::vector<T> ours =
        loaded<T>({static_cast<const std::byte*>(yours.data), count(yours.shape) * size_of(yours.dtype)}, yours.dtype);
    return trial_of(std::span<const T>(ours),
                    {yours.name, yours.shape, right.exact.numbers, limits_in(yours.dtype, right, right.limits),
                     [&] { return extents_of(yours.shape); }});
}

}  // namespace

Report check(const View& yours, const Matches& right) {
    if (is_integer(yours.dtype)) {
        throw std::invalid_argument(yours.name + " has integers; only numbers are compared");
    }
    std::vector<Sampled> all = sampled(right.evaluate(), {});
    if (yours.dtype == DType::float64) {
        sample_in_double(right.evaluate(), {}, all);
    }
    Checked checked{.name = yours.name, .shape = yours.shape, .type = yours.dtype, .trials = 1};
    if (all.at(0).exact.shape != yours.shape) {
        checked.trial.verdict = Verdict::shape;
        checked.trial.note =
            "has the shape " + to_string(yours.shape) + ", but the reference's is " + to_string(all[0].exact.shape);
    } else {
        checked.trial =
            yours.dtype == DType::float64 ? trial_in<double>(yours, all[0]) : trial_in<float>(yours, all[0]);
    }
    return report_of(yours.name, "", {std::move(checked)});
}

bool Matches::match(const View& yours) const {
    const Report report = check(yours, *this);
    text_ = text_after(yours.name, report);
    return report.agrees();
}

}  // namespace byhand
