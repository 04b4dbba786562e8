// What a step alone is asked: values for all that it reads, a witness's answer in double, and what rounding may make of
// it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/answers.h"
#include "base/batch.h"
#include "harness/values.h"
#include "steps/rounded.h"
#include "steps/step.h"

namespace byhand {

struct Question {
    std::shared_ptr<const Values> values;
    std::vector<double> answer;
    // How far float may end up from the exact value of each element: by our order of sums, and by any.
    std::vector<double> in_our_order, in_any_order;
};

// A witness's values of a training step, and with them what it was given: X, Y and rate. Nothing is copied.
std::vector<View> with_given(std::vector<View> values, const Batch& batch, std::size_t context, const float& rate);

// The questions to the steps of one training step. Each is made once, however many networks are asked it.
class Questions {
public:
    // `reference` are the witness's float values of that training step (X, Y and rate among them); they are copied.
    // Probes have indices below `vocabulary`, and are of the same bytes for the same seed.
    Questions(const std::vector<View>& reference, std::size_t vocabulary, std::uint64_t seed);

    const Values& reference() const { return *reference_; }

    // The question to a step on the reference's own values, and on random ones. `right` is the function that it should
    // be, on numbers that carry their errors; `reads` is what the step reads in fact. Throw std::out_of_range where the
    // reference has no such name.
    const Question& real(const Step<Rounded>& right, const std::vector<std::string>& reads, const Answers& answers);
    const Question& probe(const Step<Rounded>& right, const std::vector<std::string>& reads, const Answers& answers);

private:
    // What makes two questions the same: the name, the right function, what it, the step and the answer read.
    using Key = std::vector<std::string>;
    static Key key(const Step<Rounded>& right, const std::vector<std::string>& reads, const Answers& answers);

    std::shared_ptr<const Values> reference_;
    std::map<std::string, Shape> shapes_;
    std::size_t vocabulary_;
    std::uint64_t seed_;
    std::map<Key, Question> real_, probes_;
};

}  // namespace byhand
