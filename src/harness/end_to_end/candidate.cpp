#include "harness/end_to_end/candidate.h"

#include "harness/blame/blame.h"

namespace byhand {

std::vector<IsolatedStep> StepCandidate::isolated(const JudgedStep& at) const {
    return run_isolated(steps, isolation, at.inputs(), at.is_first);
}

Limits StepCandidate::limits(const JudgedStep& at, const std::vector<IsolatedStep>& isolated) const {
    return at.limits(chain != nullptr ? *chain : at.chain, at.own,
                     rounding_of(isolated, isolation.leeway == Leeway::order));
}

ModelReport StepCandidate::report(const JudgedStep&, std::vector<ValueReport> values,
                                  std::vector<IsolatedStep> isolated, const Limits&) const {
    const std::vector<ListFault> faults =
        coverage == Coverage::everything ? list_faults(steps, isolation.right.graph) : std::vector<ListFault>();
    return blame(model, std::move(values), std::move(isolated), faults, steps);
}

OtherRounding rounding_of(const std::vector<IsolatedStep>& isolated, bool any_order) {
    OtherRounding other{.deviations = {}, .any_order = any_order};
    for (const IsolatedStep& one : isolated) {
        if (!one.rounding.empty()) {
            other.deviations[one.makes] = one.rounding;
        }
    }
    return other;
}

}  // namespace byhand
