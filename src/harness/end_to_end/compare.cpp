#include "harness/end_to_end/compare_views.h"

namespace byhand {

Finding compare_tensor(const View* manual, const View* torch, const View* oracle, std::span<const double> limits,
                       Vacuous vacuous) {
    if (manual == nullptr || torch == nullptr) {
        const View* present = manual != nullptr ? manual : torch;
        Finding result;
        result.shape = present != nullptr ? present->shape : Shape{};
        result.note = present == nullptr  ? "neither side has one"
                      : manual == nullptr ? "the hand-written implementation has none"
                                          : "LibTorch has none";
        return result;
    }
    const View* right = oracle != nullptr && oracle->shape == manual->shape ? oracle : nullptr;
    const JudgeOptions options{.too_wide = TooWide::held_to_widest, .vacuous = vacuous};
    Finding result = judge(*manual, right, torch, limits, options);
    if (result.verdict == Verdict::shape) {
        result.note = manual->shape != torch->shape
                          ? to_string(manual->shape) + " against LibTorch's " + to_string(torch->shape)
                          : "element types differ";
    }
    return result;
}

}  // namespace byhand
