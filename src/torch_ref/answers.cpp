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

// What the lists of steps are turned into.
class Questions {
public:
    Questions(const NetworkConfig& config, std::size_t rows, TorchSteps forward) : forward_(std::move(forward)) {
        for (const TensorSpec& spec : state(config)) {
            shapes_[spec.name] = spec.shape;
        }
        shapes_["X"] = {rows, config.context};
        shapes_["Y"] = {rows};
        shapes_["rate"] = {};
        for (const TorchStep& step : forward_) {
            shapes_[step.makes] = step.shape;
        }
    }

    // Of the step itself.
    void ask(const TorchStep& step) {
        shapes_[step.makes] = step.shape;
        std::vector<TensorSpec> reads;
        for (const std::string& name : step.reads) {
            reads.push_back({name, shape_of(name)});
        }
        add({step.makes, std::move(reads), [step](const Values& values) {
                 const c10::NoGradGuard no_grad;
                 std::vector<Tensor> given;
                 for (const std::string& name : step.reads) {
                     given.push_back(values.at(name));
                 }
                 return step.apply(given);
             }});
    }

    // Of the gradient of X: the sum over the steps that read it.
    void ask_gradient(const std::string& X) {
        TorchSteps uses;
        for (const TorchStep& step : forward_) {
            if (std::ranges::find(step.reads, X) != step.reads.end()) {
                uses.push_back(step);
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
        for (const TorchStep& use : uses) {
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
                 for (const TorchStep& use : uses) {
                     const Tensor product = vector_jacobian_product(use, X, values);
                     sum = sum.defined() ? sum + product : product;
                 }
                 return sum;
             }});
    }

    void add(Question question) { questions_.push_back(std::move(question)); }

    const TorchSteps& forward() const { return forward_; }
    Shape shape_of(const std::string& name) const {
        const auto known = shapes_.find(name);
        return known != shapes_.end() ? known->second : shapes_.at(without_kind(name));
    }
    std::vector<Question> take() { return std::move(questions_); }

private:
    static Tensor vector_jacobian_product(const TorchStep& use, const std::string& X, const Values& values) {
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

    TorchSteps forward_;
    std::map<std::string, Shape> shapes_;
    std::vector<Question> questions_;
};

// In the order in which a network makes them.
std::vector<Question> all_questions(const NetworkConfig& config, std::size_t rows, const TorchOperations& known,
                                    TorchSteps forward) {
    Questions questions(config, rows, std::move(forward));
    std::set<std::string> has_gradient;
    for (const TorchStep& step : questions.forward()) {
        questions.ask(step);
        has_gradient.insert(step.makes);
    }
    for (const TensorSpec& spec : parameters(config)) {
        has_gradient.insert(spec.name);
    }
    for (const std::string& name : has_gradient) {
        questions.ask_gradient(name);
    }
    for (const TorchSteps& steps : {update_steps(config, rows, known), evaluation_steps(config, rows, known)}) {
        std::ranges::for_each(steps, [&](const TorchStep& step) { questions.ask(step); });
    }
    return questions.take();
}

// Puts each in the place of the question to the same name.
std::vector<Question> replaced(std::vector<Question> questions, std::vector<Question> others) {
    for (Question& other : others) {
        std::erase_if(questions, [&](const Question& question) { return question.name == other.name; });
        questions.push_back(std::move(other));
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

std::unique_ptr<Answers> stepwise_answers(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    check_network(config, rows);
    return std::make_unique<TorchAnswers>(all_questions(config, rows, known, forward_steps(config, rows, known)));
}

std::unique_ptr<Answers> collapsed_answers(const NetworkConfig& config, std::size_t rows,
                                           const TorchOperations& known) {
    check_network(config, rows);
    return std::make_unique<TorchAnswers>(
        replaced(all_questions(config, rows, known, collapsed_forward_steps(config, rows, known)),
                 formulas(config, rows, known, &TorchOperation::collapsed_formulas)));
}

std::unique_ptr<Answers> fused_answers(const NetworkConfig& config, std::size_t rows, const TorchOperations& known) {
    check_network(config, rows);
    return std::make_unique<TorchAnswers>(
        replaced(all_questions(config, rows, known, collapsed_forward_steps(config, rows, known)),
                 formulas(config, rows, known, &TorchOperation::fused_formulas)));
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
