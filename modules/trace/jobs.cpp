#include "trace/jobs.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/nearest.h"

namespace byhand {
namespace {

// The place of the name, which is appended if it is not there.
std::size_t place_in(std::vector<std::string>& names, const std::string& name) {
    const auto found = std::ranges::find(names, name);
    const auto place = static_cast<std::size_t>(found - names.begin());
    if (found == names.end()) {
        names.push_back(name);
    }
    return place;
}

// The step's operation on views, whose names are appended to `reads`.
TracedCall call_of(const TracedStep& step, std::vector<std::string>& reads) {
    TracedCall call{step, {}};
    for (const TracedInput& input : step.inputs) {
        call.views.push_back(input.tensor.empty() ? std::nullopt : std::optional(place_in(reads, input.tensor)));
    }
    return call;
}

bool keeps_statistics(const std::string& operation) {
    return operation.ends_with("_norm") || operation == "cross_entropy" || operation == "scaled_dot_product_attention";
}

class Jobs {
public:
    Jobs(const TracedGraph& graph, const HasTensor& has, const TracedOperations& operations)
        : graph_(graph), has_(has), operations_(operations) {}

    std::vector<TracedJob> all() {
        for (const TracedStep& step : graph_.steps) {
            add_step(step);
        }
        if (!graph_.gradients.empty()) {
            add_gradients();
        }
        return std::move(jobs_);
    }

private:
    struct Forward {
        const TracedStep* step;
        bool is_known;
    };

    std::string why_unknown(const TracedStep& step) const {
        return "no operation " + step.operation + " is known" + the_nearest(step.operation, operations_.names());
    }

    void add_step(const TracedStep& step) {
        TracedJob job{.makes = step.result,
                      .what = step.vjp ? "gradient through " + step.operation : step.operation,
                      .where = step.where,
                      .file = step.file,
                      .path = step.path,
                      .reads = {},
                      .gradient_of = step.vjp ? step.inputs[step.vjp->of].tensor : ""};
        made_.insert(step.result);
        const bool is_known = operations_.knows(step);
        TracedCall call = call_of(step, job.reads);
        if (!is_known) {
            job.unjudged = why_unknown(step);
        } else if (step.vjp) {
            // With respect to this input alone, though others may be the same tensor: a view of its own.
            const std::size_t of = job.reads.size();
            job.reads.push_back(step.inputs[step.vjp->of].tensor);
            call.views[step.vjp->of] = of;
            const std::size_t dy = job.reads.size();
            job.reads.push_back(step.vjp->gradient);
            job.right = operations_.gradient({{std::move(call), dy, {}}}, of, job.reads.size(), Terms::sum);
        } else {
            job.right = operations_.value(call, job.reads.size());
        }
        jobs_.push_back(std::move(job));
        if (!step.vjp) {
            forward_.push_back({&step, is_known});
            for (const TracedInput& input : step.inputs) {
                std::vector<std::size_t>& readers = readers_[input.tensor];
                if (!input.tensor.empty() && (readers.empty() || readers.back() != forward_.size() - 1)) {
                    readers.push_back(forward_.size() - 1);
                }
            }
        }
    }

    // From the last step to the first: that of its result, then those of what no step makes and no earlier one reads.
    void add_gradients() {
        for (std::size_t i = forward_.size(); i-- > 0;) {
            const TracedStep& step = *forward_[i].step;
            add_gradient(step.result);
            std::set<std::string> seen;
            for (const TracedInput& input : step.inputs) {
                const std::string& name = input.tensor;
                if (!name.empty() && seen.insert(name).second && !made_.contains(name) &&
                    readers_.at(name).front() == i) {
                    add_gradient(name);
                }
            }
        }
    }

    // The term of a gradient through one step, which is appended to what the job reads; or why it is not known.
    Pullback pullback_of(const Forward& forward, const std::string& of, TracedJob& job) const {
        const auto& [step, is_known] = forward;
        Pullback pullback{call_of(*step, job.reads), {}, {}};
        const std::string dy = gradient_name(graph_, step->result);
        const bool is_loss = !readers_.contains(step->result) && has_(step->result) == Presence::single;
        std::string why;
        if (has_(dy) != Presence::absent) {
            pullback.gradient = place_in(job.reads, dy);
        } else if (!is_loss) {
            why = "there is no " + dy + ", the gradient of what " + step->operation + " makes of it";
        }
        if (!is_known && why.empty()) {
            why = why_unknown(*step) + ", which reads " + of;
        } else if (is_known && operations_.has_gradient_from_result(step->operation) &&
                   has_(step->result) != Presence::absent) {
            pullback.result = place_in(job.reads, step->result);
        }
        job.unjudged = job.unjudged.empty() ? why : job.unjudged;
        job.may_use_statistics = job.may_use_statistics || keeps_statistics(step->operation);
        return pullback;
    }

    // If the dump has it, and there are steps that read the tensor.
    void add_gradient(const std::string& of) {
        const std::string name = gradient_name(graph_, of);
        const auto readers = readers_.find(of);
        if (readers == readers_.end() || made_.contains(name) || has_(name) == Presence::absent) {
            return;
        }
        TracedJob job{.makes = name, .what = {}, .where = {}, .file = {}, .path = {}, .reads = {of}, .gradient_of = of};
        std::vector<Pullback> pullbacks;
        std::vector<std::string> operations;
        for (const std::size_t place : readers->second) {
            const TracedStep& step = *forward_[place].step;
            if (has_(step.result) == Presence::whole || step.operation == "detach") {  // no gradient goes through it
                continue;
            }
            if (std::ranges::find(operations, step.operation) == operations.end()) {
                operations.push_back(step.operation);
            }
            job.where += step.where.empty() ? "" : (job.where.empty() ? "" : ", ") + step.where;
            job.file = step.file;
            job.path = step.path + ", the gradient of " + of;
            pullbacks.push_back(pullback_of(forward_[place], of, job));
        }
        if (pullbacks.empty()) {
            job.unjudged = "no step that reads " + of + " has a gradient";
        }
        constexpr std::size_t kFew = 4;
        if (pullbacks.size() > kFew) {
            job.what = "gradient through " + std::to_string(pullbacks.size()) + " steps";
            job.where.clear();
        } else {
            job.what = "gradient" + (operations.empty() ? "" : " through " + listed(operations, "and"));
        }
        if (job.unjudged.empty()) {
            job.terms = pullbacks.size();
            if (std::ranges::any_of(pullbacks, [](const Pullback& one) { return one.result.has_value(); })) {
                job.from_results = operations_.gradient(pullbacks, 0, job.reads.size(), Terms::from_results);
            }
            if (job.terms > 1) {
                job.magnitudes = operations_.gradient(pullbacks, 0, job.reads.size(), Terms::magnitudes);
            }
            job.right = operations_.gradient(pullbacks, 0, job.reads.size(), Terms::sum);
        }
        jobs_.push_back(std::move(job));
    }

    const TracedGraph& graph_;
    const HasTensor& has_;
    const TracedOperations& operations_;
    std::vector<TracedJob> jobs_;
    std::vector<Forward> forward_;
    std::map<std::string, std::vector<std::size_t>> readers_;  // places in forward_, by the tensor
    std::set<std::string> made_;
};

}  // namespace

std::vector<TracedJob> traced_jobs(const TracedGraph& graph, const HasTensor& has, const TracedOperations& operations) {
    return Jobs(graph, has, operations).all();
}

}  // namespace byhand
