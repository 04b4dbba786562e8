// What a network is, as plain data, and what its tensors are called. Every side builds itself from this.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/optimizer.h"
#include "base/view.h"

namespace byhand {

// Of the short form of a network (see `expanded`), and of the batch norm in a layer; f is its activation.
// before: linear → hprebn → … → hpreact → f → h;  after: linear → hpreact → f → hprebn → … → h;
// none: linear → hpreact → f → h.
enum class NormPlace { none, before, after };

// What a norm takes its statistics of: a unit over the batch, or a row over its units; rms without the mean.
enum class NormKind { batch, layer, rms };

// What a sum of squares over n rows is divided by.
enum class Divisor { n, n_minus_1 };

// inside: 1/√(variance + ε);  outside: 1/(√variance + ε). No ε at all is ε = 0, where the two are one.
enum class EpsilonPlace { inside, outside };

// What the running figure of spread holds.
enum class RunningSpread { variance, deviation };

// What the norm takes for mean and spread in evaluation: its running statistics, or those of the whole training part.
enum class EvaluationFigures { running, training_set };

// Every convention by which the batch norms of the field differ. Layer and RMS norm go by `affine` and `epsilon` alone;
// their divisor is the number of units, their ε inside the root.
struct NormConfig {
    NormKind kind = NormKind::batch;  // with place and output: of the short form
    NormPlace place = NormPlace::before;
    bool output = false;  // a norm on the logits too
    bool affine = true;   // γ and β, of an RMS norm γ alone; without them the normalised value is the result itself
    Divisor batch_divisor = Divisor::n_minus_1;
    Divisor running_divisor = Divisor::n_minus_1;
    RunningSpread running_spread = RunningSpread::variance;
    EvaluationFigures evaluation = EvaluationFigures::running;
    double momentum = 0.1;  // weight of the new: running = (1 − momentum)·running + momentum·batch
    EpsilonPlace epsilon_place = EpsilonPlace::inside;
    double epsilon = 1e-5;

    bool operator==(const NormConfig&) const = default;
};

inline constexpr std::size_t kMostHiddenLayers = 64;
inline constexpr std::size_t kMostOperations = 4 * kMostHiddenLayers;
inline constexpr std::size_t kMostContext = 1024;  // as many characters as the longest line of names

// The operations that a network has: those of every network, and those that its `layers` can list.
namespace op {
inline constexpr const char* kEmbedding = "embedding";  // X → emb, by C
inline constexpr const char* kFlatten = "flatten";      // joins positions: emb → embcat, hpos → h
inline constexpr const char* kLinear = "linear";        // by W and b; begins a layer
inline constexpr const char* kBatchnorm = "batchnorm";  // reads hprebn; by the conventions of NormConfig
inline constexpr const char* kLayernorm = "layernorm";  // reads hpreln
inline constexpr const char* kRmsnorm = "rmsnorm";      // reads hprerms
inline constexpr const char* kTanh = "tanh";            // this and the other activations read hpreact
inline constexpr const char* kSigmoid = "sigmoid";
inline constexpr const char* kRelu = "relu";
inline constexpr const char* kLeakyRelu = "leaky_relu";
inline constexpr const char* kGelu = "gelu";           // by erf
inline constexpr const char* kGeluTanh = "gelu_tanh";  // its approximation by tanh
inline constexpr const char* kSilu = "silu";
inline constexpr const char* kResidual = "residual";           // reads hpreres, to which it adds an earlier value
inline constexpr const char* kDropout = "dropout";             // reads hpredrop
inline constexpr const char* kCrossEntropy = "cross_entropy";  // logits → loss

inline constexpr std::array kActivations = {kTanh, kSigmoid, kRelu, kLeakyRelu, kGelu, kGeluTanh, kSilu};

inline constexpr std::array kNorms = {kBatchnorm, kLayernorm, kRmsnorm};

// Those that `layers` can list.
inline constexpr std::array kListed = {kFlatten, kLinear,    kBatchnorm, kLayernorm, kRmsnorm, kTanh,     kSigmoid,
                                       kRelu,    kLeakyRelu, kGelu,      kGeluTanh,  kSilu,    kResidual, kDropout};
}  // namespace op

// One operation of a network's `layers` with its options.
struct OperationConfig {
    std::string op;
    // Of a linear: its width, 0 for the last, whose width is V (and in NetworkConfig::layers); and whether it has b.
    std::size_t outputs = 0;
    bool bias = true;
    double negative_slope = 0.01;  // of a leaky_relu, for x < 0
    std::size_t positions = 0;     // of a flatten: how many consecutive ones it joins
    std::size_t from = 0;          // of a residual: the operation of `layers` whose result it adds
    double p = 0.5;                // of a dropout: the probability that a number is dropped
    bool tied = false;             // of the last linear: its weights are the embedding's, Cᵀ
    // Of a norm, where they are not those of NetworkConfig::norm; momentum of a batch norm.
    std::optional<bool> affine = std::nullopt;
    std::optional<double> epsilon = std::nullopt;
    std::optional<double> momentum = std::nullopt;

    bool operator==(const OperationConfig&) const = default;
};

struct NetworkConfig {
    std::size_t vocabulary = 27;              // V
    std::size_t context = 3;                  // T
    std::size_t embedding = 2;                // E
    std::vector<std::size_t> hidden = {100};  // H of each hidden layer, 1 to kMostHiddenLayers
    // Consecutive positions that are joined before each hidden linear, so that T is their power; 0: all T before the
    // first.
    std::size_t flatten = 0;
    bool hidden_bias = true;             // b of every hidden linear
    bool output_bias = true;             // b of the last linear
    bool tied = false;                   // the last linear's weights are the embedding's
    std::string activation = op::kTanh;  // of every hidden layer, one of op::kActivations
    bool residual = false;               // each hidden layer as wide as the one below it adds what that makes
    NormConfig norm;
    // The operations between embcat and the logits, in order, where the fields above can't say them (with_layers). Then
    // the widths of all linears but the last stand in `hidden` nevertheless, norm.place is `none` where there is no
    // norm, and kind, activation, residual and tied are as in a NetworkConfig made anew.
    std::vector<OperationConfig> layers = {};  // NOLINT(readability-redundant-member-init): it may be left out
    OptimizerConfig optimizer = {};            // NOLINT(readability-redundant-member-init): it may be left out

    bool operator==(const NetworkConfig&) const = default;
};

// One linear with what follows it, and the names its tensors go by: suffixed with ".l" as soon as one name would
// mean two values.
struct Layer {
    std::size_t number = 1;  // from 1; the output is the last
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    bool is_output = false;
    bool has_bias = false;
    bool is_tied = false;       // there is no W of its own: it multiplies by Cᵀ
    std::size_t positions = 1;  // for which each row of the batch has a value here: the values have rows·positions rows
    NormPlace norm = NormPlace::none;  // of its batch norm
    std::string suffix;                // "" or ".3"

    std::string W() const;  // "W3"
    std::string b() const;  // "b3"
    // The name of any other value of this layer: value("hprebn") is "hprebn" or "hprebn.3".
    std::string value(const std::string& name) const;
};

// The layers in order, the output last. The output of the short form takes its norm, if any, straight after the linear.
std::vector<Layer> layers(const NetworkConfig& config);

// An operation where it stands.
struct Operation {
    std::string op;
    // The linear that it belongs to; of embedding and the first flatten number 0, of the loss the output.
    Layer layer;
    // The values between two operations: "hprebn.1" → "hpreact.1".
    std::string input, output;
    double negative_slope = 0;  // of a leaky_relu
    NormConfig norm = {};       // NOLINT(readability-redundant-member-init): the network's, with a norm's own options
    std::size_t place = 0;      // among operations(config)
    std::size_t positions = 1;  // of what it makes, but for the embedding
    std::size_t joined = 0;     // of a flatten: positions, each of so many numbers
    std::size_t width = 0;
    double p = 0;            // of a dropout
    std::string added = {};  // NOLINT(readability-redundant-member-init): of a residual: the earlier value
};

// Every operation of the network in order, from the embedding to the loss. What an operation reads is named after it:
// hprebn, hpreln or hprerms where it is a norm, h a linear, hpos a flatten, hpreres a residual, hpredrop a dropout,
// logits the loss, hpreact any other.
std::vector<Operation> operations(const NetworkConfig& config);

// Those that evaluation repeats beside training, from embcat to eval_logits; none where there is neither a batch norm
// nor a dropout.
std::vector<Operation> evaluated_operations(const NetworkConfig& config);

// The operations between embcat and the logits: `layers`, or what hidden, the biases, the activation, norm.kind, place
// and output are short for. The last linear's outputs are 0.
std::vector<OperationConfig> expanded(const NetworkConfig& config);

// The network with these operations between embcat and the logits: in its short form where that can say them. Throws
// InputError("layers[2]: …") where they are no network: no linear at the beginning, a linear without outputs that is
// not the last or one with outputs that is, two operations of a layer that read a value of one name, a flatten that
// no linear follows, a residual that no earlier operation fits, a tied linear that is not the last.
NetworkConfig with_layers(NetworkConfig config, std::vector<OperationConfig> layers);

// Name and shape of one tensor.
struct TensorSpec {
    std::string name;
    Shape shape;

    bool operator==(const TensorSpec&) const = default;
};

// What an operation learns, and what it keeps for evaluation: W (in, out), unless it is tied, and b, C (V, E), bngain,
// bnbias, bnmean_running and bnvar_running, lngain, lnbias, rmsgain; those of norms (H). A dropout keeps the key of its
// next mask, maskkey, a whole number below kMaskKeys.
struct OperationState {
    std::vector<TensorSpec> parameters, running_figures, keys;
};
OperationState state_of(const NetworkConfig& config, const Operation& operation);

// How many keys of masks there are; a float holds each of them.
inline constexpr std::uint32_t kMaskKeys = 1U << 24;

// What is learned, operation by operation, in the order of state_of.
std::vector<TensorSpec> parameters(const NetworkConfig& config);

// What the batch norms keep for evaluation.
std::vector<TensorSpec> running_figures(const NetworkConfig& config);

// The keys of the dropouts' masks.
std::vector<TensorSpec> keys(const NetworkConfig& config);

// What the optimizer keeps: of each parameter, and then once. It begins as 0.
std::vector<TensorSpec> optimizer_state(const NetworkConfig& config);

// parameters, running_figures, keys, then optimizer_state: all that a training step changes.
std::vector<TensorSpec> state(const NetworkConfig& config);

// The number of learned values.
std::size_t parameter_count(const NetworkConfig& config);

// Whether there is a batch norm that evaluates by the whole training part.
bool is_calibrated(const NetworkConfig& config);

// Whether all that any side keeps of the network and a training batch of `rows` rows takes no more than 2^40 bytes.
bool fits_in_memory(const NetworkConfig& config, std::size_t rows);

// The same network with its operations in `layers`, where they stay the same whatever widths it is given.
NetworkConfig listed(const NetworkConfig& config);

// By hidden layer: the first one, from 0, whose width it has because residuals add the one to the other; itself where
// none does.
std::vector<std::size_t> shared_widths(const NetworkConfig& config);

// Gives every hidden layer the width that it shares, where the last linear is tied the embedding's. Precondition: the
// network lists its operations, or shares no widths.
void share_widths(NetworkConfig& config);

// Whether it flattens its positions by parts: then they determine the context.
bool flattens_by_parts(const NetworkConfig& config);

// Throws InputError where the network or a training batch of `rows` rows can't be: an extent of 0, positions that a
// flatten does not divide or that are left over, one row with a divisor n − 1, a context of more than kMostContext, a
// momentum outside [0, 1], an ε that is negative or not finite, or what does not fit in memory.
void check_network(const NetworkConfig& config, std::size_t rows);

}  // namespace byhand
