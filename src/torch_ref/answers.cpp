#include "torch_ref/answers.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/Reduction.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/mse_loss.h>
#include <ATen/ops/one_hot.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/softmax.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>

#include "base/value.h"
#include "torch_ref/bridge.h"
#include "torch_ref/operations.h"

namespace byhand::torch_ref {
namespace {

using at::Tensor;
using Values = std::map<std::string, Tensor>;

// Name, what it reads, and how it is answered.
struct Question {
    std::string name;
    std::vector<TensorSpec> reads;
    std::function<Tensor(const Values&)> answer;
};

std::vector<double> numbers(const Tensor& tensor) {
    const Tensor rows = tensor.contiguous();
    const double* data = rows.data_ptr<double>();
    return {data, data + rows.numel()};
}

class TorchAnswers final : public Answers {
public:
    explicit TorchAnswers(std::vector<Question> questions) {
        for (Question& question : questions) {
            names_.push_back(question.name);
            questions_[question.name] = std::move(question);
        }
    }

    std::vector<std::string> names() const override { return names_; }

    std::vector<TensorSpec> reads(const std::string& name) const override { return questions_.at(name).reads; }

    std::vector<double> answer(const std::string& name, const std::vector<View>& views) const override {
        const Question& question = questions_.at(name);
        Values values;
        for (const TensorSpec& spec : question.reads) {
            const View* view = find(views, spec.name);
            if (view == nullptr) {
                throw std::out_of_range(name + " can't be answered without " + spec.name);
            }
            values[spec.name] = copy_of(*view);
        }
        return numbers(question.answer(values));
    }

private:
    std::vector<std::string> names_;
    std::map<std::string, Question> questions_;
};

// What the lists of operations are turned into.
class Questions {
public:
    Questions(const NetworkConfig& config, std::size_t rows, std::vector<Operation> forward)
        : forward_(std::move(forward)) {
        for (const TensorSpec& spec : state(config)) {
            shapes_[spec.name] = spec.shape;
        }
        shapes_["X"] = {rows, config.context};
        shapes_["Y"] = {rows};
        shapes_["rate"] = {};
        for (const Operation& operation : forward_) {
            shapes_[operation.makes] = operation.shape;
        }
    }

    // Of the operation itself.
    void ask(const Operation& operation) {
        shapes_[operation.makes] = operation.shape;
        std::vector<TensorSpec> reads;
        for (const std::string& name : operation.reads) {
            reads.push_back({name, shape_of(name)});
        }
        add({operation.makes, std::move(reads), [operation](const Values& values) {
                 const c10::NoGradGuard no_grad;
                 std::vector<Tensor> given;
                 for (const std::string& name : operation.reads) {
                     given.push_back(values.at(name));
                 }
                 return operation.apply(given);
             }});
    }

    // Of the gradient of X: the sum over the operations that read it.
    void ask_gradient(const std::string& X) {
        std::vector<Operation> uses;
        for (const Operation& operation : forward_) {
            if (std::ranges::find(operation.reads, X) != operation.reads.end()) {
                uses.push_back(operation);
            }
        }
        if (uses.empty()) {
            return;
        }
        std::vector<TensorSpec> reads;
        const auto read = [&](const std::string& name) {
            if (std::ranges::none_of(reads, [&](const TensorSpec& spec) { return spec.name == name; })) {
                reads.push_back({name, shape_of(name)});
            }
        };
        for (const Operation& use : uses) {
            if (use.makes != "loss") {
                read(gradient_of(use.makes));
            }
            if (use.by_result) {
                read(use.makes);
            } else {
                std::ranges::for_each(use.reads, read);
            }
        }
        add({gradient_of(X), std::move(reads), [X, uses](const Values& values) {
                 Tensor sum;
                 for (const Operation& use : uses) {
                     const Tensor product = vector_jacobian_product(use, X, values);
                     sum = sum.defined() ? sum + product : product;
                 }
                 return sum;
             }});
    }

    void add(Question question) { questions_.push_back(std::move(question)); }

    const std::vector<Operation>& forward() const { return forward_; }
    Shape shape_of(const std::string& name) const {
        const auto known = shapes_.find(name);
        return known != shapes_.end() ? known->second : shapes_.at(without_kind(name));
    }
    std::vector<Question> take() { return std::move(questions_); }

private:
    static Tensor vector_jacobian_product(const Operation& use, const std::string& X, const Values& values) {
        if (use.by_result) {
            return use.by_result(values.at(use.makes), values.at(gradient_of(use.makes)));
        }
        std::vector<Tensor> reads;
        Tensor wanted;
        for (const std::string& name : use.reads) {
            Tensor value = values.at(name);
            if (name == X) {
                value = value.detach().clone().requires_grad_();
                wanted = value;
            }
            reads.push_back(value);
        }
        const Tensor result = use.apply(reads);
        const Tensor cotangent = use.makes == "loss" ? at::ones_like(result) : values.at(gradient_of(use.makes));
        return torch::autograd::grad({result}, {wanted}, {cotangent})[0];
    }

    std::vector<Operation> forward_;
    std::map<std::string, Shape> shapes_;
    std::vector<Question> questions_;
};

// In the order in which a network makes them.
std::vector<Question> all_questions(const NetworkConfig& config, std::size_t rows, Questions& questions) {
    std::set<std::string> has_gradient;
    for (const Operation& operation : questions.forward()) {
        questions.ask(operation);
        has_gradient.insert(operation.makes);
    }
    for (const TensorSpec& spec : parameters(config)) {
        has_gradient.insert(spec.name);
    }
    for (const std::string& name : has_gradient) {
        questions.ask_gradient(name);
    }
    for (const Operation& operation : update_operations(config, rows)) {
        questions.ask(operation);
    }
    for (const Operation& operation : evaluation_operations(config, rows)) {
        questions.ask(operation);
    }
    return questions.take();
}

// A norm with the names of what it reads and makes.
struct Norm {
    Layer layer;
    std::string in, raw, out;
};

std::vector<Norm> norms_of(const NetworkConfig& config) {
    std::vector<Norm> norms;
    for (const auto& [op, layer, input, output] : operations(config)) {
        if (op == op::kBatchnorm) {
            norms.push_back({layer, input, config.norm.affine ? layer.value("bnraw") : output, output});
        }
    }
    return norms;
}

double divisor_of(const NormConfig& norm, std::size_t rows) {
    return static_cast<double>(norm.batch_divisor == Divisor::n ? rows : rows - 1);
}

// 1 with ε inside the root, else (√variance + ε)/√variance.
Tensor deviation_share(const Tensor& variance, const NormConfig& norm) {
    const Tensor root = variance.sqrt();
    return norm.epsilon_place == EpsilonPlace::inside ? at::ones_like(root) : (root + norm.epsilon) / root;
}

// The gradient of the norm's input from that of its normalised value, x̂, in one line (Ioffe and Szegedy 2015, section
// 3; note 5): s·(dx̂ − Σdx̂/n − k·x̂·Σ(dx̂·x̂)/D), written as torch operations; k is the deviation_share.
Question one_line_norm(const NetworkConfig& config, std::size_t rows, const Norm& norm) {
    const std::string variance = norm.layer.value("bnvar"), inverse = norm.layer.value("bnvar_inv");
    const Shape wide = {rows, norm.layer.outputs}, narrow = {norm.layer.outputs};
    const double D = divisor_of(config.norm, rows);
    return {gradient_of(norm.in),
            {{gradient_of(norm.raw), wide}, {norm.raw, wide}, {inverse, narrow}, {variance, narrow}},
            [=, raw = norm.raw, conventions = config.norm](const Values& values) {
                const Tensor& dx = values.at(gradient_of(raw));
                const Tensor& x = values.at(raw);
                const Tensor k = deviation_share(values.at(variance), conventions);
                return values.at(inverse) * (dx - dx.mean(0) - k * x * (dx * x).sum(0) / D);
            }};
}

// The same from the gradients of the norm's result, its gain and its bias: γ·s·(dy − dβ/n − k·x̂·dγ/D).
Question affine_norm(const NetworkConfig& config, std::size_t rows, const Norm& norm) {
    const std::string variance = norm.layer.value("bnvar"), inverse = norm.layer.value("bnvar_inv");
    const std::string gain = norm.layer.value("bngain"), bias = norm.layer.value("bnbias");
    const Shape wide = {rows, norm.layer.outputs}, narrow = {norm.layer.outputs};
    const auto n = static_cast<double>(rows);
    const double D = divisor_of(config.norm, rows);
    return {gradient_of(norm.in),
            {{gradient_of(norm.out), wide},
             {gradient_of(gain), narrow},
             {gradient_of(bias), narrow},
             {norm.raw, wide},
             {gain, narrow},
             {inverse, narrow},
             {variance, narrow}},
            [=, out = norm.out, raw = norm.raw, conventions = config.norm](const Values& values) {
                const Tensor k = deviation_share(values.at(variance), conventions);
                const Tensor slope = k * values.at(gradient_of(gain)) / D;
                return values.at(gain) * values.at(inverse) *
                       (values.at(gradient_of(out)) - values.at(gradient_of(bias)) / n - slope * values.at(raw));
            }};
}

// The variance from the differences to the mean.
Question variance_of_differences(const NetworkConfig& config, std::size_t rows, const Norm& norm) {
    const std::string difference = norm.layer.value("bndiff");
    const double D = divisor_of(config.norm, rows);
    return {norm.layer.value("bnvar"), {{difference, {rows, norm.layer.outputs}}}, [=](const Values& values) {
                return values.at(difference).square().sum(0) / D;
            }};
}

// Puts it in the place of the question to the same name.
void replace(std::vector<Question>& questions, Question question) {
    std::erase_if(questions, [&](const Question& other) { return other.name == question.name; });
    questions.push_back(std::move(question));
}

// To the logits, and from there to the loss in one operation.
std::vector<Operation> collapsed_operations(const NetworkConfig& config, std::size_t rows) {
    std::vector<Operation> forward = forward_operations(config, rows);
    while (forward.back().makes != "logits") {
        forward.pop_back();
    }
    forward.push_back(cross_entropy_operation());
    return forward;
}

std::vector<Question> collapsed_questions(const NetworkConfig& config, std::size_t rows) {
    Questions asked(config, rows, collapsed_operations(config, rows));
    std::vector<Question> questions = all_questions(config, rows, asked);
    for (const Norm& norm : norms_of(config)) {
        replace(questions, one_line_norm(config, rows, norm));
    }
    return questions;
}

Tensor logits_of(const LossQuestion& question) {
    return copy_of({"", {question.rows, question.columns}, DType::float64, question.logits.data()}).requires_grad_();
}

Tensor answers_of(const LossQuestion& question) {
    return copy_of({"", {question.rows}, DType::int64, question.answers.data()});
}

LossAnswer backward(const Tensor& loss, const Tensor& logits) {
    loss.backward();
    return {loss.item<double>(), numbers(logits.grad())};
}

}  // namespace

std::unique_ptr<Answers> stepwise_answers(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    Questions questions(config, rows, forward_operations(config, rows));
    return std::make_unique<TorchAnswers>(all_questions(config, rows, questions));
}

std::unique_ptr<Answers> collapsed_answers(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    return std::make_unique<TorchAnswers>(collapsed_questions(config, rows));
}

std::unique_ptr<Answers> fused_answers(const NetworkConfig& config, std::size_t rows) {
    check_network(config, rows);
    std::vector<Question> questions = collapsed_questions(config, rows);
    for (const Norm& norm : norms_of(config)) {
        replace(questions, variance_of_differences(config, rows, norm));
        if (config.norm.affine) {
            replace(questions, affine_norm(config, rows, norm));
        }
    }
    replace(questions, {"counts", {{"norm_logits", {rows, config.vocabulary}}}, [](const Values& values) {
                            return values.at("norm_logits").exp();
                        }});
    return std::make_unique<TorchAnswers>(std::move(questions));
}

LossAnswer cross_entropy(const LossQuestion& question) {
    const Tensor logits = logits_of(question);
    return backward(at::cross_entropy_loss(logits, answers_of(question)), logits);
}

LossAnswer squared_error(const LossQuestion& question) {
    const Tensor logits = logits_of(question);
    const Tensor one_hot = at::one_hot(answers_of(question), static_cast<std::int64_t>(question.columns));
    const Tensor sum = at::mse_loss(at::softmax(logits, 1), one_hot.to(at::kDouble), at::Reduction::Sum);
    return backward(sum / static_cast<double>(2 * question.rows), logits);
}

}  // namespace byhand::torch_ref
