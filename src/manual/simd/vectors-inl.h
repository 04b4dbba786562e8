// Vectors of float, as wide as the CPU's. Included once for each vector type (see hwy/foreach_target.h).
#if defined(BYHAND_SIMD_VECTORS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BYHAND_SIMD_VECTORS_INL_H
#undef BYHAND_SIMD_VECTORS_INL_H
#else
#define BYHAND_SIMD_VECTORS_INL_H
#endif

#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace byhand::simd::HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

}  // namespace byhand::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
