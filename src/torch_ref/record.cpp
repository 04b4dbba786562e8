#include "torch_ref/record.h"

#include <map>
#include <stdexcept>
#include <utility>

namespace byhand::torch_ref {
namespace {

using Names = std::vector<std::string>;

void append(Names& names, const Names& more) {
    names.insert(names.end(), more.begin(), more.end());
}

// From the norm's result, which has come already, to its input.
void append_norm(Names& names, const Layer& layer) {
    for (const char* name :
         {"bngain", "bnbias", "bnraw", "bnvar_inv", "bnvar", "bndiff2", "bndiff", "bnmeani", "hprebn"}) {
        names.push_back(layer.value(name));
    }
}

}  // namespace

Names backward_order(const NetworkConfig& config) {
    Names names = {"logprobs", "probs",       "counts_sum_inv", "counts_sum",
                   "counts",   "norm_logits", "logit_maxes",    "logits"};
    const std::vector<Layer> all = layers(config);
    for (std::size_t l = all.size(); l-- > 0;) {
        const Layer& layer = all[l];
        // What follows the linear: at the output the norm at most, else the non-linearity too. h has come already, as
        // the input of the next linear.
        if (!layer.is_output && layer.norm != NormPlace::after) {
            names.push_back(layer.value("hpreact"));
        }
        if (layer.norm != NormPlace::none) {
            append_norm(names, layer);
        }
        if (layer.norm == NormPlace::after) {
            names.push_back(layer.value("hpreact"));
        }
        append(names, {l > 0 ? all[l - 1].value("h") : "embcat", layer.W(), layer.b()});
    }
    append(names, {"emb", "C"});
    return names;
}

torch::Tensor Record::keep(const std::string& name, torch::Tensor value) {
    value.retain_grad();
    values_.push_back({name, value});
    return value;
}

std::vector<Named> gradients(const NetworkConfig& config, const std::vector<Named>& values,
                             const std::vector<Named>& parameters) {
    std::map<std::string, torch::Tensor> gradients;
    for (const std::vector<Named>* list : {&values, &parameters}) {
        for (const Named& named : *list) {
            if (named.name == "loss") {
                continue;
            }
            if (!named.tensor.grad().defined()) {
                throw std::logic_error("LibTorch has no gradient of " + named.name);
            }
            gradients[named.name] = named.tensor.grad().contiguous();
        }
    }
    std::vector<Named> ordered;
    for (const std::string& name : backward_order(config)) {
        if (const auto found = gradients.find(name); found != gradients.end()) {
            ordered.push_back({"d" + name, found->second});
            gradients.erase(found);
        }
    }
    if (!gradients.empty()) {
        throw std::logic_error("the backward order does not know " + gradients.begin()->first);
    }
    return ordered;
}

}  // namespace byhand::torch_ref
