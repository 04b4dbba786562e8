// The layers of a network in words.
#pragma once

#include <sstream>
#include <string>
#include <vector>

#include "base/network.h"

namespace byhand::test {

// "flatten 2, linear 37 -b, tanh, residual 1, dropout 0.3, linear tied"
inline std::vector<OperationConfig> layers(const std::string& text) {
    std::vector<OperationConfig> all;
    std::istringstream items(text);
    for (std::string item; std::getline(items, item, ',');) {
        OperationConfig& one = all.emplace_back();
        std::istringstream words(item);
        words >> one.op;
        for (std::string word; words >> word;) {
            if (word == "-b") {
                one.bias = false;
            } else if (word == "tied") {
                one.tied = true;
            } else if (one.op == op::kDropout) {
                one.p = std::stod(word);
            } else {
                (one.op == op::kFlatten    ? one.positions
                 : one.op == op::kResidual ? one.from
                                           : one.outputs) = std::stoul(word);
            }
        }
    }
    return all;
}

}  // namespace byhand::test
