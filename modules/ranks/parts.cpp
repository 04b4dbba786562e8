#include "ranks/parts.h"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/parts.h"
#include "base/value.h"
#include "fast/fused_tensors.h"
#include "fast/models.h"
#include "fast/pieces.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

// The lists of a training step, in order.
constexpr std::array kLists = {&Graph::forward, &Graph::backward, &Graph::update};

}  // namespace

PartsRunner::PartsRunner(const MakePart& make, std::size_t rows, std::size_t parts, Group& group, Keep keep,
                         AddShares add_shares)
    : group_(group),
      all_parts_(parts),
      keep_(keep),
      add_shares_(std::move(add_shares)),
      parts_(part_sums(rows, parts, group.rank(), group.size())),
      first_(make(parts_of(rows, parts)[0])) {
    for (const OwnPart& part : parts_.own) {
        own_.push_back({part.rows, make(part.rows), {}});
    }
    allocate();
    plan();
}

void PartsRunner::allocate() {
    std::vector<Graph> graphs;
    std::ranges::transform(own_, std::back_inserter(graphs), &PartOfBatch::graph);
    RankValues values = rank_values(first_, graphs);
    shared_ = std::move(values.shared);
    for (std::size_t k = 0; k < own_.size(); ++k) {
        own_[k].values = std::move(values.parts[k]);
        if (keep_ == Keep::needed) {
            own_[k].values.shares = {};
        }
    }
}

// Divides the steps into stages: a sum's shares are complete at the end of its stage.
void PartsRunner::plan() {
    stages_.resize(1);
    const auto is_open = [&](const std::string& name) { return std::ranges::count(stages_.back().names, name) > 0; };
    std::size_t longest = 0;
    for (std::size_t list = 0; list < std::size(kLists); ++list) {
        const StepList& steps = first_.*kLists[list];
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (std::ranges::any_of(steps[i].reads, is_open)) {
                stages_.emplace_back();
            }
            Stage& open = stages_.back();
            if (in_parts(first_.glossary, steps[i]) == InParts::sum) {
                const std::span<float> sum = shared_[steps[i].makes];
                place_of_[steps[i].makes] = open.sums.add(sum.data(), sum.size());
                open.names.push_back(steps[i].makes);
                longest = std::max(longest, sum.size());
            }
            open.steps.emplace_back(list, i);
        }
    }
    scratch_.resize(parts_.slots * longest);
    for (Stage& stage : stages_) {
        stage.sums.allocate(parts_, group_.size());
        for (const auto& [list, step] : stage.steps) {
            bind(stage, list, step);
        }
    }
}

Operand<float> PartsRunner::operand(const std::string& name, const PartOfBatch* part) const {
    if (is_index(name)) {
        return name == "X" ? part->values.X.data() : part->values.Y.data();
    }
    return has_rows(first_.glossary, name) ? part->values.rows[name].data() : shared_[name].data();
}

void PartsRunner::add_call(Stage& stage, const Step& step, float* out, const PartOfBatch* part) const {
    stage.calls.push_back({byhand::bind(step, out, [&](const std::string& name) { return operand(name, part); })});
}

// Adds the calls of a step: one, or one for each part.
void PartsRunner::bind(Stage& stage, std::size_t list, std::size_t at) {
    const Step& step = (first_.*kLists[list])[at];
    switch (in_parts(first_.glossary, step)) {
        case InParts::shared:
            add_call(stage, step, shared_[step.makes].data(), nullptr);
            break;
        case InParts::sum:
            bind_sum(stage, list, at);
            break;
        case InParts::rows:
            for (PartOfBatch& part : own_) {
                add_call(stage, (part.graph.*kLists[list])[at], part.values.rows[step.makes].data(), &part);
            }
            break;
    }
}

void PartsRunner::bind_sum(Stage& stage, std::size_t list, std::size_t at) {
    const std::string& name = (first_.*kLists[list])[at].makes;
    const std::size_t numbers = shared_[name].size();
    const auto slot = [&](std::size_t number) {
        return std::span(number < parts_.sent ? stage.sums.own.data() + number * stage.sums.count + place_of_.at(name)
                                              : scratch_.data() + number * numbers,
                         numbers);
    };
    for (std::size_t k = 0; k < own_.size(); ++k) {
        const OwnPart& part = parts_.own[k];
        add_call(stage, (own_[k].graph.*kLists[list])[at], slot(part.slot).data(), &own_[k]);
        if (keep_ == Keep::all) {
            stage.calls.back().kept = own_[k].values.shares[name];
        }
        for (const Addition& addition : part.additions) {
            stage.calls.back().additions.push_back({slot(addition.to), slot(addition.from)});
        }
    }
}

// Gathers the shares of every part as they are.
void PartsRunner::add_otherwise(const std::string& name) {
    const std::span<float> sum = shared_[name];
    const std::size_t most = (all_parts_ + group_.size() - 1) / group_.size();  // parts of a rank
    std::vector<float> own(most * sum.size()), all(group_.size() * own.size());
    for (std::size_t k = 0; k < own_.size(); ++k) {
        std::ranges::copy(own_[k].values.shares[name], own.begin() + static_cast<std::ptrdiff_t>(k * sum.size()));
    }
    group_.gather(all, own);
    std::vector<std::span<float>> shares;
    for (std::size_t rank = 0; rank < group_.size(); ++rank) {
        for (std::size_t k = 0; k < parts_of_rank(all_parts_, rank, group_.size()).count(); ++k) {
            shares.push_back(std::span(all).subspan((rank * most + k) * sum.size(), sum.size()));
        }
    }
    add_shares_(name, sum, shares);
}

RankValues PartsRunner::values() const {
    RankValues values{{}, shared_};
    std::ranges::transform(own_, std::back_inserter(values.parts), &PartOfBatch::values);
    return values;
}

void PartsRunner::run(const Batch& batch, float rate) {
    const std::size_t context = first_.config.context;
    for (PartOfBatch& part : own_) {
        PartValues& values = part.values;
        std::copy_n(batch.X + part.place.first * context, values.X.size(), values.X.begin());
        std::copy_n(batch.Y + part.place.first, values.Y.size(), values.Y.begin());
    }
    shared_["rate"][0] = rate;
    for (Stage& stage : stages_) {
        for (const Call& call : stage.calls) {
            call.step.run();
            std::copy_n(call.step.out, call.kept.size(), call.kept.begin());
            for (const auto& [to, from] : call.additions) {
                std::ranges::transform(to, from, to.begin(), std::plus());
            }
        }
        if (add_shares_ != nullptr) {
            std::ranges::for_each(stage.names, [this](const std::string& name) { add_otherwise(name); });
        } else if (stage.has_sums()) {
            exchange(stage.sums, parts_, group_);
        }
    }
}

ModelInParts::ModelInParts(RankPlan plan, const NetworkConfig& config, Group& group, Keep keep, ReplaceSteps replace)
    : HandModel(config, replace),
      plan_(std::move(plan)),
      runner_(plan_.make, plan_.places.front().batch, plan_.places.size(), group, keep, plan_.add_shares),
      state_(runner_.shared(), config) {}

void ModelInParts::load(const Tensors<float>& state) {
    Tensors<float> its = state;
    if (plan_.load != nullptr) {
        plan_.load(its);
    }
    copy_into(runner_.shared(), its);
}

void ModelInParts::run(const Batch& batch, float rate) {
    runner_.run(plan_.batch != nullptr ? plan_.batch(batch) : batch, rate);
}

float ModelInParts::train_step(const Batch& batch, float rate) {
    run(batch, rate);
    state_.commit();
    return runner_.shared()["loss"][0];
}

std::unique_ptr<Trainable> make_model_in_parts(HandForm form, const NetworkConfig& config, std::size_t rows,
                                               const Division& division, std::size_t threads) {
    const bool is_fused = form == HandForm::fused;
    if (is_fused && has_fused_step(config)) {
        return make_hand_model(form, config, rows, {.threads = threads, .division = division});
    }
    const MakePart make = [=, &config](const BatchPart& part) {
        Graph graph = hand_graph(form, config, part);
        return is_fused ? with_kernels_of_part(std::move(graph), part) : graph;
    };
    return std::make_unique<ModelInParts>(RankPlan{.places = parts_of(rows, division.parts), .make = make}, config,
                                          *division.group, Keep::needed, is_fused ? with_kernels : nullptr);
}

}  // namespace byhand
