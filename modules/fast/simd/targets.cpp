#include "fast/simd/targets.h"

#include <hwy/targets.h>

namespace byhand::simd {

std::vector<Target> targets() {
    std::vector<Target> all;
    for (const std::int64_t number : hwy::SupportedAndGeneratedTargets()) {
        all.push_back({number, hwy::TargetName(number)});
    }
    return all;
}

OnTarget::OnTarget(const Target& target) {
    hwy::SetSupportedTargetsForTest(target.number);
}

OnTarget::~OnTarget() {
    hwy::SetSupportedTargetsForTest(0);
}

}  // namespace byhand::simd
