#include "torch_ref/module.h"

#include <map>
#include <set>
#include <utility>

#include "base/batch_norm_1d.h"

namespace byhand::torch_ref {
namespace {

std::int64_t as_int(std::size_t extent) {
    return static_cast<std::int64_t>(extent);
}

torch::Tensor keep(Record* record, const char* name, torch::Tensor value) {
    return record != nullptr ? record->keep(name, std::move(value)) : value;
}

torch::Tensor keep(Record* record, const Layer& layer, const char* name, torch::Tensor value) {
    return record != nullptr ? record->keep(layer.value(name), std::move(value)) : value;
}

}  // namespace

BlockImpl::BlockImpl(const Layer& of, const NormConfig& norm)
    : layer(of), linear(torch::nn::LinearOptions(as_int(of.inputs), as_int(of.outputs)).bias(of.has_bias)) {
    register_module("linear", linear);
    if (layer.norm == NormPlace::none) {
        return;
    }
    const std::int64_t features = as_int(layer.outputs);
    if (is_batch_norm_1d(norm)) {
        const auto options =
            torch::nn::BatchNorm1dOptions(features).eps(norm.epsilon).momentum(norm.momentum).affine(norm.affine);
        batch_norm_1d_ = register_module("norm", torch::nn::BatchNorm1d(options));
        gain = batch_norm_1d_->weight;
        bias = batch_norm_1d_->bias;
        running_mean = batch_norm_1d_->running_mean;
        running_spread = batch_norm_1d_->running_var;
    } else {
        norm_ = register_module("norm", Norm(NormOptions{features, norm}));
        gain = norm_->weight;
        bias = norm_->bias;
        running_mean = norm_->running_mean;
        running_spread = norm_->running_spread;
    }
}

torch::Tensor BlockImpl::normalise(const torch::Tensor& x) {
    return norm_.is_empty() ? batch_norm_1d_->forward(x) : norm_->forward(x);
}

NetworkImpl::NetworkImpl(const NetworkConfig& config)
    : config_(config), C_(torch::nn::EmbeddingOptions(as_int(config.vocabulary), as_int(config.embedding))) {
    register_module("C", C_);
    for (const Layer& layer : layers(config)) {
        blocks_.push_back(register_module("layer" + std::to_string(layer.number), Block(layer, config.norm)));
    }
    slots_ = find_slots();
}

torch::Tensor NetworkImpl::embedded(const torch::Tensor& X, Record* record) {
    const torch::Tensor emb = keep(record, "emb", C_->forward(X));
    return keep(record, "embcat", emb.view({X.size(0), -1}));
}

torch::Tensor NetworkImpl::forward(const torch::Tensor& X, Record* record) {
    torch::Tensor x = embedded(X, record);
    for (Block& block : blocks_) {
        const Layer& layer = block->layer;
        x = block->linear->forward(x);
        if (layer.norm == NormPlace::before) {
            x = block->normalise(keep(record, layer, "hprebn", x));
        }
        if (layer.is_output) {
            break;
        }
        // In place where nobody wants to see hpreact: neither the linear nor a norm needs its result to go backwards.
        x = record != nullptr ? torch::tanh(keep(record, layer, "hpreact", x)) : x.tanh_();
        if (layer.norm == NormPlace::after) {
            x = block->normalise(keep(record, layer, "hprebn", x));
        }
        x = keep(record, layer, "h", x);
    }
    return keep(record, "logits", x);
}

torch::Tensor NetworkImpl::norm_input(const torch::Tensor& X, std::size_t index) {
    torch::Tensor x = embedded(X, nullptr);
    for (std::size_t i = 0; i < index; ++i) {
        Block& block = blocks_[i];
        x = block->linear->forward(x);
        x = block->layer.norm == NormPlace::before ? block->normalise(x) : x;
        x = torch::tanh(x);
        x = block->layer.norm == NormPlace::after ? block->normalise(x) : x;
    }
    x = blocks_[index]->linear->forward(x);
    return blocks_[index]->layer.norm == NormPlace::after ? torch::tanh(x) : x;
}

std::vector<NetworkImpl::Slot> NetworkImpl::find_slots() const {
    std::map<std::string, torch::Tensor> tensors = {{"C", C_->weight}};
    std::set<std::string> transposed;
    for (const Block& block : blocks_) {
        const Layer& layer = block->layer;
        tensors[layer.W()] = block->linear->weight;
        transposed.insert(layer.W());
        tensors[layer.b()] = block->linear->bias;
        if (layer.norm == NormPlace::none) {
            continue;
        }
        tensors[layer.value("bngain")] = block->gain;
        tensors[layer.value("bnbias")] = block->bias;
        tensors[layer.value("bnmean_running")] = block->running_mean;
        tensors[layer.value("bnvar_running")] = block->running_spread;
    }
    std::vector<Slot> slots;
    for (const TensorSpec& spec : state(config_)) {
        slots.push_back({spec, tensors.at(spec.name), transposed.count(spec.name) > 0});
    }
    return slots;
}

void NetworkImpl::load(const Tensors<float>& state) const {
    for (const Slot& slot : slots_) {
        torch_ref::load(slot.tensor, slot.transposed, state, slot.spec);
    }
}

void NetworkImpl::save(Tensors<float>& state) const {
    for (const Slot& slot : slots_) {
        torch_ref::save(state, slot.spec, slot.tensor, slot.transposed);
    }
}

}  // namespace byhand::torch_ref
