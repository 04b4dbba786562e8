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

PartsRunner::PartsRunner(const MakePart& make, std::size_t rows, std::size_t parts, Group& group, AddShares add_shares)
    : group_(group),
      parts_(parts),
      most_((parts + group.size() - 1) / group.size()),
      add_shares_(std::move(add_shares)) {
    const std::vector<BatchPart> all = parts_of(rows, parts);
    first_ = make(all.front());
    const PartsOfRank of_rank = parts_of_rank(parts, group.rank(), group.size());
    for (std::size_t k = of_rank.first; k < of_rank.last; ++k) {
        own_.push_back({all[k], make(all[k]), {}, {}, {}});
    }
    allocate();
    plan();
}

void PartsRunner::allocate() {
    RankValues values = rank_values(first_, graphs());
    shared_ = std::move(values.shared);
    for (std::size_t k = 0; k < own_.size(); ++k) {
        own_[k].X = std::move(values.parts[k].X);
        own_[k].Y = std::move(values.parts[k].Y);
        own_[k].tensors = std::move(values.parts[k].rows);
    }
}

std::vector<Graph> PartsRunner::graphs() const {
    std::vector<Graph> all;
    std::ranges::transform(own_, std::back_inserter(all), &PartOfBatch::graph);
    return all;
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
            if (kind_of(steps[i]) == InParts::sum) {
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
    const InParts kind = kind_of(step);
    if (kind == InParts::shared) {
        add_call(step, shared_[step.makes].data(), nullptr);
        return;
    }
    for (std::size_t k = 0; k < own_.size(); ++k) {
        PartOfBatch& part = own_[k];
        float* const out = kind == InParts::rows
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
    if (add_shares_ != nullptr) {
        for (const Sum& sum : it.sums) {
            std::vector<std::span<float>> of_sum;
            for (const std::span<float> share : shares) {
                of_sum.push_back(share.subspan(sum.from, sum.count));
            }
            add_shares_(sum.name, shared_[sum.name], of_sum);
        }
        return;
    }
    add_pairwise(std::span<const std::span<float>>(shares));
    for (const Sum& sum : it.sums) {
        std::ranges::copy(shares.front().subspan(sum.from, sum.count), shared_[sum.name].begin());
    }
}

RankValues PartsRunner::values() const {
    RankValues values = rank_values(first_, graphs());
    values.shared = shared_;
    for (std::size_t k = 0; k < own_.size(); ++k) {
        PartValues& part = values.parts[k];
        part.X = own_[k].X;
        part.Y = own_[k].Y;
        part.rows = own_[k].tensors;
        for (const Exchange& exchange : exchanges_) {
            for (const Sum& sum : exchange.sums) {
                std::copy_n(exchange.own.data() + k * exchange.count + sum.from, sum.count,
                            part.shares[sum.name].data());
            }
        }
    }
    return values;
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
