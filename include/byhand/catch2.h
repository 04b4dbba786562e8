// Catch2's names of what byhand checks, for messages:
//   REQUIRE_THAT(byhand::tensor("dx", yours, {32, 100}), byhand::matches(f, x, dy));
//   REQUIRE_THAT(byhand::kernel("softmax_backward", softmax_backward<float>), byhand::is_vjp_of(softmax).shapes({{7,
//   27}}));
#pragma once

#include <catch2/catch_tostring.hpp>
#include <catch2/matchers/catch_matchers.hpp>
#include <string>

#include "byhand/kernel.h"
#include "byhand/view.h"

namespace Catch {

template <>
struct StringMaker<byhand::View> {
    static std::string convert(const byhand::View& view) { return view.name; }
};
template <>
struct StringMaker<byhand::Kernel> {
    static std::string convert(const byhand::Kernel& kernel) { return kernel.named.name; }
};

}  // namespace Catch
