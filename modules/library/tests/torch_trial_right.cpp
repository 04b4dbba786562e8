// Right kernels, in the formulations and orders of summation that people use.
#include "library/tests/torch_trial_right.h"

namespace byhand::trial {

std::vector<Trial> right_kernels() {
    List list;
    sums(list);
    softmaxes(list);
    logarithms(list);
    cross_entropies(list);
    attention(list);
    norms_backward(list);
    norms(list);
    adam(list);
    activations(list);
    images(list);
    convolutions(list);
    const List others = controls();
    list.insert(list.end(), others.begin(), others.end());
    return list;
}

}  // namespace byhand::trial
