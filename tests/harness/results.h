// Results of comparisons as they come out, for the tests of what shows them.
#pragma once

#include <string>
#include <vector>

#include "harness/comparison.h"

namespace byhand::test {

inline TensorResult within(const std::string& name, const Shape& shape, double difference, double limit) {
    TensorResult r;
    r.name = name;
    r.shape = shape;
    r.max_abs_diff = difference;
    r.max_ulp = 12;
    r.worst = Worst{.position = count(shape) - 1, .manual = 0.5, .torch = -0.25, .oracle = 0.125};
    r.error_manual = 3e-9;
    r.error_torch = 4e-9;
    r.limit = limit;
    r.verdict = difference <= limit ? Verdict::within : Verdict::mismatch;
    return r;
}

inline TensorResult exact(const std::string& name, const Shape& shape) {
    TensorResult r = within(name, shape, 0, 1e-6);
    r.bit_equal = true;
    r.max_ulp = 0;
    r.worst = Worst{.position = 0, .manual = 7, .torch = 7, .oracle = 7};
    r.verdict = Verdict::exact;
    return r;
}

inline TensorResult missing(const std::string& name) {
    TensorResult r;
    r.name = name;
    r.shape = {3};
    r.note = "LibTorch's side has none";
    return r;
}

inline ComparedStep step_of(std::size_t number, const std::vector<TensorResult>& results,
                            const std::string& model = "stepwise", const std::string& witness = "stepwise") {
    ComparedStep step{.step = number, .loss_manual = 3.25, .loss_torch = 3.5, .tensors = {}};
    for (const TensorResult& result : results) {
        step.tensors.push_back({model, witness, result});
    }
    return step;
}

inline bool everything(const std::string& /*name*/) {
    return true;
}

}  // namespace byhand::test
