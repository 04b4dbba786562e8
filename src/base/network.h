// A network as plain data, and the names of its tensors. Every implementation is built from this.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/optimizer.h"
#include "byhand/view.h"

namespace byhand {

// The divisor of a sum of squares over n rows.
enum class Divisor { n, n_minus_1 };

// inside: 1/√(variance + ε);  outside: 1/(√variance + ε). Without ε, ε = 0, and the two are equal.
enum class EpsilonPlace { inside, outside };

// The running statistic of dispersion.
enum class RunningSpread { variance, deviation };

// The mean and variance of a norm in evaluation: running statistics, or those of the whole training part.
enum class EvaluationFigures { running, training_set };

// The conventions in which batch norms differ. Layer and RMS norm use only `affine` and `epsilon`; their divisor is the
// number of units, and ε is inside the root.
struct NormConfig {
    bool affine = true;  // γ and β, of an RMS norm only γ; without them the normalised value is the result
    Divisor batch_divisor = Divisor::n_minus_1;
    Divisor running_divisor = Divisor::n_minus_1;
    RunningSpread running_spread = RunningSpread::variance;
    EvaluationFigures evaluation = EvaluationFigures::running;
    double momentum = 0.1;  // weight of the new value: running = (1 − momentum)·running + momentum·batch
    EpsilonPlace epsilon_place = EpsilonPlace::inside;
    double epsilon = 1e-5;

    bool operator==(const NormConfig&) const = default;
};

// Whether the norm follows the conventions of torch::nn::BatchNorm1d: divisor n in the batch, n − 1 in the running
// variance, epsilon inside the root.
bool is_batch_norm_1d(const NormConfig& norm);

// The norm with these conventions, including evaluation by running statistics; place, γ and β, and momentum stay. An ε
// of 0 becomes BatchNorm1d's 1e-5.
NormConfig as_batch_norm_1d(NormConfig norm);

inline constexpr std::size_t kMostHiddenLayers = 64;
inline constexpr std::size_t kMostOperations = 8 * kMostHiddenLayers;
inline constexpr std::size_t kMostContext = 1024;  // the length of the longest line of names

// The names of operations that code refers to. Every other operation is an activation, which reads hpreact; the file
// that defines it names it (activations() in manual/operation.h lists them).
namespace op {
inline constexpr const char* kEmbedding = "embedding";  // X → emb, by C
inline constexpr const char* kFlatten = "flatten";      // joins positions: emb → embcat, hpos → h
inline constexpr const char* kLinear = "linear";        // with W and b; begins a layer
inline constexpr const char* kBatchnorm = "batchnorm";  // reads hprebn; with the conventions of NormConfig
inline constexpr const char* kLayernorm = "layernorm";  // reads hpreln
inline constexpr const char* kRmsnorm = "rmsnorm";      // reads hprerms
inline constexpr const char* kTanh = "tanh";            // the default activation
inline constexpr const char* kLeakyRelu = "leaky_relu";
inline constexpr const char* kResidual = "residual";           // reads hpreres, to which it adds an earlier value
inline constexpr const char* kDropout = "dropout";             // reads hpredrop
inline constexpr const char* kCrossEntropy = "cross_entropy";  // logits → loss

inline constexpr std::array kNorms = {kBatchnorm, kLayernorm, kRmsnorm};
}  // namespace op

// One operation of a network's `layers` with its options.
struct OperationConfig {
    std::string op;
    // linear: its width, 0 for the last, whose width is V; and whether it has b.
    std::size_t outputs = 0;
    bool bias = true;
    double negative_slope = 0.01;  // leaky_relu: the factor for x < 0
    std::size_t positions = 0;     // flatten: the number of consecutive positions that it joins
    std::size_t from = 0;          // residual: the operation of `layers` whose result it adds
    double p = 0.5;                // dropout: the probability that an element is dropped
    bool tied = false;             // last linear: its weights are the embedding's, Cᵀ
    // Norms: options that differ from NetworkConfig::norm; momentum only for a batch norm.
    std::optional<bool> affine = std::nullopt;
    std::optional<double> epsilon = std::nullopt;
    std::optional<double> momentum = std::nullopt;

    bool operator==(const OperationConfig&) const = default;
};

struct NetworkConfig {
    std::size_t vocabulary = 27;  // V
    std::size_t context = 3;      // T
    std::size_t embedding = 2;    // E
    // The operations between embcat and the logits, in order. All linears but the last are hidden layers.
    std::vector<OperationConfig> layers = {{op::kLinear, 100}, {op::kBatchnorm}, {op::kTanh}, {op::kLinear}};
    NormConfig norm = {};  // of every norm, where it has no options of its own
    OptimizerConfig optimizer = {};

    bool operator==(const NetworkConfig&) const = default;
};

// One linear with the operations that follow it, and the names of its tensors, suffixed with ".l" if a name would
// otherwise denote two values.
struct Layer {
    std::size_t number = 1;  // from 1; the output is the last
    std::size_t inputs = 0;
    std::size_t outputs = 0;
    bool is_output = false;
    bool has_bias = false;
    bool is_tied = false;       // it has no W of its own: it multiplies by Cᵀ
    std::size_t positions = 1;  // positions per row of the batch at this layer: its values have rows·positions rows
    bool has_batchnorm = false;
    bool has_batchnorm_first = false;  // directly behind the linear, before any activation
    std::string suffix;                // "" or ".3"

    std::string W() const;  // "W3"
    std::string b() const;  // "b3"
    // The name of any other value of this layer: value("hprebn") is "hprebn" or "hprebn.3".
    std::string value(const std::string& name) const;
};

// The layers in order, the output last.
std::vector<Layer> layers(const NetworkConfig& config);

// An operation at its place in the network.
struct Operation {
    std::string op;
    // The linear that it belongs to; 0 for embedding and the first flatten, the output's for the loss.
    Layer layer;
    // Its input and its result: "hprebn.1" → "hpreact.1".
    std::string input, output;
    double negative_slope = 0;  // leaky_relu
    NormConfig norm = {};       // the network's, with a norm's own options
    std::size_t place = 0;      // index in operations(config)
    std::size_t positions = 1;  // of its result, except for the embedding
    std::size_t joined = 0;     // flatten: positions joined, each of `width` numbers
    std::size_t width = 0;
    double p = 0;            // dropout
    std::string added = {};  // of a residual: the earlier value
};

// Every operation of the network in order, from the embedding to the loss. The input's name depends on the operation:
// hprebn, hpreln or hprerms for a norm, h for a linear, hpos for a flatten, hpreres for a residual, hpredrop for a
// dropout, logits for the loss, hpreact for any other.
std::vector<Operation> operations(const NetworkConfig& config);

// The operations that evaluation repeats after training, from embcat to eval_logits; none if there is neither a batch
// norm nor a dropout.
std::vector<Operation> evaluated_operations(const NetworkConfig& config);

// The network with these operations between embcat and the logits. Throws InputError("layers[2]: …") if they do not
// form a network: the first is not a linear, a linear without a width is not the last or one with a width is, two
// operations of a layer read a value of one name, a flatten is not followed by a linear, no earlier operation fits a
// residual, a tied linear is not the last.
NetworkConfig with_layers(NetworkConfig config, std::vector<OperationConfig> layers);

// The linears of the hidden layers.
std::vector<OperationConfig*> hidden_linears(NetworkConfig& config);

// Name and shape of one tensor.
struct TensorSpec {
    std::string name;
    Shape shape;

    bool operator==(const TensorSpec&) const = default;
};

// The parameters of an operation, and its state for evaluation: W (in, out), unless it is tied, and b, C (V, E),
// bngain, bnbias, bnmean_running and bnvar_running, lngain, lnbias, rmsgain; those of norms (H). A dropout has the key
// of its next mask, maskkey, a whole number below kMaskKeys.
struct OperationState {
    std::vector<TensorSpec> parameters, running_figures, keys;
};
OperationState state_of(const NetworkConfig& config, const Operation& operation);

// The number of mask keys; a float can represent each of them.
inline constexpr std::uint32_t kMaskKeys = 1U << 24;

// The learned tensors, operation by operation, in the order of state_of.
std::vector<TensorSpec> parameters(const NetworkConfig& config);

// The running statistics of the batch norms, used in evaluation.
std::vector<TensorSpec> running_figures(const NetworkConfig& config);

// The keys of the dropouts' masks.
std::vector<TensorSpec> keys(const NetworkConfig& config);

// The state of the optimizer: tensors per parameter, then single ones. It is initially 0.
std::vector<TensorSpec> optimizer_state(const NetworkConfig& config);

// parameters, running_figures, keys, then optimizer_state: everything that a training step changes.
std::vector<TensorSpec> state(const NetworkConfig& config);

// The number of learned values.
std::size_t parameter_count(const NetworkConfig& config);

// Whether a batch norm evaluates with the statistics of the whole training part.
bool is_calibrated(const NetworkConfig& config);

// Whether everything that any implementation keeps of the network and a training batch of `rows` rows fits in 2^40
// bytes.
bool fits_in_memory(const NetworkConfig& config, std::size_t rows);

// For each hidden layer: the index from 0 of the first layer that must be as wide because residuals add one to the
// other; its own index if none must.
std::vector<std::size_t> first_as_wide(const NetworkConfig& config);

// Makes hidden layers equally wide that must be, the last as wide as the embedding where the last linear is tied.
void share_widths(NetworkConfig& config);

// Whether its flattens join parts of the positions; they then determine the context.
bool flattens_by_parts(const NetworkConfig& config);

// Throws InputError if the network or a training batch of `rows` rows is impossible: an extent of 0, positions that a
// flatten does not divide or that are left over, one row with a divisor n − 1, a context of more than kMostContext, a
// momentum outside [0, 1], an ε that is negative or not finite, or tensors that do not fit in memory.
void check_network(const NetworkConfig& config, std::size_t rows);

// ---- Functions on lists of operations shared by network.cpp and network_check.cpp ----

// Whether it is one of op::kNorms.
bool is_norm(const std::string& operation);

// Whether it is an activation, which reads hpreact.
bool is_activation(const std::string& operation);

// The name of the value that an operation reads: "hprebn" for a batch norm.
std::string read_as(const std::string& operation);

// Throws InputError("layers[2]: …") as with_layers does.
void check_layers(const std::vector<OperationConfig>& list);

}  // namespace byhand
