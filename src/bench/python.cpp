#include "bench/python.h"

#include <fmt/core.h>

#include <charconv>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/process.h"
#include "names/batches.h"
#include "train/safetensors.h"

namespace byhand::bench {
namespace {

// The initial state, all examples, and the rows of the first batches.
void write_start(const std::string& path, const Run& run) {
    const std::size_t rows = run.recipe.batch;
    const ExampleRows examples = run.train.all();
    TorchGenerator generator = run.generator;
    DrawnBatch batch(rows, run.recipe.network.context);
    std::vector<std::int64_t> first;
    for (std::size_t step = 0; step < kSteps; ++step) {
        draw_batch(batch, run.train, generator);
        first.insert(first.end(), batch.rows.begin(), batch.rows.end());
    }
    std::vector<View> views = run.initial.views();
    views.push_back({"X", {examples.Y.size(), run.recipe.network.context}, DType::int64, examples.X.data()});
    views.push_back({"Y", {examples.Y.size()}, DType::int64, examples.Y.data()});
    views.push_back({"first", {kSteps, rows}, DType::int64, first.data()});
    write_tensors(path, views, {{"recipe", to_json(run.recipe)}});
}

class PythonTraining {
public:
    PythonTraining(const Run& run, const Python& python)
        : recipe_(run.recipe),
          interpreter_(python.interpreter),
          python_({python.interpreter, python.script, "train", started(run, python)}) {}

    void go_on(std::size_t steps) {
        for (const std::size_t end = step_ + steps; step_ < end;) {
            const double rate = rate_at(recipe_, step_);
            std::size_t next = step_ + 1;
            while (next < end && rate_at(recipe_, next) == rate) {
                ++next;
            }
            const std::string reply = python_.ask(fmt::format("{} {}", next - step_, rate));
            const auto [rest, error] = std::from_chars(reply.data(), reply.data() + reply.size(), loss_);
            if (error != std::errc() || rest != reply.data() + reply.size()) {
                throw InputError(interpreter_ + " replies '" + reply + "', not with a loss");
            }
            step_ = next;
        }
    }

    float loss() const { return loss_; }

private:
    static std::string started(const Run& run, const Python& python) {
        std::string path = python.folder + "/start";
        write_start(path, run);
        return path;
    }

    Recipe recipe_;
    std::string interpreter_;
    Conversation python_;
    std::size_t step_ = 0;
    float loss_ = 0;
};

}  // namespace

OtherTraining python_training(const Run& run, const Python& python) {
    if (!keys(run.recipe.network).empty()) {
        throw InputError(run.recipe.name + ": dropout draws other masks in Python; leave out --python");
    }
    const auto training = std::make_shared<PythonTraining>(run, python);
    return {"PyTorch", [training](std::size_t steps) { training->go_on(steps); },
            [training] { return training->loss(); }};
}

}  // namespace byhand::bench
