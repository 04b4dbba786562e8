#include "harness/questions.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/mixed.h"
#include "harness/probe.h"

namespace byhand {
namespace {

Question ask(const Step<Rounded>& right, const Answers& answers, std::shared_ptr<const Values> values) {
    Question question{std::move(values), {}, {}, {}};
    question.answer = answers.answer(right.makes, question.values->views());
    std::vector<std::vector<Rounded>> exact;
    std::vector<Operand<Rounded>> operands;
    for (const std::string& name : right.reads) {
        if (question.values->holds_indices(name)) {
            operands.emplace_back(question.values->indices(name).data());
            continue;
        }
        const std::vector<float>& numbers = question.values->numbers(name);
        const std::vector<Rounded>& copy = exact.emplace_back(numbers.begin(), numbers.end());
        operands.emplace_back(copy.data());
    }
    std::vector<Rounded> made(count(right.shape));
    right.run(made.data(), operands);
    std::ranges::transform(made, std::back_inserter(question.in_our_order), &Rounded::error);
    std::ranges::transform(made, std::back_inserter(question.in_any_order), &Rounded::any_order);
    return question;
}

}  // namespace

std::vector<View> with_given(std::vector<View> values, const Batch& batch, std::size_t context, const float& rate) {
    values.push_back({"X", {batch.rows, context}, DType::int64, batch.X});
    values.push_back({"Y", {batch.rows}, DType::int64, batch.Y});
    values.push_back({"rate", {}, DType::float32, &rate});
    return values;
}

Questions::Questions(const std::vector<View>& reference, std::size_t vocabulary, std::uint64_t seed)
    : vocabulary_(vocabulary), seed_(seed) {
    Values values;
    for (const View& view : reference) {
        shapes_[view.name] = view.shape;
        values.put(view);
    }
    reference_ = std::make_shared<const Values>(std::move(values));
}

Questions::Key Questions::key(const Step<Rounded>& right, const std::vector<std::string>& reads,
                              const Answers& answers) {
    Key key = {right.makes, right.function};
    const auto append = [&key](const std::string& separator, const std::vector<std::string>& names) {
        key.push_back(separator);
        key.insert(key.end(), names.begin(), names.end());
    };
    append("", right.reads);
    append("", reads);
    key.emplace_back("");
    for (const TensorSpec& spec : answers.reads(right.makes)) {
        key.push_back(spec.name);
    }
    return key;
}

const Question& Questions::real(const Step<Rounded>& right, const std::vector<std::string>& reads,
                                const Answers& answers) {
    const auto [place, is_new] = real_.try_emplace(key(right, reads, answers));
    if (is_new) {
        place->second = ask(right, answers, reference_);
    }
    return place->second;
}

const Question& Questions::probe(const Step<Rounded>& right, const std::vector<std::string>& reads,
                                 const Answers& answers) {
    const auto [place, is_new] = probes_.try_emplace(key(right, reads, answers));
    if (is_new) {
        std::vector<TensorSpec> also;
        for (const std::vector<std::string>* names : {&reads, &right.reads}) {
            for (const std::string& name : *names) {
                also.push_back({name, shapes_.at(name)});
            }
        }
        // A stream of its own for each name.
        std::uint64_t stream = seed_;
        for (const char letter : right.makes) {
            stream = mixed(stream ^ static_cast<unsigned char>(letter));
        }
        place->second =
            ask(right, answers,
                std::make_shared<const Values>(probe_values(answers, right.makes, also, vocabulary_, stream)));
    }
    return place->second;
}

}  // namespace byhand
