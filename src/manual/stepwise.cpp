#include "manual/stepwise.h"

#include <algorithm>
#include <iterator>

#include "base/value.h"
#include "manual/batchnorm/formulas.h"
#include "manual/cross_entropy/formulas.h"
#include "manual/embedding/formulas.h"
#include "manual/glossary.h"
#include "manual/linear/formulas.h"
#include "manual/tanh/formulas.h"
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
    return gradient_of(name);
}

class Builder {
public:
    Builder(const NetworkConfig& config, std::size_t rows, Form form, const std::string& prefix = "")
        : config_(config), norm_(config_.norm), form_(form), n_(rows), graph_{config, rows, {}, {},
                                                                              {},     {},   {}, manual_glossary()} {
        std::string x = "embcat";
        for (const Layer& layer : layers(config)) {
            parts_.push_back({layer, names_of(layer, config, x, prefix)});
            x = prefix + layer.value("h");
        }
    }

    Graph training() {
        forward();
        backward();
        update();
        ranges();
        return std::move(graph_);
    }

    // Forward by the running statistics, from embcat to the logits.
    StepList evaluation() const {
        StepList steps;
        layers_forward(steps, &Builder::norm_evaluate);
        return steps;
    }

    // emb and embcat.
    StepList embedding() const {
        StepList steps;
        embed(steps);
        return steps;
    }

private:
    struct Part {
        Layer layer;
        Names name;
    };

    // ---- forward ----

    void forward() {
        embed(graph_.forward);
        layers_forward(graph_.forward, &Builder::batchnorm);
        form_ == Form::stepwise ? softmax_cross_entropy(graph_.forward) : collapsed_cross_entropy(graph_.forward);
    }

    // To the logits; `norm` is the norm in training or in evaluation mode.
    void layers_forward(StepList& f, void (Builder::*norm)(StepList&, const Part&) const) const {
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

    void embed(StepList& f) const {
        add(f, "emb", {n_, T_, E_}, {"C", "X"}, BYHAND_FUNCTION(embedding_forward), n_ * T_, E_);
        add(f, "embcat", {n_, T_ * E_}, {"emb"}, BYHAND_FUNCTION(concatenate_forward), n_ * T_ * E_);
    }

    void linear(StepList& f, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t in = layer.inputs, out = layer.outputs;
        if (layer.has_bias) {
            add(f, name.linear, {n_, out}, {name.x, layer.W(), layer.b()}, BYHAND_FUNCTION(linear_forward), n_, in,
                out);
        } else {
            add(f, name.linear, {n_, out}, {name.x, layer.W()}, BYHAND_FUNCTION(matmul_forward), n_, in, out);
        }
    }

    void activate(StepList& f, const Part& part) const {
        const std::size_t H = part.layer.outputs;
        add(f, part.name.tanh_out, {n_, H}, {part.name.tanh_in}, BYHAND_FUNCTION(tanh_forward), n_ * H);
    }

    void batchnorm(StepList& f, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t H = layer.outputs;
        const auto v = [&part](const char* value) { return part.layer.value(value); };
        add(f, v("bnmeani"), {H}, {name.norm_in}, BYHAND_FUNCTION(batchnorm_mean), n_, H);
        add(f, v("bndiff"), {n_, H}, {name.norm_in, v("bnmeani")}, BYHAND_FUNCTION(batchnorm_difference), n_, H);
        if (form_ == Form::fused) {
            add(f, v("bnvar"), {H}, {v("bndiff")}, BYHAND_FUNCTION(batchnorm_variance_of_differences), n_, H,
                norm_.batch_divisor);
        } else {
            add(f, v("bndiff2"), {n_, H}, {v("bndiff")}, BYHAND_FUNCTION(batchnorm_square), n_ * H);
            add(f, v("bnvar"), {H}, {v("bndiff2")}, BYHAND_FUNCTION(batchnorm_variance), n_, H, norm_.batch_divisor);
        }
        add(f, v("bnvar_inv"), {H}, {v("bnvar")}, BYHAND_FUNCTION(batchnorm_inverse_deviation), H, norm_.epsilon,
            norm_.epsilon_place);
        add(f, name.raw, {n_, H}, {v("bndiff"), v("bnvar_inv")}, BYHAND_FUNCTION(batchnorm_normalise), n_, H);
        if (norm_.affine) {
            add(f, name.norm_out, {n_, H}, {name.raw, v("bngain"), v("bnbias")}, BYHAND_FUNCTION(batchnorm_scale_shift),
                n_, H);
        }
    }

    void softmax_cross_entropy(StepList& f) const {
        add(f, "logit_maxes", {n_}, {"logits"}, BYHAND_FUNCTION(softmax_max), n_, V_);
        add(f, "norm_logits", {n_, V_}, {"logits", "logit_maxes"}, BYHAND_FUNCTION(softmax_shift), n_, V_);
        add(f, "counts", {n_, V_}, {"norm_logits"}, BYHAND_FUNCTION(softmax_exp), n_ * V_);
        add(f, "counts_sum", {n_}, {"counts"}, BYHAND_FUNCTION(softmax_sum), n_, V_);
        add(f, "counts_sum_inv", {n_}, {"counts_sum"}, BYHAND_FUNCTION(softmax_inverse), n_);
        add(f, "probs", {n_, V_}, {"counts", "counts_sum_inv"}, BYHAND_FUNCTION(softmax_normalise), n_, V_);
        add(f, "logprobs", {n_, V_}, {"probs"}, BYHAND_FUNCTION(softmax_log), n_ * V_);
        add(f, "loss", {}, {"logprobs", "Y"}, BYHAND_FUNCTION(negative_log_likelihood), n_, V_);
    }

    void collapsed_cross_entropy(StepList& f) const {
        if (form_ == Form::fused) {
            add(f, "loss", {}, {"logits", "Y"}, "cross_entropy_with_gradient", loss_alone<float>, loss_alone<double>,
                loss_alone<Rounded>, n_, V_);
        } else {
            add(f, "loss", {}, {"logits", "Y"}, BYHAND_FUNCTION(cross_entropy_forward), n_, V_);
        }
    }

    // ---- backward, in mirror order ----

    void backward() {
        StepList& b = graph_.backward;
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

    void softmax_cross_entropy_backward(StepList& b) const {
        add(b, "dlogprobs", {n_, V_}, {"Y"}, BYHAND_FUNCTION(negative_log_likelihood_backward), n_, V_);
        add(b, "dprobs", {n_, V_}, {"dlogprobs", "probs"}, BYHAND_FUNCTION(softmax_log_backward), n_ * V_);
        add(b, "dcounts_sum_inv", {n_}, {"dprobs", "counts"}, BYHAND_FUNCTION(softmax_inverse_of_probs_backward), n_,
            V_);
        add(b, "dcounts_sum", {n_}, {"dcounts_sum_inv", "counts_sum"}, BYHAND_FUNCTION(softmax_inverse_backward), n_);
        add(b, "dcounts", {n_, V_}, {"dprobs", "counts_sum_inv", "dcounts_sum"},
            BYHAND_FUNCTION(softmax_counts_backward), n_, V_);
        add(b, "dnorm_logits", {n_, V_}, {"dcounts", "counts"}, BYHAND_FUNCTION(softmax_exp_backward), n_ * V_);
        add(b, "dlogit_maxes", {n_}, {"dnorm_logits"}, BYHAND_FUNCTION(softmax_max_backward), n_, V_);
        add(b, "dlogits", {n_, V_}, {"dnorm_logits", "dlogit_maxes", "logits"},
            BYHAND_FUNCTION(softmax_logits_backward), n_, V_);
    }

    void collapsed_cross_entropy_backward(StepList& b) const {
        if (form_ == Form::fused) {
            add(b, "dlogits", {n_, V_}, {"logits", "Y"}, "cross_entropy_with_gradient", dlogits_alone<float>,
                dlogits_alone<double>, dlogits_alone<Rounded>, n_, V_);
        } else {
            add(b, "dlogits", {n_, V_}, {"logits", "Y"}, BYHAND_FUNCTION(cross_entropy_backward), n_, V_);
        }
    }

    void activate_backward(StepList& b, const Part& part) const {
        const std::size_t H = part.layer.outputs;
        add(b, d(part.name.tanh_in), {n_, H}, {d(part.name.tanh_out), part.name.tanh_out},
            BYHAND_FUNCTION(tanh_backward), n_ * H);
    }

    void norm_backward(StepList& b, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t H = layer.outputs;
        const std::string dy = d(name.norm_out);
        if (norm_.affine) {
            add(b, d(layer.value("bngain")), {H}, {dy, name.raw}, BYHAND_FUNCTION(batchnorm_gain_backward), n_, H);
            add(b, d(layer.value("bnbias")), {H}, {dy}, BYHAND_FUNCTION(batchnorm_bias_backward), n_, H);
            if (form_ == Form::fused) {
                batchnorm_backward_by_gradients(b, part);
                return;
            }
            add(b, d(name.raw), {n_, H}, {dy, layer.value("bngain")}, BYHAND_FUNCTION(batchnorm_raw_backward), n_, H);
        }
        form_ == Form::stepwise ? batchnorm_backward_in_steps(b, part) : batchnorm_backward_in_one_line(b, part);
    }

    void batchnorm_backward_in_steps(StepList& b, const Part& part) const {
        const std::size_t H = part.layer.outputs;
        const auto v = [&part](const char* value) { return part.layer.value(value); };
        const std::string draw = d(part.name.raw);
        add(b, v("dbnvar_inv"), {H}, {draw, v("bndiff")}, BYHAND_FUNCTION(batchnorm_inverse_deviation_backward), n_, H);
        add(b, v("dbnvar"), {H}, {v("dbnvar_inv"), v("bnvar")}, BYHAND_FUNCTION(batchnorm_variance_backward), H,
            norm_.epsilon, norm_.epsilon_place);
        add(b, v("dbndiff2"), {n_, H}, {v("dbnvar")}, BYHAND_FUNCTION(batchnorm_square_sum_backward), n_, H,
            norm_.batch_divisor);
        add(b, v("dbndiff"), {n_, H}, {draw, v("bnvar_inv"), v("dbndiff2"), v("bndiff")},
            BYHAND_FUNCTION(batchnorm_difference_backward), n_, H);
        add(b, v("dbnmeani"), {H}, {v("dbndiff")}, BYHAND_FUNCTION(batchnorm_mean_backward), n_, H);
        add(b, d(part.name.norm_in), {n_, H}, {v("dbndiff"), v("dbnmeani")}, BYHAND_FUNCTION(batchnorm_input_backward),
            n_, H);
    }

    void batchnorm_backward_in_one_line(StepList& b, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t H = layer.outputs;
        add(b, d(name.norm_in), {n_, H}, {d(name.raw), name.raw, layer.value("bnvar_inv"), layer.value("bnvar")},
            BYHAND_FUNCTION(batchnorm_backward), n_, H, norm_.batch_divisor, norm_.epsilon, norm_.epsilon_place);
    }

    void batchnorm_backward_by_gradients(StepList& b, const Part& part) const {
        const auto& [layer, name] = part;
        add(b, d(name.norm_in), {n_, layer.outputs},
            {d(name.norm_out), d(layer.value("bngain")), d(layer.value("bnbias")), name.raw, layer.value("bngain"),
             layer.value("bnvar_inv"), layer.value("bnvar")},
            BYHAND_FUNCTION(batchnorm_affine_backward), n_, layer.outputs, norm_.batch_divisor, norm_.epsilon,
            norm_.epsilon_place);
    }

    void linear_backward(StepList& b, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t in = layer.inputs, out = layer.outputs;
        const std::string dy = d(name.linear);
        add(b, d(name.x), {n_, in}, {dy, layer.W()}, BYHAND_FUNCTION(linear_input_backward), n_, in, out);
        add(b, d(layer.W()), {in, out}, {name.x, dy}, BYHAND_FUNCTION(linear_weight_backward), n_, in, out);
        if (layer.has_bias) {
            add(b, d(layer.b()), {out}, {dy}, BYHAND_FUNCTION(linear_bias_backward), n_, out);
        }
    }

    void embed_backward(StepList& b) const {
        add(b, "demb", {n_, T_, E_}, {"dembcat"}, BYHAND_FUNCTION(concatenate_backward), n_ * T_ * E_);
        add(b, "dC", {V_, E_}, {"demb", "X"}, BYHAND_FUNCTION(embedding_backward), n_ * T_, V_, E_);
    }

    // ---- update ----

    void update() {
        StepList& u = graph_.update;
        for (const TensorSpec& p : parameters(config_)) {
            add(u, update_of(p.name), p.shape, {p.name, d(p.name), "rate"}, BYHAND_FUNCTION(descend), count(p.shape));
        }
        for (const auto& [layer, name] : parts_) {
            if (layer.norm == NormPlace::none) {
                continue;
            }
            const std::size_t H = layer.outputs;
            const std::string mean = layer.value("bnmean_running"), spread = layer.value("bnvar_running");
            add(u, update_of(mean), {H}, {mean, layer.value("bnmeani")}, BYHAND_FUNCTION(running_mean_update), H,
                norm_.momentum);
            add(u, update_of(spread), {H}, {spread, layer.value("bnvar")}, BYHAND_FUNCTION(running_spread_update), H,
                n_, norm_.batch_divisor, norm_.running_divisor, norm_.running_spread, norm_.momentum);
        }
    }

    // ---- what is not just any number ----

    void ranges() {
        std::map<std::string, ValueRange>& ranges = graph_.ranges;
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

    void norm_evaluate(StepList& e, const Part& part) const {
        const auto& [layer, name] = part;
        const std::size_t H = layer.outputs;
        const std::string mean = layer.value("bnmean_running"), spread = layer.value("bnvar_running");
        if (norm_.affine) {
            add(e, name.norm_out, {n_, H}, {name.norm_in, mean, spread, layer.value("bngain"), layer.value("bnbias")},
                BYHAND_FUNCTION(batchnorm_evaluate), n_, H, norm_.epsilon, norm_.epsilon_place, norm_.running_spread);
        } else {
            add(e, name.norm_out, {n_, H}, {name.norm_in, mean, spread}, BYHAND_FUNCTION(batchnorm_evaluate_raw), n_, H,
                norm_.epsilon, norm_.epsilon_place, norm_.running_spread);
        }
    }

    const NetworkConfig config_;
    const NormConfig& norm_;
    const Form form_;
    const std::size_t n_;  // B
    const std::size_t T_ = config_.context, E_ = config_.embedding, V_ = config_.vocabulary;
    Graph graph_;
    std::vector<Part> parts_;
};

}  // namespace

Graph stepwise_graph(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    Graph graph = Builder(config, rows, Form::stepwise).training();
    if (!running_figures(config).empty()) {
        graph.evaluation = Builder(config, rows, Form::stepwise, "eval_").evaluation();
        const std::map<std::string, ValueRange> of_training = graph.ranges;
        for (const auto& [name, range] : of_training) {
            graph.ranges[evaluation_of(name)] = range;
        }
    }
    return graph;
}

Graph collapsed_graph(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return Builder(config, rows, Form::collapsed).training();
}

Graph fused_graph(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return Builder(config, rows, Form::fused).training();
}

Graph evaluation_graph(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    const Builder builder(config, rows, Form::stepwise);
    StepList forward = builder.embedding();
    std::ranges::move(builder.evaluation(), std::back_inserter(forward));
    return {config, rows, std::move(forward), {}, {}, {}, {}, manual_glossary()};
}

}  // namespace byhand
