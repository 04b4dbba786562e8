// The losses that a training run prints, and the largest difference of two runs' losses.
#pragma once

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/program.h"

namespace cli_test {

struct Losses {
    std::map<std::size_t, double> steps;  // as the metrics have them
    std::map<std::string, double> final;  // train, val, test
    Json result;                          // all of --json
};

// The models that can be trained here, fused first.
inline std::vector<std::string> models() {
    std::vector<std::string> all = {"fused", "stepwise", "collapsed"};
    if (with_torch()) {
        all.emplace_back("torch");
    }
    return all;
}

// Trains with these flags; the model, unless --no-save is among them, is saved as "model" in the folder.
inline Losses losses_of(const Folder& folder, const std::string& model, const Arguments& flags) {
    const bool saves = std::find(flags.begin(), flags.end(), "--no-save") == flags.end();
    const Arguments save = saves ? Arguments{"--save", "model"} : Arguments{};
    Losses losses;
    losses.result =
        json_of(byhand(folder, Arguments{"train", "--model", model, "--json", "--metrics", "metrics"} + save + flags));
    for (const std::string& line : lines_of(folder.read("metrics"))) {
        const auto entry = parsed_json(line);
        losses.steps[entry["step"].get<std::size_t>()] = entry["loss"].get<double>();
    }
    losses.final = losses.result["final"].get<std::map<std::string, double>>();
    return losses;
}

// The same steps, each loss within `limit` of the other's, and the final ones likewise.
inline void check_close(const Losses& a, const Losses& b, double limit) {
    REQUIRE(a.steps.size() == b.steps.size());
    double largest = 0;
    std::size_t at = 0;
    for (const auto& [step, loss] : a.steps) {
        REQUIRE(b.steps.contains(step));
        const double apart = std::abs(loss - b.steps.at(step));
        CHECK(apart <= limit);
        if (apart > largest) {
            largest = apart;
            at = step;
        }
    }
    for (const std::string part : {"train", "val", "test"}) {
        CAPTURE(part);
        CHECK(std::abs(a.final.at(part) - b.final.at(part)) <= limit);
    }
    UNSCOPED_INFO("largest difference of a step's loss: " << largest << " at step " << at);
}

}  // namespace cli_test
