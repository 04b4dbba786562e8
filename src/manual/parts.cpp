#include "manual/parts.h"

#include <algorithm>
#include <array>
#include <span>
#include <stdexcept>
#include <utility>

#include "base/value.h"

namespace byhand {
namespace {

// The lists of a training step, in order.
constexpr std::array kLists = {&Graph::forward, &Graph::backward, &Graph::update};

}  // namespace

std::vector<BatchPart> parts_of(std::size_t rows, std::size_t parts) {
    std::vector<BatchPart> all;
    for (std::size_t k = 0; k < parts; ++k) {
        const std::size_t first = rows * k / parts;
        all.push_back({.first = first, .rows = rows * (k + 1) / parts - first, .batch = rows});
    }
    return all;
}

PartsOfRank parts_of_rank(std::size_t parts, std::size_t rank, std::size_t ranks) {
    return {parts * rank / ranks, parts * (rank + 1) / ranks};
}

PartsRunner::PartsRunner(const MakePart& make, std::size_t rows, std::size_t parts, Group& group)
    : group_(group),
      parts_(part_sums(rows, parts, group.rank(), group.size())),
      first_(make(parts_of(rows, parts)[0])) {
    const std::size_t context = first_.config.context;
    for (const OwnPart& part : parts_.own) {
        const std::size_t n = part.rows.rows;
        own_.push_back(
            {part.rows, make(part.rows), std::vector<std::int64_t>(n * context), std::vector<std::int64_t>(n), {}});
    }
    allocate();
    plan();
}

bool PartsRunner::has_rows(const std::string& name) const {
    if (name == "X" || name == "Y") {
        return true;
    }
    const GlossaryRow* const row = find_row(first_.glossary, name);
    if (row == nullptr) {
        throw std::logic_error(name + " is not in the glossary, which tells whether it has rows");
    }
    return std::ranges::find(row->axes, Axis::row) != row->axes.end();
}

PartsRunner::Kind PartsRunner::kind_of(const Step& step) const {
    const auto rows = [&](const std::string& name) { return has_rows(name); };
    return rows(step.makes) ? Kind::rows : std::ranges::any_of(step.reads, rows) ? Kind::sum : Kind::shared;
}

void PartsRunner::allocate() {
    std::vector<TensorSpec> table = state(first_.config);
    table.push_back({"rate", {}});
    for (const auto list : kLists) {
        for (const Step& step : first_.*list) {
            if (kind_of(step) != Kind::rows) {
                table.push_back({step.makes, step.shape});
            }
        }
    }
    shared_ = Tensors<float>(std::move(table));
    for (PartOfBatch& part : own_) {
        std::vector<TensorSpec> rows;
        for (const auto list : kLists) {
            for (const Step& step : part.graph.*list) {
                if (kind_of(step) == Kind::rows) {
                    rows.push_back({step.makes, step.shape});
                }
            }
        }
        part.tensors = Tensors<float>(std::move(rows));
    }
}

// Divides the steps into stages: a sum's shares are complete at the end of its stage.
void PartsRunner::plan() {
    struct Planned {
        std::vector<std::pair<std::size_t, std::size_t>> steps;  // list, and place in it
        std::vector<std::string> names;                          // of the sums
        SharedSums sums;
    };
    std::vector<Planned> planned(1);
    const auto is_open = [&](const std::string& name) { return std::ranges::count(planned.back().names, name) > 0; };
    std::size_t longest = 0;
    for (std::size_t list = 0; list < std::size(kLists); ++list) {
        const StepList& steps = first_.*kLists[list];
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (std::ranges::any_of(steps[i].reads, is_open)) {
                planned.emplace_back();
            }
            Planned& open = planned.back();
            if (kind_of(steps[i]) == Kind::sum) {
                const std::span<float> sum = shared_[steps[i].makes];
                place_of_[steps[i].makes] = open.sums.add(sum.data(), sum.size());
                open.names.push_back(steps[i].makes);
                longest = std::max(longest, sum.size());
            }
            open.steps.emplace_back(list, i);
        }
    }
    scratch_.resize(parts_.slots * longest);
    shared_sums_.reserve(planned.size());
    for (Planned& one : planned) {
        SharedSums* sums = nullptr;
        if (!one.names.empty()) {
            sums = &shared_sums_.emplace_back(std::move(one.sums));
            sums->allocate(parts_, group_.size());
        }
        stages_.push_back({{}, sums});
        for (const auto& [list, step] : one.steps) {
            bind(stages_.back(), list, step);
        }
    }
}

Operand<float> PartsRunner::operand(const std::string& name, const PartOfBatch* part) const {
    if (name == "X" || name == "Y") {
        return name == "X" ? part->X.data() : part->Y.data();
    }
    return has_rows(name) ? part->tensors[name].data() : shared_[name].data();
}

void PartsRunner::add_call(Stage& stage, const Step& step, float* out, const PartOfBatch* part) const {
    Call call{&step, out, {}, {}};
    for (const std::string& name : step.reads) {
        call.reads.push_back(operand(name, part));
    }
    stage.calls.push_back(std::move(call));
}

// Adds the calls of a step: one, or one for each part.
void PartsRunner::bind(Stage& stage, std::size_t list, std::size_t at) {
    const Step& step = (first_.*kLists[list])[at];
    switch (kind_of(step)) {
        case Kind::shared:
            add_call(stage, step, shared_[step.makes].data(), nullptr);
            break;
        case Kind::sum:
            bind_sum(stage, list, at);
            break;
        case Kind::rows:
            for (PartOfBatch& part : own_) {
                add_call(stage, (part.graph.*kLists[list])[at], part.tensors[step.makes].data(), &part);
            }
            break;
    }
}

void PartsRunner::bind_sum(Stage& stage, std::size_t list, std::size_t at) {
    const std::string& name = (first_.*kLists[list])[at].makes;
    const std::size_t numbers = shared_[name].size();
    const auto slot = [&](std::size_t number) {
        return std::span(number < parts_.sent ? stage.sums->own.data() + number * stage.sums->count + place_of_.at(name)
                                              : scratch_.data() + number * numbers,
                         numbers);
    };
    for (std::size_t k = 0; k < own_.size(); ++k) {
        const OwnPart& part = parts_.own[k];
        add_call(stage, (own_[k].graph.*kLists[list])[at], slot(part.slot).data(), &own_[k]);
        for (std::size_t i = 0; i < part.additions; ++i) {
            stage.calls.back().additions.push_back({slot(part.slot - i - 1), slot(part.slot - i)});
        }
    }
}

void PartsRunner::run(const Batch& batch, float rate) {
    const std::size_t context = first_.config.context;
    for (PartOfBatch& part : own_) {
        std::copy_n(batch.X + part.place.first * context, part.X.size(), part.X.begin());
        std::copy_n(batch.Y + part.place.first, part.Y.size(), part.Y.begin());
    }
    shared_["rate"][0] = rate;
    for (const Stage& stage : stages_) {
        for (const Call& call : stage.calls) {
            call.step->in_float.run(call.out, call.reads);
            for (const auto& [to, from] : call.additions) {
                std::ranges::transform(to, from, to.begin(), std::plus());
            }
        }
        if (stage.sums != nullptr) {
            exchange(*stage.sums, parts_, group_);
        }
    }
}

}  // namespace byhand
