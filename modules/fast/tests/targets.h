// Every vector type that the kernels were compiled for and this CPU supports, one after the other.
#pragma once

#include <hwy/targets.h>

#include <catch2/catch_test_macros.hpp>

#include "fast/simd/targets.h"

namespace targets {

// Calls visit() with each target as the selected one.
template <class Visit>
void for_each(Visit visit) {
    for (const byhand::simd::Target& target : byhand::simd::targets()) {
        const byhand::simd::OnTarget while_it_runs(target);
        INFO(target.name);
        REQUIRE(hwy::SupportedTargets() == target.number);
        visit();
    }
}

}  // namespace targets
