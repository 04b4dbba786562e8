// A loss over logits, asked of a reference: "these scores are given, and these are the right answers; what is the loss,
// and its gradient?"
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace byhand {

struct LossQuestion {
    std::size_t rows = 0, columns = 0;  // n, V
    std::vector<double> logits;         // (n, V)
    std::vector<std::int64_t> answers;  // (n)
};

struct LossAnswer {
    double loss = 0;              // the mean over the rows
    std::vector<double> dlogits;  // (n, V)
};

}  // namespace byhand
