#include "manual/fused.h"

#include <algorithm>
#include <utility>

#include "base/value.h"
#include "manual/fused_tensors.h"

namespace byhand {
namespace {

float* find(Tensors<float>& tensors, const std::string& name) {
    return tensors.contains(name) ? tensors[name].data() : nullptr;
}

// Rows of a panel that a thread takes at a time where nothing wants them all.
constexpr std::size_t kTogether = 128;

}  // namespace

Fused::Fused(const NetworkConfig& config, std::size_t rows, Keep keep, std::size_t threads)
    : config_(config), rows_(rows), pool_(threads) {
    check_network(config, rows);
    states_ = {Tensors<float>(with_padding(byhand::state(config))),
               Tensors<float>(with_padding(byhand::state(config)))};
    names_ = kept_names(config, rows, keep);
    values_ = Tensors<float>(with_padding(names_));
    embcat_ = find(values_, "embcat");
    loss_ = find(values_, "loss");
    dembcat_ = find(values_, "dembcat");
    dC_ = find(values_, "dC");
    C_ = {find(states_[0], "C"), find(states_[1], "C")};
    losses_.resize(rows);

    std::size_t widest = 0;
    for (const FusedPattern& pattern : fused_patterns(config)) {
        const Layer& layer = pattern.layer;
        const bool is_first = layers_.empty();
        widest = std::max(widest, padded(layer.outputs));
        const NormNames names = norm_names(pattern);
        const bool is_batch_norm = pattern.has_norm(NormKind::batch);
        const auto value = [&](const std::string& name) { return find(values_, name); };
        const auto gradient = [&](const std::string& name) {
            return name.empty() ? nullptr : value(gradient_of(name));
        };
        const auto weights = [&](Tensors<float>& s) {
            return Weights{find(s, layer.W()),
                           layer.has_bias ? find(s, layer.b()) : nullptr,
                           find(s, names.gain),
                           find(s, names.bias),
                           is_batch_norm ? find(s, layer.value("bnmean_running")) : nullptr,
                           is_batch_norm ? find(s, layer.value("bnvar_running")) : nullptr};
        };
        layers_.push_back(FusedLayer{.pattern = pattern,
                                     .rows = rows * layer.positions,
                                     .in = is_first
                                               ? panels_of(layer.inputs)
                                               : joined_panels(layers_.back().pattern.layer.outputs, pattern.joined),
                                     .out = panels_of(layer.outputs),
                                     .state = {weights(states_[0]), weights(states_[1])},
                                     .linear = value(normalised_in_place(pattern, keep) ? pattern.raw : pattern.linear),
                                     .activated = value(pattern.activated),
                                     .raw = value(pattern.raw),
                                     .read = value(pattern.read),
                                     .result = value(pattern.result),
                                     .mean = value(names.mean),
                                     .var = value(names.var),
                                     .inv = value(names.inv),
                                     .dy = value(gradient_of(pattern.linear)),
                                     .dW = value(gradient_of(layer.W())),
                                     .db = layer.has_bias ? value(gradient_of(layer.b())) : nullptr,
                                     .dgain = gradient(names.gain),
                                     .dbias = gradient(names.bias)});
    }
    transposed_.assign(threads, AlignedVector<float>(widest * kWidestPanel));
    dW_.assign(threads, AlignedVector<float>(kWidestPanel * kWidestPanel));
    const FusedLayer& first = layers_.front();
    const std::size_t T = first.pattern.joined;
    stretches_ = stretches_of(first.rows, T, config.embedding);
    if (pays_by_character(config, rows)) {
        const std::size_t V = config.vocabulary, E = padded(config.embedding), places = T * V;
        by_character_ = ByCharacter{
            .columns = panels_of(config.embedding),
            .C = AlignedVector<float>(V * E),
            .dy = AlignedVector<float>(places * padded(first.pattern.layer.outputs)),
            .dC = AlignedVector<float>(places * E),
            .scratch = std::vector<AlignedVector<float>>(threads, AlignedVector<float>(places * kWidestPanel))};
    }
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

float Fused::run(const Batch& batch, float rate) {
    forward(batch);
    loss(batch);
    backward(batch, rate);
    update_embedding(batch, rate);
    return *loss_;
}

// Parts of a panel's rows: a batch norm wants them all, and so does what goes by character.
std::size_t Fused::chunks(const FusedLayer& l) const {
    return l.pattern.has_norm(NormKind::batch) || goes_by_character(l) ? 1 : chunks();
}
std::size_t Fused::chunks() const {
    return (rows_ + kTogether - 1) / kTogether;
}

// Rows of the batch stay together: of each there are so many positions.
Rows Fused::rows_of_chunk(std::size_t positions, std::size_t chunk, std::size_t chunks) const {
    return {rows_ * chunk / chunks * positions, rows_ * (chunk + 1) / chunks * positions};
}

// Where the part begins in a matrix of what the layer makes, and how many numbers it has there.
Fused::Run Fused::run_of(const FusedLayer& l, const Part& part) {
    const auto [panel, rows] = part;
    return {l.rows * panel.from + rows.first * panel.width, (rows.last - rows.first) * panel.width};
}

Fused::Part Fused::part_of(const FusedLayer& l, std::size_t task) const {
    const std::size_t parts = chunks(l);
    return {l.out[task / parts], rows_of_chunk(l.pattern.layer.positions, task % parts, parts)};
}

// What the first linear reads.
simd::Contexts Fused::contexts(const Batch& batch) const {
    const FusedLayer& first = layers_.front();
    return {batch.X, first.rows, first.pattern.joined, config_.vocabulary};
}

}  // namespace byhand
