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

void add_to(std::span<float> sum, std::span<const float> other) {
    std::ranges::transform(sum, other, sum.begin(), std::plus());
}

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
    : group_(group), parts_(parts), most_((parts + group.size() - 1) / group.size()) {
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
        Exchange exchange;
    };
    std::vector<Planned> planned(1);
    const auto is_open = [&](const std::string& name) {
        return std::ranges::find(planned.back().exchange.sums, name, &Sum::name) != planned.back().exchange.sums.end();
    };
    for (std::size_t list = 0; list < std::size(kLists); ++list) {
        const StepList& steps = first_.*kLists[list];
        for (std::size_t i = 0; i < steps.size(); ++i) {
            if (std::ranges::any_of(steps[i].reads, is_open)) {
                planned.emplace_back();
            }
            Exchange& open = planned.back().exchange;
            if (kind_of(steps[i]) == Kind::sum) {
                const std::size_t numbers = count(steps[i].shape);
                share_of_[steps[i].makes] = open.count;
                open.sums.push_back({steps[i].makes, open.count, numbers});
                open.count += numbers;
            }
            planned.back().steps.emplace_back(list, i);
        }
    }
    exchanges_.reserve(planned.size());
    for (Planned& one : planned) {
        Exchange* exchange = nullptr;
        if (!one.exchange.sums.empty()) {
            one.exchange.own.resize(most_ * one.exchange.count);
            one.exchange.all.resize(group_.size() * one.exchange.own.size());
            exchange = &exchanges_.emplace_back(std::move(one.exchange));
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
        float* const out = kind == Kind::rows
                               ? part.tensors[step.makes].data()
                               : stage.exchange->own.data() + k * stage.exchange->count + share_of_.at(step.makes);
        add_call((part.graph.*kLists[list])[at], out, &part);
    }
}

void PartsRunner::exchange(Exchange& it) {
    group_.gather(it.all, it.own);
    std::vector<std::span<float>> shares;
    shares.reserve(parts_);
    for (std::size_t rank = 0; rank < group_.size(); ++rank) {
        for (std::size_t k = 0; k < parts_of_rank(parts_, rank, group_.size()).count(); ++k) {
            shares.emplace_back(it.all.data() + (rank * most_ + k) * it.count, it.count);
        }
    }
    for (std::size_t distance = 1; distance < parts_; distance *= 2) {
        for (std::size_t k = 0; k + distance < parts_; k += 2 * distance) {
            add_to(shares[k], shares[k + distance]);
        }
    }
    for (const Sum& sum : it.sums) {
        std::ranges::copy(shares.front().subspan(sum.from, sum.count), shared_[sum.name].begin());
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
