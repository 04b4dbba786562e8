// Reports for GoogleTest:
//   EXPECT_TRUE(byhand::result(byhand::check(byhand::kernel("gelu", gelu<float>), byhand::computes(at_gelu))));
#pragma once

#include <gtest/gtest.h>

#include "byhand/report.h"

namespace byhand {

inline testing::AssertionResult result(const Report& report) {
    return (report.agrees() ? testing::AssertionSuccess() : testing::AssertionFailure()) << report.text();
}

}  // namespace byhand
