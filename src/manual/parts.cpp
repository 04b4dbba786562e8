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

PartsRunner::PartsRunner(const MakePart& make, std::size_t rows, std::size_t parts, Group& group)
    : group_(group), parts_(parts) {
    const std::vector<BatchPart> all = parts_of(rows, parts);
    first_ = make(all.front());
    const PartsOfRank of_rank = parts_of_rank(parts, group.rank(), group.size());
    const std::size_t context = first_.config.context;
    for (std::size_t k = of_rank.first; k < of_rank.last; ++k) {
        const std::size_t n = all[k].rows;
        own_.push_back(
            {all[k], make(all[k]), std::vector<std::int64_t>(n * context), std::vector<std::int64_t>(n), {}});
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
        std::vector<Sum> sums;
        std::size_t count = 0;  // numbers of a part's shares
    };
    std::vector<Planned> planned(1);
    const auto is_open = [&](const std::string& name) {
        return std::ranges::find(planned.back().sums, name, &Sum::name) != planned.back().sums.end();
    };
    for (std::size_t list = 0; list < std::size(kLists); ++list) {
        const StepList& steps = first_.*kLists[list];
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (std::ranges::any_of(steps[i].reads, is_open)) {
                planned.emplace_back();
            }
            Planned& open = planned.back();
            if (kind_of(steps[i]) == Kind::sum) {
                const std::size_t numbers = count(steps[i].shape);
                share_of_[steps[i].makes] = open.count;
                open.sums.push_back({steps[i].makes, open.count, numbers});
                open.count += numbers;
            }
            open.steps.emplace_back(list, i);
        }
    }
    exchanges_.reserve(planned.size());
    for (Planned& one : planned) {
        Exchange* exchange = nullptr;
        if (!one.sums.empty()) {
            exchange = &exchanges_.emplace_back(std::move(one.sums), SumOverParts(group_, parts_, one.count));
        }
        stages_.push_back({{}, exchange});
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

// Adds the calls of a step: one, or one for each part.
void PartsRunner::bind(Stage& stage, std::size_t list, std::size_t at) {
    const auto add_call = [&](const Step& step, float* out, const PartOfBatch* part) {
        Call call{&step, out, {}};
        for (const std::string& name : step.reads) {
            call.reads.push_back(operand(name, part));
        }
        stage.calls.push_back(std::move(call));
    };
    const Step& step = (first_.*kLists[list])[at];
    const Kind kind = kind_of(step);
    if (kind == Kind::shared) {
        add_call(step, shared_[step.makes].data(), nullptr);
        return;
    }
    for (std::size_t k = 0; k < own_.size(); ++k) {
        PartOfBatch& part = own_[k];
        float* const out = kind == Kind::rows ? part.tensors[step.makes].data()
                                              : stage.exchange->shares.share(k).data() + share_of_.at(step.makes);
        add_call((part.graph.*kLists[list])[at], out, &part);
    }
}

void PartsRunner::exchange(Exchange& it) {
    const std::span<const float> totals = it.shares.total();
    for (const Sum& sum : it.sums) {
        std::ranges::copy(totals.subspan(sum.from, sum.count), shared_[sum.name].begin());
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
        }
        if (stage.exchange != nullptr) {
            exchange(*stage.exchange);
        }
    }
}

}  // namespace byhand
