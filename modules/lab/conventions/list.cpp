// The conventions, with their sources.
#include "lab/conventions/conventions.h"

namespace byhand::lab {
namespace {

// A file of the lectures: github.com/karpathy/nn-zero-to-hero.
std::string lecture(const std::string& file) {
    return "github.com/karpathy/nn-zero-to-hero, lectures/makemore/" + file;
}

// ε is inside the root, and running statistics are variances, unless a convention changes it.
NormConfig norm_of(Divisor batch, Divisor running, double weight_of_new, double epsilon) {
    NormConfig norm;
    norm.batch_divisor = batch;
    norm.running_divisor = running;
    norm.momentum = weight_of_new;
    norm.epsilon = epsilon;
    return norm;
}

}  // namespace

std::vector<Convention> conventions_of_the_field() {
    constexpr Divisor n = Divisor::n, n_minus_1 = Divisor::n_minus_1;
    std::vector<Convention> all = {
        {"PyTorch",
         norm_of(n, n_minus_1, 0.1, 1e-5),
         1,
         "0.1 of the new",
         {"pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html",
          "github.com/pytorch/pytorch, aten/src/ATen/native/Normalization.cpp (unbiased_var)"}},
        // The notes do not say how they evaluate: recipe notes does it as part 3 of the lectures.
        {"notes 1, 3",
         norm_of(n_minus_1, n_minus_1, 0.001, 1e-5),
         1,
         "0.001 of the new",
         {"note 1: mean, variance with n - 1, 1e-5 inside the root", "recipes/notes.json: the running statistics"}},
        {"note 4, σ + ε",
         norm_of(n_minus_1, n_minus_1, 0.001, 1e-5),
         1,
         "0.001 of the new",
         {"note 4: (z - mean)/(deviation + epsilon)", "github.com/pjreddie/darknet/pull/17 (darknet has it outside)",
          "github.com/pytorch/pytorch/pull/1804 (PyTorch's page once had it so)"}},
        {"Keras",
         norm_of(n, n, 0.01, 1e-3),
         1,
         "0.99 of the old",
         {"tensorflow.org/versions/r2.6/api_docs, tf.keras.layers.BatchNormalization",
          "github.com/keras-team/keras, keras/src/layers/normalization/batch_normalization.py",
          "github.com/keras-team/keras, keras/src/backend/numpy/nn.py (moments)"}},
        {"makemore 3, script",
         norm_of(n_minus_1, n_minus_1, 0.001, 0),
         1,
         "0.001 of the new",
         {lecture("makemore_part3_bn.ipynb (bnstd_running, hpreact.std)")}},
        {"makemore 3, class",
         norm_of(n_minus_1, n_minus_1, 0.1, 1e-5),
         1,
         "0.1 of the new",
         {lecture("makemore_part3_bn.ipynb (class BatchNorm1d, x.var)")}},
        {"makemore 4",
         norm_of(n_minus_1, n_minus_1, 1, 1e-5),
         1,
         "none",
         {lecture("makemore_part4_backprop.ipynb (exercise 4: unbiased=True)")}},
        {"cs231n",
         norm_of(n, n, 0.1, 1e-5),
         0,
         "0.9 of the old",
         {"assignment2/cs231n/layers.py, docstring and head of batchnorm_forward (uncorrected sample variance), as in "
          "github.com/0809zheng/CS231n-assignment2019",
          "docs.scipy.org/doc/numpy-1.5.x/reference/generated/numpy.var.html (ddof = 0)"}},
    };
    all[2].norm.epsilon_place = EpsilonPlace::outside;
    all[4].norm.running_spread = RunningSpread::deviation;
    all[6].norm.evaluation = EvaluationFigures::training_set;
    return all;
}

}  // namespace byhand::lab
