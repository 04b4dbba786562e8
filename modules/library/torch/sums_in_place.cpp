#include "library/torch/moves.h"

#include <ATen/TensorOperators.h>

namespace byhand {

void SumsInPlace::note(const std::string& name, const std::vector<c10::IValue>& arguments) {
    if ((name != "add" && name != "sub") || arguments.size() < 2 || !arguments[0].isTensor() ||
        !arguments[1].isTensor()) {
        return;
    }
    const at::Tensor to = arguments[0].toTensor().detach(), term = arguments[1].toTensor().detach();
    if (!to.defined() || to.numel() == 0 || term.scalar_type() != to.scalar_type()) {
        return;
    }
    Sum& sum = all_[to.data_ptr()];
    if (!sum.left.defined() || !sum.left.equal(to)) {
        sum = {to.abs(), {}, to.eq(0).all().item<bool>() ? std::size_t{0} : std::size_t{1}};
    }
    const at::Scalar factor = arguments.size() > 2 && arguments[2].isScalar() ? arguments[2].toScalar() : at::Scalar(1);
    sum.magnitudes = sum.magnitudes + (term * factor).abs();
    ++sum.terms;
}

at::Tensor SumsInPlace::magnitudes(const at::Tensor& result) const {
    constexpr std::size_t kFew = 3;
    const auto sum = all_.find(result.data_ptr());
    return sum != all_.end() && sum->second.terms >= kFew && sum->second.magnitudes.sizes() == result.sizes()
               ? sum->second.magnitudes
               : at::Tensor();
}

void SumsInPlace::leave(const at::Tensor& result) {
    if (const auto sum = all_.find(result.data_ptr()); sum != all_.end()) {
        sum->second.left = result.detach().clone();
    }
}

}  // namespace byhand
