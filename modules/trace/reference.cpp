#include "trace/reference.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/adaptive_avg_pool2d.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/batch_norm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/conv1d.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/embedding.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/layer_norm.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/max_pool2d.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/nll_loss_nd.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/pow.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/softplus.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <stdexcept>

namespace byhand {
namespace {

using Arguments = TracedArguments;
using Wholes = std::vector<std::int64_t>;
using enum AttributeType;

constexpr std::size_t kAnyNumber = std::numeric_limits<std::size_t>::max();

// ---- Attributes that several operations have ----

const Attribute kDim{"dim", whole}, kNeededDim{"dim", whole, true}, kDims{"dim", wholes}, kKeep{"keepdim", truth};
const Attribute kShape{"normalized_shape", wholes, true};
const Attribute kReduction{"reduction", reduction}, kIgnored{"ignore_index", whole};
const std::vector<Attribute> kConvolution = {
    {"stride", wholes}, {"padding", wholes}, {"dilation", wholes}, {"groups", whole}};

std::int64_t reduction_of(const TracedStep& step) {
    const std::string word = word_of(step, "reduction", "mean");
    return word == "none" ? at::Reduction::None : word == "sum" ? at::Reduction::Sum : at::Reduction::Mean;
}

// One extent stands for both.
Wholes two_of(const TracedStep& step, const char* name, const Wholes& otherwise = {}) {
    const Wholes all = wholes_of(step, name, otherwise);
    return all.size() == 1 ? Wholes{all[0], all[0]} : all;
}

// The one of several results that the step makes.
at::Tensor output_of(const std::vector<at::Tensor>& results, const TracedStep& step) {
    if (*step.output >= results.size()) {
        throw std::invalid_argument("its output is " + std::to_string(*step.output) + ", but there are " +
                                    std::to_string(results.size()) + ", the first of which is 0");
    }
    return results[*step.output];
}

// ---- Operations of more than a line ----

at::Tensor batch_norm(const Arguments& x) {
    const bool training = truth_of(x.step, "training", false);
    if (!training && (!x[1].defined() || !x[2].defined())) {
        throw std::invalid_argument("without training it needs the running mean and variance as inputs 1 and 2");
    }
    // In training they have no influence, and would be changed.
    const at::Tensor mean = training ? at::Tensor() : x[1], variance = training ? at::Tensor() : x[2];
    return at::batch_norm(x[0], x[3], x[4], mean, variance, training, 0.1, number_of(x.step, "eps", 1e-5), false);
}

// x/√(mean x² + ε)·weight
at::Tensor rms_norm(const Arguments& x) {
    Wholes dims;
    for (std::size_t i = 0; i < wholes_of(x.step, "normalized_shape").size(); ++i) {
        dims.push_back(-1 - static_cast<std::int64_t>(i));
    }
    const at::Tensor square = (x[0] * x[0]).mean(dims, true) + number_of(x.step, "eps", 0);
    const at::Tensor y = x[0] * square.rsqrt();
    return x[1].defined() ? y * x[1] : y;
}

// softmax(q·kᵀ·scale + mask)·v. A mask of whole numbers says for each pair whether it counts.
at::Tensor attention(const Arguments& x) {
    const auto width = static_cast<double>(x[0].size(-1));
    const double scale = number_of(x.step, "scale", 1 / std::sqrt(width));
    at::Tensor scores = x[0].matmul(x[1].transpose(-2, -1)) * scale;
    const double least = -std::numeric_limits<double>::infinity();
    if (truth_of(x.step, "is_causal", false)) {
        const at::Tensor counts = at::ones({scores.size(-2), scores.size(-1)}, at::kBool).tril();
        scores = scores.masked_fill(counts.logical_not(), least);
    }
    if (x[3].defined()) {
        scores = at::isFloatingType(x[3].scalar_type()) ? scores + x[3]
                                                        : scores.masked_fill(x[3].to(at::kBool).logical_not(), least);
    }
    return scores.softmax(-1).matmul(x[2]);
}

// Of class indices, or of a probability for each class.
at::Tensor cross_entropy(const Arguments& x) {
    const at::Tensor target = at::isFloatingType(x[1].scalar_type()) ? x[1] : x[1].to(at::kLong);
    return at::cross_entropy_loss(x[0], target, x[2], reduction_of(x.step), whole_of(x.step, "ignore_index", -100),
                                  number_of(x.step, "label_smoothing", 0));
}

at::Tensor power(const Arguments& x) {
    const std::optional<double> base = x.step.inputs[0].number, exponent = x.step.inputs[1].number;
    return exponent ? at::pow(x[0], *exponent) : base ? at::pow(at::Scalar(*base), x[1]) : at::pow(x[0], x[1]);
}

// x·mask/(1 − p); without a mask, as in evaluation, x
at::Tensor dropout(const Arguments& x) {
    return x[1].defined() ? x[0] * x[1].to(x[0].scalar_type()) / (1 - number_of(x.step, "p", 0.5)) : x[0];
}

// A number takes the type of the tensor beside it.
at::Tensor where(const Arguments& x) {
    const bool first_is_number = x.step.inputs[1].number.has_value();
    const at::ScalarType type = x[first_is_number ? 2 : 1].scalar_type();
    return at::where(x[0].to(at::kBool), x[1].to(type), x[2].to(type));
}

at::Tensor max_pool2d(const Arguments& x) {
    return at::max_pool2d(x[0], two_of(x.step, "kernel_size"), two_of(x.step, "stride"), two_of(x.step, "padding", {0}),
                          two_of(x.step, "dilation", {1}), truth_of(x.step, "ceil_mode", false));
}

at::Tensor avg_pool2d(const Arguments& x) {
    return at::avg_pool2d(x[0], two_of(x.step, "kernel_size"), two_of(x.step, "stride"), two_of(x.step, "padding", {0}),
                          truth_of(x.step, "ceil_mode", false), truth_of(x.step, "count_include_pad", true));
}

at::Tensor same(const Arguments& x) {
    return x[0];
}

at::Tensor reshape(const Arguments& x) {
    return x[0].reshape(wholes_of(x.step, "shape"));
}

at::Tensor split(const Arguments& x) {
    const Wholes sizes = wholes_of(x.step, "split_size");
    const std::int64_t dim = whole_of(x.step, "dim", 0);
    const bool is_list = x.step.attributes["split_size"].is_array();
    return output_of(is_list ? x[0].split_with_sizes(sizes, dim) : x[0].split(sizes.at(0), dim), x.step);
}

// Over all dimensions if none is given.
at::Tensor sum(const Arguments& x) {
    const Wholes dims = wholes_of(x.step, "dim");
    return dims.empty() ? x[0].sum() : x[0].sum(dims, truth_of(x.step, "keepdim", false));
}
at::Tensor mean(const Arguments& x) {
    const Wholes dims = wholes_of(x.step, "dim");
    return dims.empty() ? x[0].mean() : x[0].mean(dims, truth_of(x.step, "keepdim", false));
}

at::Tensor squeeze(const Arguments& x) {
    const auto dim = whole_of(x.step, "dim");
    return dim ? x[0].squeeze(*dim) : x[0].squeeze();
}

// ---- The table, by subject ----

using References = std::map<std::string, TracedReference>;

void add_products(References& all) {
    all["linear"] = {2, 3, {}, [](const Arguments& x) { return at::linear(x[0], x[1], x[2]); }};
    all["matmul"] = {2, 2, {}, [](const Arguments& x) { return x[0].matmul(x[1]); }};
    all["mm"] = {2, 2, {}, [](const Arguments& x) { return x[0].mm(x[1]); }};
    all["bmm"] = {2, 2, {}, [](const Arguments& x) { return x[0].bmm(x[1]); }};
    all["addmm"] = {3, 3, {{"beta", number}, {"alpha", number}}, [](const Arguments& x) {
                        return x[0].addmm(x[1], x[2], number_of(x.step, "beta", 1), number_of(x.step, "alpha", 1));
                    }};
    all["conv1d"] = {2, 3, kConvolution, [](const Arguments& x) {
                         return at::conv1d(x[0], x[1], x[2], wholes_of(x.step, "stride", {1}),
                                           wholes_of(x.step, "padding", {0}), wholes_of(x.step, "dilation", {1}),
                                           whole_of(x.step, "groups", 1));
                     }};
    all["conv2d"] = {2, 3, kConvolution, [](const Arguments& x) {
                         return at::conv2d(x[0], x[1], x[2], wholes_of(x.step, "stride", {1}),
                                           wholes_of(x.step, "padding", {0}), wholes_of(x.step, "dilation", {1}),
                                           whole_of(x.step, "groups", 1));
                     }};
    all["embedding"] = {2, 2, {{"padding_idx", whole}}, [](const Arguments& x) {
                            return at::embedding(x[1], x[0].to(at::kLong), whole_of(x.step, "padding_idx", -1));
                        }};
    all["scaled_dot_product_attention"] = {3, 4, {{"is_causal", truth}, {"scale", number}}, attention};
}

void add_arithmetic(References& all) {
    const Attribute alpha{"alpha", number};
    all["add"] = {2, 2, {alpha}, [](const Arguments& x) { return x[0].add(x[1], number_of(x.step, "alpha", 1)); }};
    all["sub"] = {2, 2, {alpha}, [](const Arguments& x) { return x[0].sub(x[1], number_of(x.step, "alpha", 1)); }};
    all["mul"] = {2, 2, {}, [](const Arguments& x) { return x[0] * x[1]; }};
    all["div"] = {2, 2, {}, [](const Arguments& x) { return x[0] / x[1]; }};
    all["pow"] = {2, 2, {}, power};
    all["neg"] = {1, 1, {}, [](const Arguments& x) { return x[0].neg(); }};
    all["abs"] = {1, 1, {}, [](const Arguments& x) { return x[0].abs(); }};
    all["sqrt"] = {1, 1, {}, [](const Arguments& x) { return x[0].sqrt(); }};
    all["rsqrt"] = {1, 1, {}, [](const Arguments& x) { return x[0].rsqrt(); }};
    all["exp"] = {1, 1, {}, [](const Arguments& x) { return x[0].exp(); }};
    all["log"] = {1, 1, {}, [](const Arguments& x) { return x[0].log(); }};
    all["sin"] = {1, 1, {}, [](const Arguments& x) { return x[0].sin(); }};
    all["cos"] = {1, 1, {}, [](const Arguments& x) { return x[0].cos(); }};
    all["sum"] = {1, 1, {kDims, kKeep}, sum};
    all["mean"] = {1, 1, {kDims, kKeep}, mean};
    all["dropout"] = {1, 2, {{"p", number}}, dropout};
}

void add_activations(References& all) {
    all["relu"] = {1, 1, {}, [](const Arguments& x) { return x[0].relu(); }};
    all["leaky_relu"] = {1, 1, {{"negative_slope", number}}, [](const Arguments& x) {
                             return at::leaky_relu(x[0], number_of(x.step, "negative_slope", 0.01));
                         }};
    all["gelu"] = {1, 1, {{"approximate", approximate}}, [](const Arguments& x) {
                       return at::gelu(x[0], word_of(x.step, "approximate", "none"));
                   }};
    all["silu"] = {1, 1, {}, [](const Arguments& x) { return at::silu(x[0]); }};
    all["sigmoid"] = {1, 1, {}, [](const Arguments& x) { return x[0].sigmoid(); }};
    all["tanh"] = {1, 1, {}, [](const Arguments& x) { return x[0].tanh(); }};
    all["softplus"] = {1, 1, {{"beta", number}, {"threshold", number}}, [](const Arguments& x) {
                           return at::softplus(x[0], number_of(x.step, "beta", 1), number_of(x.step, "threshold", 20));
                       }};
    all["softmax"] = {1, 1, {kNeededDim}, [](const Arguments& x) { return x[0].softmax(*whole_of(x.step, "dim")); }};
    all["log_softmax"] = {
        1, 1, {kNeededDim}, [](const Arguments& x) { return x[0].log_softmax(*whole_of(x.step, "dim")); }};
}

void add_norms_and_losses(References& all) {
    const Attribute eps{"eps", number};
    all["layer_norm"] = {1, 3, {kShape, eps}, [](const Arguments& x) {
                             return at::layer_norm(x[0], wholes_of(x.step, "normalized_shape"), x[1], x[2],
                                                   number_of(x.step, "eps", 1e-5));
                         }};
    all["rms_norm"] = {1, 2, {kShape, {"eps", number, true}}, rms_norm};
    all["group_norm"] = {1, 3, {{"num_groups", whole, true}, eps}, [](const Arguments& x) {
                             return at::group_norm(x[0], *whole_of(x.step, "num_groups"), x[1], x[2],
                                                   number_of(x.step, "eps", 1e-5));
                         }};
    all["batch_norm"] = {1, 5, {{"training", truth}, {"momentum", number}, eps}, batch_norm};
    all["cross_entropy"] = {2, 3, {kIgnored, kReduction, {"label_smoothing", number}}, cross_entropy};
    all["nll_loss"] = {2, 3, {kIgnored, kReduction}, [](const Arguments& x) {
                           return at::nll_loss_nd(x[0], x[1].to(at::kLong), x[2], reduction_of(x.step),
                                                  whole_of(x.step, "ignore_index", -100));
                       }};
    all["mse_loss"] = {
        2, 2, {kReduction}, [](const Arguments& x) { return at::mse_loss(x[0], x[1], reduction_of(x.step)); }};
    const Attribute size{"kernel_size", wholes, true}, stride{"stride", wholes}, padding{"padding", wholes};
    const Attribute ceil{"ceil_mode", truth};
    all["max_pool2d"] = {1, 1, {size, stride, padding, {"dilation", wholes}, ceil}, max_pool2d};
    all["avg_pool2d"] = {1, 1, {size, stride, padding, ceil, {"count_include_pad", truth}}, avg_pool2d};
    all["adaptive_avg_pool2d"] = {1, 1, {{"output_size", wholes, true}}, [](const Arguments& x) {
                                      return at::adaptive_avg_pool2d(x[0], two_of(x.step, "output_size"));
                                  }};
}

void add_shapes(References& all) {
    const Attribute shape{"shape", wholes, true};
    all["view"] = all["reshape"] = {1, 1, {shape}, reshape};
    all["expand"] = {
        1, 1, {{"size", wholes, true}}, [](const Arguments& x) { return x[0].expand(wholes_of(x.step, "size")); }};
    all["flatten"] = {1, 1, {{"start_dim", whole}, {"end_dim", whole}}, [](const Arguments& x) {
                          return x[0].flatten(whole_of(x.step, "start_dim", 0), whole_of(x.step, "end_dim", -1));
                      }};
    all["transpose"] = {1, 1, {{"dim0", whole, true}, {"dim1", whole, true}}, [](const Arguments& x) {
                            return x[0].transpose(*whole_of(x.step, "dim0"), *whole_of(x.step, "dim1"));
                        }};
    all["permute"] = {
        1, 1, {{"dims", wholes, true}}, [](const Arguments& x) { return x[0].permute(wholes_of(x.step, "dims")); }};
    all["cat"] = {
        1, kAnyNumber, {kDim}, [](const Arguments& x) { return at::cat(x.tensors, whole_of(x.step, "dim", 0)); }};
    all["stack"] = {
        1, kAnyNumber, {kDim}, [](const Arguments& x) { return at::stack(x.tensors, whole_of(x.step, "dim", 0)); }};
    all["split"] = {1, 1, {{"split_size", wholes, true}, kDim}, split, true};
    all["chunk"] = {1,
                    1,
                    {{"chunks", whole, true}, kDim},
                    [](const Arguments& x) {
                        return output_of(x[0].chunk(*whole_of(x.step, "chunks"), whole_of(x.step, "dim", 0)), x.step);
                    },
                    true};
    all["unbind"] = {1,
                     1,
                     {kDim},
                     [](const Arguments& x) { return output_of(x[0].unbind(whole_of(x.step, "dim", 0)), x.step); },
                     true};
    all["slice"] = {1, 1, {kDim, {"start", whole}, {"end", whole}, {"step", whole}}, [](const Arguments& x) {
                        constexpr std::int64_t kEnd = std::numeric_limits<std::int64_t>::max();
                        return x[0].slice(whole_of(x.step, "dim", 0), whole_of(x.step, "start", 0),
                                          whole_of(x.step, "end", kEnd), whole_of(x.step, "step", 1));
                    }};
    all["select"] = {1, 1, {kNeededDim, {"index", whole, true}}, [](const Arguments& x) {
                         return x[0].select(*whole_of(x.step, "dim"), *whole_of(x.step, "index"));
                     }};
    all["unsqueeze"] = {
        1, 1, {kNeededDim}, [](const Arguments& x) { return x[0].unsqueeze(*whole_of(x.step, "dim")); }};
    all["squeeze"] = {1, 1, {kDim}, squeeze};
    all["masked_fill"] = {2, 2, {{"value", number, true}}, [](const Arguments& x) {
                              return x[0].masked_fill(x[1].to(at::kBool), number_of(x.step, "value", 0));
                          }};
    all["where"] = {3, 3, {}, where};
    const Attribute diagonal{"diagonal", whole};
    all["tril"] = {1, 1, {diagonal}, [](const Arguments& x) { return x[0].tril(whole_of(x.step, "diagonal", 0)); }};
    all["triu"] = {1, 1, {diagonal}, [](const Arguments& x) { return x[0].triu(whole_of(x.step, "diagonal", 0)); }};
    all["eq"] = {2, 2, {}, [](const Arguments& x) { return x[0].eq(x[1]); }};
    all["ne"] = {2, 2, {}, [](const Arguments& x) { return x[0].ne(x[1]); }};
    all["lt"] = {2, 2, {}, [](const Arguments& x) { return x[0].lt(x[1]); }};
    all["le"] = {2, 2, {}, [](const Arguments& x) { return x[0].le(x[1]); }};
    all["gt"] = {2, 2, {}, [](const Arguments& x) { return x[0].gt(x[1]); }};
    all["ge"] = {2, 2, {}, [](const Arguments& x) { return x[0].ge(x[1]); }};
    all["logical_not"] = {1, 1, {}, [](const Arguments& x) { return x[0].logical_not(); }};
    // Between types, too: that of the result decides its limits.
    for (const char* name : {"identity", "contiguous", "clone", "to"}) {
        all[name] = {1, 1, {}, same};
    }
    all["detach"] = {1, 1, {}, [](const Arguments& x) { return x[0].detach(); }};
}

// Formulas of the derivative by y.
void add_gradients_from_results(References& all) {
    using T = at::Tensor;
    all.at("exp").from_result = [](const TracedStep&, const T& y, const T& dy) { return dy * y; };
    all.at("sqrt").from_result = [](const TracedStep&, const T& y, const T& dy) { return dy / (2 * y); };
    all.at("tanh").from_result = [](const TracedStep&, const T& y, const T& dy) { return dy * (1 - y * y); };
    all.at("sigmoid").from_result = [](const TracedStep&, const T& y, const T& dy) { return dy * y * (1 - y); };
    all.at("softmax").from_result = [](const TracedStep& step, const T& y, const T& dy) {
        return y * (dy - (dy * y).sum(*whole_of(step, "dim"), true));
    };
    all.at("log_softmax").from_result = [](const TracedStep& step, const T& y, const T& dy) {
        return dy - y.exp() * dy.sum(*whole_of(step, "dim"), true);
    };
}

}  // namespace

const References& traced_references() {
    static const References all = [] {
        References made;
        add_products(made);
        add_arithmetic(made);
        add_activations(made);
        add_norms_and_losses(made);
        add_shapes(made);
        add_gradients_from_results(made);
        return made;
    }();
    return all;
}

}  // namespace byhand
