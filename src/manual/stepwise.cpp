#include "manual/stepwise.h"

#include "manual/batchnorm.h"
#include "manual/embedding.h"
#include "manual/linear.h"
#include "manual/softmax_cross_entropy.h"
#include "manual/tanh.h"
#include "manual/update.h"
#include "steps/rounded.h"

namespace byhand {
namespace {

// In what is one formula, and in what are small steps.
enum class Form { stepwise, collapsed, fused };

// What cross_entropy_with_gradient makes, one at a time.
template <class T>
void loss_alone(T* loss, const T* logits, const std::int64_t* Y, std::size_t n, std::size_t V) {
    std::vector<T> dlogits(n * V);
    cross_entropy_with_gradient(loss, dlogits.data(), logits, Y, n, V, softmax_exp<T>);
}
template <class T>
void dlogits_alone(T* dlogits, const T* logits, const std::int64_t* Y, std::size_t n, std::size_t V) {
    T loss = 0;
    cross_entropy_with_gradient(&loss, dlogits, logits, Y, n, V, softmax_exp<T>);
}

// What a layer's pieces are called: a value stands between the linear, the norm and the non-linearity, and which names
// it has depends on where the norm is.
struct Names {
    std::string x;         // what the linear reads
    std::string linear;    // what it makes
    std::string norm_in;   // the norm's input, hprebn
    std::string raw;       // normalised, before γ and β; without them, the norm's result
    std::string norm_out;  // the norm's result
    std::string tanh_in, tanh_out;
};

// `prefix` stands before the name of everything that is made.
Names names_of(const Layer& layer, const NetworkConfig& config, const std::string& x, const std::string& prefix) {
    Names names;
    names.x = x;
    names.norm_in = prefix + layer.value("hprebn");
    if (layer.is_output) {
        names.norm_out = prefix + "logits";
        names.linear = layer.norm == NormPlace::none ? names.norm_out : names.norm_in;
    } else {
        const std::string hpreact = prefix + layer.value("hpreact");
        const std::string h = prefix + layer.value("h");
        names.linear = layer.norm == NormPlace::before ? names.norm_in : hpreact;
        names.norm_out = layer.norm == NormPlace::before ? hpreact : h;
        names.tanh_in = hpreact;
        names.tanh_out = layer.norm == NormPlace::after ? names.norm_in : h;
    }
    names.raw = config.norm.affine ? layer.value("bnraw") : names.norm_out;
    return names;
}

std::string d(const std::string& name) {
    return "d" + name;
}

template <class T>
class Builder {
public:
    Builder(const NetworkConfig& config, std::size_t rows, Form form, const std::string& prefix = "")
        : config_(config), norm_(config_.norm), form_(form), n_(rows), net_{config, rows, {}, {}, {}, {}} {
        std::string x = "embcat";
        for (const Layer& layer : layers(config)) {
            parts_.push_back({layer, names_of(layer, config, x, prefix)});
            x = prefix + layer.value("h");
        }
    }

    StepNetwork<T> training() {
        forward();
        backward();
        update();
        ranges();
        return std::move(net_);
    }

    // Forward by the running figures, from embcat to the logits.
    StepList<T> evaluation() {
        StepList<T> steps;
        layers_forward(steps, &Builder::norm_evaluate);
        return steps;
    }

    // emb and embcat.
    StepList<T> embedding() {
        StepList<T> steps;
        embed(steps);
        return steps;
    }

private:
    struct Part {
        Layer layer;
        Names name;
    };
    using Steps = StepList<T>;

    // ---- forward ----

    void forward() {
        embed(net_.forward);
        layers_forward(net_.forward, &Builder::batchnorm);
        form_ == Form::stepwise ? softmax_cross_entropy(net_.forward) : collapsed_cross_entropy(net_.forward);
    }

    // To the logits; `norm` is the norm in training or in evaluation mode.
    void layers_forward(Steps& f, void (Builder::*norm)(Steps&, const Part&) const) const {
        for (const Part& part : parts_) {
            linear(f, part);
            if (part.layer.norm == NormPlace::before) {
                (this->*norm)(f, part);
            }
            if (!part.layer.is_output) {
                activate(f, part);
            }
            if (part.layer.norm == NormPlace::after) {
                (this->*norm)(f, part);
            }
        }
    }

    void embed(Steps& f) const {
        f.add("emb", {n_, T_, E_}, {"C", "X"}, "embedding_forward", embedding_forward<T>, n_ * T_, E_);
        f.add("embcat", {n_, T_ * E_}, {"emb"}, "concatenate_forward", concatenate_forward<T>, n_ * T_ * E_);
    }

    void linear(Steps& f, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t in = layer.inputs, out = layer.outputs;
        if (layer.has_bias) {
            f.add(name.linear, {n_, out}, {name.x, layer.W(), layer.b()}, "linear_forward", linear_forward<T>, n_, in,
                  out);
        } else {
            f.add(name.linear, {n_, out}, {name.x, layer.W()}, "matmul_forward", matmul_forward<T>, n_, in, out);
        }
    }

    void activate(Steps& f, const Part& part) const {
        const std::size_t H = part.layer.outputs;
        f.add(part.name.tanh_out, {n_, H}, {part.name.tanh_in}, "tanh_forward", tanh_forward<T>, n_ * H);
    }

    void batchnorm(Steps& f, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t H = layer.outputs;
        const auto v = [&part](const char* value) { return part.layer.value(value); };
        f.add(v("bnmeani"), {H}, {name.norm_in}, "batchnorm_mean", batchnorm_mean<T>, n_, H);
        f.add(v("bndiff"), {n_, H}, {name.norm_in, v("bnmeani")}, "batchnorm_difference", batchnorm_difference<T>, n_,
              H);
        if (form_ == Form::fused) {
            f.add(v("bnvar"), {H}, {v("bndiff")}, "batchnorm_variance_of_differences",
                  batchnorm_variance_of_differences<T>, n_, H, norm_.batch_divisor);
        } else {
            f.add(v("bndiff2"), {n_, H}, {v("bndiff")}, "batchnorm_square", batchnorm_square<T>, n_ * H);
            f.add(v("bnvar"), {H}, {v("bndiff2")}, "batchnorm_variance", batchnorm_variance<T>, n_, H,
                  norm_.batch_divisor);
        }
        f.add(v("bnvar_inv"), {H}, {v("bnvar")}, "batchnorm_inverse_deviation", batchnorm_inverse_deviation<T>, H,
              norm_.epsilon, norm_.epsilon_place);
        f.add(name.raw, {n_, H}, {v("bndiff"), v("bnvar_inv")}, "batchnorm_normalise", batchnorm_normalise<T>, n_, H);
        if (norm_.affine) {
            f.add(name.norm_out, {n_, H}, {name.raw, v("bngain"), v("bnbias")}, "batchnorm_scale_shift",
                  batchnorm_scale_shift<T>, n_, H);
        }
    }

    void softmax_cross_entropy(Steps& f) const {
        f.add("logit_maxes", {n_}, {"logits"}, "softmax_max", softmax_max<T>, n_, V_);
        f.add("norm_logits", {n_, V_}, {"logits", "logit_maxes"}, "softmax_shift", softmax_shift<T>, n_, V_);
        f.add("counts", {n_, V_}, {"norm_logits"}, "softmax_exp", softmax_exp<T>, n_ * V_);
        f.add("counts_sum", {n_}, {"counts"}, "softmax_sum", softmax_sum<T>, n_, V_);
        f.add("counts_sum_inv", {n_}, {"counts_sum"}, "softmax_inverse", softmax_inverse<T>, n_);
        f.add("probs", {n_, V_}, {"counts", "counts_sum_inv"}, "softmax_normalise", softmax_normalise<T>, n_, V_);
        f.add("logprobs", {n_, V_}, {"probs"}, "softmax_log", softmax_log<T>, n_ * V_);
        f.add("loss", {}, {"logprobs", "Y"}, "negative_log_likelihood", negative_log_likelihood<T>, n_, V_);
    }

    void collapsed_cross_entropy(Steps& f) const {
        if (form_ == Form::fused) {
            f.add("loss", {}, {"logits", "Y"}, "cross_entropy_with_gradient", loss_alone<T>, n_, V_);
        } else {
            f.add("loss", {}, {"logits", "Y"}, "cross_entropy_forward", cross_entropy_forward<T>, n_, V_);
        }
    }

    // ---- backward, in mirror order ----

    void backward() {
        Steps& b = net_.backward;
        form_ == Form::stepwise ? softmax_cross_entropy_backward(b) : collapsed_cross_entropy_backward(b);
        for (std::size_t l = parts_.size(); l-- > 0;) {
            const Part& part = parts_[l];
            if (part.layer.norm == NormPlace::after) {
                norm_backward(b, part);
            }
            if (!part.layer.is_output) {
                activate_backward(b, part);
            }
            if (part.layer.norm == NormPlace::before) {
                norm_backward(b, part);
            }
            linear_backward(b, part);
        }
        embed_backward(b);
    }

    void softmax_cross_entropy_backward(Steps& b) const {
        b.add("dlogprobs", {n_, V_}, {"Y"}, "negative_log_likelihood_backward", negative_log_likelihood_backward<T>, n_,
              V_);
        b.add("dprobs", {n_, V_}, {"dlogprobs", "probs"}, "softmax_log_backward", softmax_log_backward<T>, n_ * V_);
        b.add("dcounts_sum_inv", {n_}, {"dprobs", "counts"}, "softmax_inverse_of_probs_backward",
              softmax_inverse_of_probs_backward<T>, n_, V_);
        b.add("dcounts_sum", {n_}, {"dcounts_sum_inv", "counts_sum"}, "softmax_inverse_backward",
              softmax_inverse_backward<T>, n_);
        b.add("dcounts", {n_, V_}, {"dprobs", "counts_sum_inv", "dcounts_sum"}, "softmax_counts_backward",
              softmax_counts_backward<T>, n_, V_);
        b.add("dnorm_logits", {n_, V_}, {"dcounts", "counts"}, "softmax_exp_backward", softmax_exp_backward<T>,
              n_ * V_);
        b.add("dlogit_maxes", {n_}, {"dnorm_logits"}, "softmax_max_backward", softmax_max_backward<T>, n_, V_);
        b.add("dlogits", {n_, V_}, {"dnorm_logits", "dlogit_maxes", "logits"}, "softmax_logits_backward",
              softmax_logits_backward<T>, n_, V_);
    }

    void collapsed_cross_entropy_backward(Steps& b) const {
        if (form_ == Form::fused) {
            b.add("dlogits", {n_, V_}, {"logits", "Y"}, "cross_entropy_with_gradient", dlogits_alone<T>, n_, V_);
        } else {
            b.add("dlogits", {n_, V_}, {"logits", "Y"}, "cross_entropy_backward", cross_entropy_backward<T>, n_, V_);
        }
    }

    void activate_backward(Steps& b, const Part& part) const {
        const std::size_t H = part.layer.outputs;
        b.add(d(part.name.tanh_in), {n_, H}, {d(part.name.tanh_out), part.name.tanh_out}, "tanh_backward",
              tanh_backward<T>, n_ * H);
    }

    void norm_backward(Steps& b, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t H = layer.outputs;
        const std::string dy = d(name.norm_out);
        if (norm_.affine) {
            b.add(d(layer.value("bngain")), {H}, {dy, name.raw}, "batchnorm_gain_backward", batchnorm_gain_backward<T>,
                  n_, H);
            b.add(d(layer.value("bnbias")), {H}, {dy}, "batchnorm_bias_backward", batchnorm_bias_backward<T>, n_, H);
            if (form_ == Form::fused) {
                batchnorm_backward_by_gradients(b, part);
                return;
            }
            b.add(d(name.raw), {n_, H}, {dy, layer.value("bngain")}, "batchnorm_raw_backward",
                  batchnorm_raw_backward<T>, n_, H);
        }
        form_ == Form::stepwise ? batchnorm_backward_in_steps(b, part) : batchnorm_backward_in_one_line(b, part);
    }

    void batchnorm_backward_in_steps(Steps& b, const Part& part) const {
        const std::size_t H = part.layer.outputs;
        const auto v = [&part](const char* value) { return part.layer.value(value); };
        const std::string draw = d(part.name.raw);
        b.add(v("dbnvar_inv"), {H}, {draw, v("bndiff")}, "batchnorm_inverse_deviation_backward",
              batchnorm_inverse_deviation_backward<T>, n_, H);
        b.add(v("dbnvar"), {H}, {v("dbnvar_inv"), v("bnvar")}, "batchnorm_variance_backward",
              batchnorm_variance_backward<T>, H, norm_.epsilon, norm_.epsilon_place);
        b.add(v("dbndiff2"), {n_, H}, {v("dbnvar")}, "batchnorm_square_sum_backward", batchnorm_square_sum_backward<T>,
              n_, H, norm_.batch_divisor);
        b.add(v("dbndiff"), {n_, H}, {draw, v("bnvar_inv"), v("dbndiff2"), v("bndiff")},
              "batchnorm_difference_backward", batchnorm_difference_backward<T>, n_, H);
        b.add(v("dbnmeani"), {H}, {v("dbndiff")}, "batchnorm_mean_backward", batchnorm_mean_backward<T>, n_, H);
        b.add(d(part.name.norm_in), {n_, H}, {v("dbndiff"), v("dbnmeani")}, "batchnorm_input_backward",
              batchnorm_input_backward<T>, n_, H);
    }

    void batchnorm_backward_in_one_line(Steps& b, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t H = layer.outputs;
        b.add(d(name.norm_in), {n_, H}, {d(name.raw), name.raw, layer.value("bnvar_inv"), layer.value("bnvar")},
              "batchnorm_backward", batchnorm_backward<T>, n_, H, norm_.batch_divisor, norm_.epsilon,
              norm_.epsilon_place);
    }

    void batchnorm_backward_by_gradients(Steps& b, const Part& part) const {
        const auto& [layer, name] = part;
        b.add(d(name.norm_in), {n_, layer.outputs},
              {d(name.norm_out), d(layer.value("bngain")), d(layer.value("bnbias")), name.raw, layer.value("bngain"),
               layer.value("bnvar_inv"), layer.value("bnvar")},
              "batchnorm_affine_backward", batchnorm_affine_backward<T>, n_, layer.outputs, norm_.batch_divisor,
              norm_.epsilon, norm_.epsilon_place);
    }

    void linear_backward(Steps& b, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t in = layer.inputs, out = layer.outputs;
        const std::string dy = d(name.linear);
        b.add(d(name.x), {n_, in}, {dy, layer.W()}, "linear_input_backward", linear_input_backward<T>, n_, in, out);
        b.add(d(layer.W()), {in, out}, {name.x, dy}, "linear_weight_backward", linear_weight_backward<T>, n_, in, out);
        if (layer.has_bias) {
            b.add(d(layer.b()), {out}, {dy}, "linear_bias_backward", linear_bias_backward<T>, n_, out);
        }
    }

    void embed_backward(Steps& b) const {
        b.add("demb", {n_, T_, E_}, {"dembcat"}, "concatenate_backward", concatenate_backward<T>, n_ * T_ * E_);
        b.add("dC", {V_, E_}, {"demb", "X"}, "embedding_backward", embedding_backward<T>, n_ * T_, V_, E_);
    }

    // ---- update ----

    void update() {
        Steps& u = net_.update;
        for (const TensorSpec& p : parameters(config_)) {
            u.add("new_" + p.name, p.shape, {p.name, d(p.name), "rate"}, "descend", descend<T>, count(p.shape));
        }
        for (const auto& [layer, name] : parts_) {
            if (layer.norm == NormPlace::none) {
                continue;
            }
            const std::size_t H = layer.outputs;
            const std::string mean = layer.value("bnmean_running"), spread = layer.value("bnvar_running");
            u.add("new_" + mean, {H}, {mean, layer.value("bnmeani")}, "running_mean_update", running_mean_update<T>, H,
                  norm_.momentum);
            u.add("new_" + spread, {H}, {spread, layer.value("bnvar")}, "running_spread_update",
                  running_spread_update<T>, H, n_, norm_.batch_divisor, norm_.running_divisor, norm_.running_spread,
                  norm_.momentum);
        }
    }

    // ---- what is not just any number ----

    void ranges() {
        std::map<std::string, ValueRange>& ranges = net_.ranges;
        for (const auto& [layer, name] : parts_) {
            if (!layer.is_output) {
                ranges[name.tanh_out] = kTanhRange;
            }
            if (layer.norm != NormPlace::none) {
                ranges[layer.value("bndiff2")] = kNotNegative;
                ranges[layer.value("bnvar")] = ranges[layer.value("bnvar_running")] = kVariance;
                ranges[layer.value("bnvar_inv")] = kInverseDeviation;
            }
        }
        ranges["norm_logits"] = ranges["logprobs"] = kNotPositive;
        ranges["counts"] = kCounts;
        ranges["probs"] = kProbability;
        ranges["counts_sum"] = kCountsSum;
        ranges["counts_sum_inv"] = kCountsSumInverse;
        ranges["rate"] = kNotNegative;
    }

    // ---- evaluation ----

    void norm_evaluate(Steps& e, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t H = layer.outputs;
        const std::string mean = layer.value("bnmean_running"), spread = layer.value("bnvar_running");
        if (norm_.affine) {
            e.add(name.norm_out, {n_, H}, {name.norm_in, mean, spread, layer.value("bngain"), layer.value("bnbias")},
                  "batchnorm_evaluate", batchnorm_evaluate<T>, n_, H, norm_.epsilon, norm_.epsilon_place,
                  norm_.running_spread);
        } else {
            e.add(name.norm_out, {n_, H}, {name.norm_in, mean, spread}, "batchnorm_evaluate_raw",
                  batchnorm_evaluate_raw<T>, n_, H, norm_.epsilon, norm_.epsilon_place, norm_.running_spread);
        }
    }

    const NetworkConfig config_;
    const NormConfig& norm_;
    const Form form_;
    const std::size_t n_;  // B
    const std::size_t T_ = config_.context, E_ = config_.embedding, V_ = config_.vocabulary;
    StepNetwork<T> net_;
    std::vector<Part> parts_;
};

}  // namespace

template <class T>
StepNetwork<T> stepwise_network(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    StepNetwork<T> network = Builder<T>(config, rows, Form::stepwise).training();
    if (!running_figures(config).empty()) {
        network.evaluation = Builder<T>(config, rows, Form::stepwise, "eval_").evaluation();
        const std::map<std::string, ValueRange> of_training = network.ranges;
        for (const auto& [name, range] : of_training) {
            network.ranges["eval_" + name] = range;
        }
    }
    return network;
}

template <class T>
StepNetwork<T> collapsed_network(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return Builder<T>(config, rows, Form::collapsed).training();
}

template <class T>
StepNetwork<T> fused_network(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return Builder<T>(config, rows, Form::fused).training();
}

template <class T>
StepNetwork<T> evaluation_network(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    Builder<T> builder(config, rows, Form::stepwise);
    StepList<T> forward = builder.embedding(), layers = builder.evaluation();
    for (Step<T>& step : layers.steps()) {
        forward.steps().push_back(std::move(step));
    }
    return {config, rows, std::move(forward), {}, {}, {}};
}

template StepNetwork<float> stepwise_network(const NetworkConfig&, std::size_t);
template StepNetwork<double> stepwise_network(const NetworkConfig&, std::size_t);
template StepNetwork<Rounded> stepwise_network(const NetworkConfig&, std::size_t);
template StepNetwork<float> collapsed_network(const NetworkConfig&, std::size_t);
template StepNetwork<double> collapsed_network(const NetworkConfig&, std::size_t);
template StepNetwork<Rounded> collapsed_network(const NetworkConfig&, std::size_t);
template StepNetwork<float> fused_network(const NetworkConfig&, std::size_t);
template StepNetwork<double> fused_network(const NetworkConfig&, std::size_t);
template StepNetwork<Rounded> fused_network(const NetworkConfig&, std::size_t);
template StepNetwork<float> evaluation_network(const NetworkConfig&, std::size_t);
template StepNetwork<double> evaluation_network(const NetworkConfig&, std::size_t);

}  // namespace byhand
