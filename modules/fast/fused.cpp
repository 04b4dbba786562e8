#include "fast/fused.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <utility>

#include "base/value.h"
#include "fast/by_columns.h"
#include "fast/fused_tensors.h"

namespace byhand {
namespace {

float* find(Tensors<float>& tensors, const std::string& name) {
    return tensors.contains(name) ? tensors[name].data() : nullptr;
}

// From so many weights on, the gradients of a layer have a message of their own: for fewer its latency costs more.
constexpr std::size_t kLarge = std::size_t{1} << 16U;

// Rows of a panel per task, unless a step needs all rows.
constexpr std::size_t kTogether = 128;

// The rows of a rank's parts, one after another.
BatchPart rows_of(const std::vector<OwnPart>& parts, std::size_t batch) {
    BatchPart all{.first = parts.empty() ? 0 : parts.front().rows.first, .rows = 0, .batch = batch};
    for (const OwnPart& part : parts) {
        all.rows += part.rows.rows;
    }
    return all;
}

}  // namespace

Fused::Fused(const NetworkConfig& config, std::size_t rows, Keep keep, std::size_t threads, std::size_t parts,
             Group* group, const simd::Products& products)
    : config_(config),
      group_(group != nullptr && group->size() > 1 ? group : nullptr),
      products_(products),
      parts_(group_ != nullptr ? part_sums(rows, parts, group_->rank(), group_->size()) : part_sums(rows, parts, 0, 1)),
      own_(rows_of(parts_.own, rows)),
      messages_(1),
      pool_(threads) {
    check_network(config, rows);
    states_ = {Tensors<float>(with_padding(byhand::state(config))),
               Tensors<float>(with_padding(byhand::state(config)))};
    names_ = kept_names(config, own_, keep);
    values_ = Tensors<float>(with_padding(names_));
    embcat_ = find(values_, "embcat");
    loss_ = find(values_, "loss");
    dembcat_ = find(values_, "dembcat");
    dC_ = find(values_, "dC");
    C_ = {learned(0, "C"), learned(1, "C")};
    step_count_ = {find(states_[0], kept::kStepCount), find(states_[1], kept::kStepCount)};
    optimizer_.config = config.optimizer;
    losses_.resize(own_.rows);
    const std::vector<FusedPattern> patterns = fused_patterns(config, keep);
    if (const Layer& last = patterns.back().layer; last.is_tied) {
        tied_W_.resize(last.inputs * padded(last.outputs));
        tied_dW_.resize(last.inputs * padded(last.outputs));
    }
    if (pays_by_character(config, rows)) {
        const std::size_t E = padded(config.embedding), places = patterns.front().joined * config.vocabulary;
        by_character_ = ByCharacter{
            .columns = panels_of(config.embedding),
            .C = AlignedVector<float>(config.vocabulary * E),
            .dy = AlignedVector<float>(places * padded(patterns.front().layer.outputs)),
            .dC = AlignedVector<float>(places * E),
            .sums = {},
            .scratch = std::vector<AlignedVector<float>>(threads, AlignedVector<float>(places * kWidestPanel))};
    }
    layers_.reserve(patterns.size());  // the passes of the first layer keep its address
    std::size_t widest = 0;
    for (const FusedPattern& pattern : patterns) {
        add_layer(pattern);
        widest = std::max({widest, padded(pattern.layer.outputs), padded(pattern.layer.inputs)});
    }
    add_gradients_by_columns();
    connect_residuals();
    add_sums();
    transposed_.assign(threads, AlignedVector<float>(widest * kWidestPanel));
    const FusedLayer& first = layers_.front();
    stretches_ = stretches_of(first.rows, first.pattern.joined, config.embedding);
}

// Memory for dy by columns, alternately for one layer and the next.
void Fused::add_gradients_by_columns() {
    const auto pays = [&](const FusedLayer& l) {
        return !goes_by_character(l) &&
               pays_by_columns(l.rows, l.pattern.layer.inputs, l.pattern.layer.outputs, products_.prefetches_weights());
    };
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        AlignedVector<float>& memory = dy_by_columns_[i % 2];
        const std::size_t size = padded(layers_[i].rows) * padded(layers_[i].pattern.layer.outputs);
        memory.resize(std::max(memory.size(), pays(layers_[i]) ? size : 0));
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        layers_[i].dy_by_columns = pays(layers_[i]) ? dy_by_columns_[i % 2].data() : nullptr;
    }
}

// The sums that belong to no layer, with the memory of all.
void Fused::add_sums() {
    const std::size_t V = config_.vocabulary, C = V * config_.embedding;
    loss_sum_ = row_sum(loss_, 1, messages_.front());
    together_ = kWidestPanel * kWidestPanel;  // of a dW, where two panels meet
    if (by_character_) {
        by_character_->sums = row_sum(by_character_->dy.data(), by_character_->dy.size(), messages_.front());
        together_ = std::max(together_, layers_.front().pattern.joined * V * kWidestPanel);
    } else {
        dC_sum_ = row_sum(dC_, C, messages_.front());
        together_ = std::max(together_, padded(C));
    }
    shares_.assign(pool_.threads(), AlignedVector<float>(std::max<std::size_t>(1, parts_.slots) * together_));
    if (!has_all_rows()) {
        for (SharedSums& message : messages_) {
            message.allocate(parts_, group_->size());
        }
    }
}

Fused::RowSum Fused::row_sum(float* value, std::size_t count, SharedSums& message) const {
    return has_all_rows() ? RowSum{value} : RowSum{value, &message, message.add(value, count)};
}

float* Fused::more(std::size_t count) {
    return more_.emplace_back(count).data();
}

simd::ParameterState Fused::learned(std::size_t state, const std::string& parameter) {
    Tensors<float>& tensors = states_[state];
    const bool is_adamw = config_.optimizer.kind == OptimizerKind::adamw;
    return {find(tensors, parameter), find(tensors, of_parameter(is_adamw ? kept::kMean : kept::kMomentum, parameter)),
            find(tensors, of_parameter(kept::kSquare, parameter))};
}

void Fused::add_layer(const FusedPattern& pattern) {
    const Layer& layer = pattern.layer;
    const bool is_first = layers_.empty();
    const auto W = [&](std::size_t state) {
        return layer.is_tied ? simd::ParameterState{.p = tied_W_.data()} : learned(state, layer.W());
    };
    FusedLayer& l = layers_.emplace_back(FusedLayer{
        .pattern = pattern,
        .rows = own_.rows * layer.positions,
        .in = is_first ? panels_of(layer.inputs) : joined_panels(layers_.back().pattern.layer.outputs, pattern.joined),
        .out = panels_of(layer.outputs),
        .W = {W(0), W(1)},
        .b = {learned(0, layer.b()), learned(1, layer.b())},
        .steps = {},
        .forward = {},
        .backward = {},
        .dy = find(values_, gradient_of(pattern.linear())),
        .dW = {layer.is_tied ? tied_dW_.data() : find(values_, gradient_of(layer.W()))},
        .db = {layer.has_bias ? find(values_, gradient_of(layer.b())) : nullptr}});
    add_sums(l);
    for (const FusedOperation& one : l.pattern.operations) {
        FusedStep step = step_of(one);
        if (one.kind == FusedKind::activation && simd::stores_derivative(*one.activation)) {
            step.derivative = more(l.rows * padded(layer.outputs));
        }
        add_sums(l, step);
        if (one.kind == FusedKind::batch_norm && !has_all_rows()) {
            step.normalises = false;
            l.steps.push_back(step);
            step.takes_moments = false;
            step.normalises = true;
            l.steps.push_back(step);
        } else {
            l.steps.push_back(step);
        }
    }
    l.forward = passes_forward(l);
    l.backward = passes_backward(l);
}

void Fused::add_sums(FusedLayer& l) {
    const Layer& layer = l.pattern.layer;
    const std::size_t weights = layer.inputs * padded(layer.outputs);
    if (weights >= kLarge && layers_.size() > 1 && !has_all_rows()) {  // nothing is computed after the first layer's
        l.own_message = &messages_.emplace_back();
    }
    SharedSums& message = l.own_message != nullptr ? *l.own_message : messages_.front();
    if (!goes_by_character(l)) {
        float* const dW = l.dW.value == nullptr && !has_all_rows() ? more(weights) : l.dW.value;
        l.dW = row_sum(dW, weights, message);
    }
    if (layer.has_bias) {
        l.db = row_sum(l.db.value, padded(layer.outputs), message);
    }
}

void Fused::add_sums(const FusedLayer& l, FusedStep& step) {
    const std::size_t H = padded(l.pattern.layer.outputs);
    SharedSums* gradients = &messages_.front();
    if (step.what->kind == FusedKind::batch_norm) {
        SharedSums& moments = messages_.emplace_back();
        step.mean = row_sum(step.mean.value, H, moments);
        step.var = row_sum(step.var.value, H, moments);
        step.var.scratch = kWidestPanel;
        moments.variances.push_back({moments_of(l, step), step.mean.from, step.var.from, H});
        gradients = &messages_.emplace_back();
        for (RowSum* sum : {&step.dgain, &step.dbias}) {
            sum->value = sum->value != nullptr ? sum->value : more(H);
        }
    }
    for (RowSum* sum : {&step.dgain, &step.dbias}) {
        if (sum->value != nullptr) {
            *sum = row_sum(sum->value, H, *gradients);
        }
    }
    step.dbias.scratch = kWidestPanel;
}

Fused::FusedStep Fused::step_of(const FusedOperation& one) {
    const Layer& layer = one.operation.layer;
    const auto gradient = [&](const std::string& name) {
        return name.empty() ? nullptr : find(values_, gradient_of(name));
    };
    const auto of_states = [&](const std::string& name) {
        return std::array{find(states_[0], name), find(states_[1], name)};
    };
    FusedStep step;
    step.what = &one;
    step.x = find(values_, one.reads);
    step.y = find(values_, one.makes);
    step.mean.value = find(values_, one.norm.mean);
    step.var.value = find(values_, one.norm.var);
    step.inv = find(values_, one.norm.inv);
    step.raw = find(values_, one.norm.raw);
    step.dgain.value = gradient(one.norm.gain);
    step.dbias.value = gradient(one.norm.bias);
    step.gain = {learned(0, one.norm.gain), learned(1, one.norm.gain)};
    step.bias = {learned(0, one.norm.bias), learned(1, one.norm.bias)};
    if (one.kind == FusedKind::batch_norm) {
        step.running_mean = of_states(layer.value("bnmean_running"));
        step.running_spread = of_states(layer.value("bnvar_running"));
    } else if (one.kind == FusedKind::dropout) {
        step.mask = find(values_, layer.value("keepmask"));
        step.key = of_states(layer.value("maskkey"));
    }
    return step;
}

// Residuals from last to first, in the order of the backward pass.
void Fused::connect_residuals() {
    std::map<std::string, FusedStep*> makers;  // of the last steps that write an array
    for (FusedLayer& l : layers_) {
        for (FusedStep& step : l.steps) {
            makers[step.what->makes] = &step;
        }
    }
    for (FusedLayer& l : layers_ | std::views::reverse) {
        for (FusedStep& residual : l.steps | std::views::reverse) {
            if (residual.what->kind == FusedKind::residual) {
                FusedStep& from = *makers.at(residual.what->operation.added);
                residual.is_first_term = from.others == nullptr;
                if (residual.is_first_term) {
                    from.others = more(l.rows * padded(l.pattern.layer.outputs));
                }
                residual.added = from.y;
                residual.to_added = from.others;
            }
        }
    }
}

// Extended while the kind of part stays the same: a norm of rows starts a new pass, so does a batch norm after it, and
// what follows a message.
std::vector<Fused::Pass> Fused::passes_forward(const FusedLayer& l) const {
    std::vector<Pass> passes;
    for (std::size_t i = 0; i < l.steps.size(); ++i) {
        const bool is_row_norm = l.steps[i].what->kind == FusedKind::row_norm;
        if (i == 0 || is_row_norm || passes.back().message != nullptr ||
            (passes.back().is_by_rows && wants_columns(l, i))) {
            passes.push_back({.first = i, .last = i, .is_by_rows = is_row_norm});
        }
        passes.back().last = i + 1;
        passes.back().wants_columns |= wants_columns(l, i);
        passes.back().message = l.steps[i].normalises ? nullptr : l.steps[i].var.shared;
    }
    return passes;
}

// The same from the end. A product by character ends a pass over rows, as a batch norm does.
std::vector<Fused::Pass> Fused::passes_backward(const FusedLayer& l) const {
    std::vector<Pass> passes = {{.first = l.steps.size(), .last = l.steps.size()}};
    for (std::size_t i = l.steps.size(); i-- > 0;) {
        const bool is_row_norm = l.steps[i].what->kind == FusedKind::row_norm;
        if (is_row_norm || passes.back().message != nullptr || (passes.back().is_by_rows && wants_columns(l, i))) {
            passes.push_back({.first = i, .last = i + 1, .is_by_rows = is_row_norm});
        }
        passes.back().first = i;
        passes.back().wants_columns |= wants_columns(l, i);
        const bool ends_norm = l.steps[i].what->kind == FusedKind::batch_norm && l.steps[i].normalises;
        passes.back().message = ends_norm ? l.steps[i].dgain.shared : nullptr;
    }
    return passes;
}

bool Fused::wants_columns(const FusedLayer& l, std::size_t step) const {
    return l.steps[step].what->kind == FusedKind::batch_norm || (step == 0 && goes_by_character(l));
}

void Fused::load(const Tensors<float>& state) {
    values_.clear();
    states_[1 - now_].clear();
    put(states_[now_], state);
}

Tensors<float> Fused::state() const {
    const std::vector<TensorSpec> table = byhand::state(config_);
    Tensors<float> outside(table);
    take(outside, "", states_[now_], table);
    return outside;
}

Tensors<float> Fused::kept() const {
    const std::vector<TensorSpec> state = byhand::state(config_);
    std::vector<TensorSpec> all = state;
    all.insert(all.end(), names_.begin(), names_.end());
    for (const TensorSpec& spec : state) {
        all.push_back({update_of(spec.name), spec.shape});
    }
    Tensors<float> outside(std::move(all));
    take(outside, "", states_[now_], state);
    take(outside, "", values_, names_);
    take(outside, "new_", states_[1 - now_], state);
    return outside;
}

float Fused::run(const Batch& whole, float rate) {
    const Batch batch = {own_.rows, whole.X + own_.first * config_.context, whole.Y + own_.first};
    forward(batch);
    loss(batch);
    begin_update(rate);
    backward(batch);
    send(&messages_.front());
    finish_messages();
    update();
    return *loss_;
}

void Fused::send(SharedSums* message) {
    if (message != nullptr && group_ != nullptr) {
        exchange(*message, parts_, *group_);
    }
}

void Fused::finish_messages() {
    if (group_ == nullptr) {
        return;
    }
    group_->finish();
    for (const FusedLayer& l : layers_) {
        if (l.own_message != nullptr) {
            add_gathered(*l.own_message, parts_);
        }
    }
}

// Where the share in a slot goes, or the sum itself.
float* Fused::slot(const RowSum& sum, std::size_t at, std::size_t slot, std::size_t thread) {
    if (slot >= parts_.sent || (sum.shared == nullptr && sum.value == nullptr)) {
        return shares_[thread].data() + slot * together_ + sum.scratch;
    }
    return sum.shared == nullptr ? sum.value + at : sum.shared->own.data() + slot * sum.shared->count + sum.from + at;
}

std::size_t Fused::chunks() const {
    return (own_.rows + kTogether - 1) / kTogether;
}

// Whole blocks of dy by columns. The positions of a batch row stay together.
RowRange Fused::rows_of_chunk(std::size_t positions, std::size_t chunk, std::size_t chunks) const {
    const std::size_t blocks = (own_.rows + kWidestPanel - 1) / kWidestPanel;
    const auto row = [&](std::size_t i) { return std::min(own_.rows, blocks * i / chunks * kWidestPanel); };
    return {row(chunk) * positions, row(chunk + 1) * positions};
}

// The offset of the part in a matrix of the layer's results, and its number of elements.
Fused::ElementRange Fused::elements_of(const FusedLayer& l, const PanelRows& part) {
    const auto [panel, rows] = part;
    return {l.rows * panel.from + rows.first * panel.width, (rows.last - rows.first) * panel.width};
}

Fused::PanelRows Fused::rows_of_task(const FusedLayer& l, const Pass& pass, std::size_t task) const {
    const std::size_t parts = chunks(pass), panel = parts == 1 ? task : task / parts;
    return {l.out[panel], rows_of_chunk(l.pattern.layer.positions, task - panel * parts, parts)};
}

// The input of the first linear.
simd::Contexts Fused::contexts(const Batch& batch) const {
    const FusedLayer& first = layers_.front();
    return {batch.X, first.rows, first.pattern.joined, config_.vocabulary};
}

}  // namespace byhand
