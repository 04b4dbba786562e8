// Every vector type that the kernels were compiled for and this CPU supports, one after the other.
#pragma once

#include <hwy/targets.h>

#include <catch2/catch_test_macros.hpp>
#include <cstdint>

namespace targets {

// Calls visit() with each target as the selected one.
template <class Visit>
void for_each(Visit visit) {
    struct Restore {
        ~Restore() { choose(0); }
        static void choose(std::int64_t target) {
            hwy::SetSupportedTargetsForTest(target);
            hwy::GetChosenTarget().DeInit();  // otherwise the next call uses the previous target
        }
    } restore;
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
        Restore::choose(target);
        INFO(hwy::TargetName(target));
        REQUIRE(hwy::SupportedTargets() == target);
        visit();
    }
}

}  // namespace targets
