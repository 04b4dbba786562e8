#include "ranks/judge_ranks.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <functional>
#include <utility>

#include "base/value.h"
#include "harness/isolated/hints.h"
#include "ranks/joined_graph.h"

namespace byhand {
namespace {

using Numbers = std::span<const float>;

bool same_bits(Numbers a, Numbers b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

// Pairwise, by halves: of n shares the left half has the largest power of two below n.
std::vector<float> sum_of_shares(std::span<const Numbers> shares) {
    if (shares.size() == 1) {
        return {shares.front().begin(), shares.front().end()};
    }
    std::size_t left = 1;
    while (2 * left < shares.size()) {
        left *= 2;
    }
    std::vector<float> sum = sum_of_shares(shares.first(left));
    const std::vector<float> right = sum_of_shares(shares.subspan(left));
    std::ranges::transform(sum, right, sum.begin(), std::plus());
    return sum;
}

std::string rows_of(const BatchPart& place) {
    const std::string first = std::to_string(place.first);
    return place.rows == 1 ? "row " + first : "rows " + first + " to " + std::to_string(place.first + place.rows - 1);
}

std::string of_rank(std::size_t rank) {
    return "rank " + std::to_string(rank);
}

// Marks a value as wrong; null if it is marked already.
IsolatedStep* add_wrong(std::vector<IsolatedStep>& isolated, const std::string& name, const std::vector<float>& ours,
                        const std::vector<double>& right, const std::string& note) {
    auto place = std::ranges::find(isolated, name, &IsolatedStep::makes);
    if (place != isolated.end() && place->wrong()) {
        return nullptr;
    }
    Trial trial = trial_against<float>(ours, right, std::vector<double>(1, 0.0));
    if (!fails(trial.verdict)) {  // zeros of another sign, or both not finite
        trial.verdict = Verdict::mismatch;
    }
    trial.note = note;
    if (place == isolated.end()) {
        place = isolated.insert(isolated.end(), IsolatedStep{name, {}, {}, {ours.size()}, {Trial()}});
    }
    place->trials.front() = std::move(trial);  // on the batch
    return &*place;
}

class RankJudge {
public:
    RankJudge(std::vector<IsolatedStep>& isolated, const RightParts& right, std::span<const RankValues> ranks)
        : isolated_(isolated), right_(right), ranks_(ranks) {
        for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
            for (std::size_t own = 0; own < ranks[rank].parts.size(); ++own) {
                parts_.push_back({parts_.size(), rank, &ranks[rank].parts[own]});
            }
        }
    }

    void judge_batch(const Batch& batch) {
        const std::size_t context = right_.graphs.front().config.context;
        for (const RankPart& part : parts_) {
            const BatchPart& place = right_.places[part.number];
            const auto check = [&](const char* name, const std::vector<std::int64_t>& ours, const std::int64_t* all,
                                   std::size_t width) {
                const std::span right(all + place.first * width, ours.size());
                if (!std::ranges::equal(ours, right)) {
                    report(name, {ours.begin(), ours.end()}, {right.begin(), right.end()},
                           "on " + of_rank(part.rank) + " part " + std::to_string(part.number) + " is not " +
                               rows_of(place) + " of the batch");
                }
            };
            check("X", part.values->X, batch.X, context);
            check("Y", part.values->Y, batch.Y, 1);
        }
    }

    // A value that every rank has from outside.
    void judge_input(const std::string& name, Numbers right) {
        for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
            hold(name, ranks_[rank].shared[name], right, of_rank(rank) + " begins the step with another " + name);
        }
    }

    // The step at that place of a list, a member of Graph.
    void judge_step(auto list, std::size_t at) {
        const Graph& any = right_.graphs.front();
        step_ = &(any.*list)[at];
        const std::string& name = step_->makes;
        const InParts how = in_parts(any.glossary, *step_);
        if (how == InParts::shared) {
            for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
                hold(name, ranks_[rank].shared[name], computed(*step_, rank, {}),
                     "wrong on " + of_rank(rank) + ", from values without rows");
            }
            return;
        }
        for (const RankPart& part : parts_) {
            const Tensors<float>& own = how == InParts::rows ? part.values->rows : part.values->shares;
            hold(name, own[name], computed((right_.graphs[part.number].*list)[at], part.rank, *part.values),
                 (how == InParts::rows ? "wrong in part " : "wrong is the share of part ") +
                     std::to_string(part.number) + ", " + rows_of(right_.places[part.number]) + ", on " +
                     of_rank(part.rank));
        }
        if (how == InParts::sum) {
            judge_sum(name);
        }
        step_ = nullptr;
    }

private:
    struct RankPart {
        std::size_t number, rank;
        const PartValues* values;
    };

    void judge_sum(const std::string& name) {
        std::vector<Numbers> shares;
        shares.reserve(parts_.size());
        for (const RankPart& part : parts_) {
            shares.emplace_back(part.values->shares[name]);
        }
        const std::vector<float> sum = sum_of_shares(shares);
        for (std::size_t rank = 0; rank < ranks_.size(); ++rank) {
            hold(name, ranks_[rank].shared[name], sum, "wrong is the sum of the parts' shares, on " + of_rank(rank));
        }
    }

    std::vector<float> computed(const Step& step, std::size_t rank, const PartValues& part) const {
        const Glossary& glossary = right_.graphs.front().glossary;
        std::vector<float> result(count(step.shape));
        execute<float>(step, result.data(), [&](const std::string& name) -> Operand<float> {
            if (is_index(name)) {
                return name == "X" ? part.X.data() : part.Y.data();
            }
            return has_rows(glossary, name) ? part.rows[name].data() : ranks_[rank].shared[name].data();
        });
        return result;
    }

    void hold(const std::string& name, Numbers ours, Numbers right, const std::string& where) {
        if (!same_bits(ours, right)) {
            report(name, {ours.begin(), ours.end()}, {right.begin(), right.end()}, where);
        }
    }

    // Only the first that is said of a name.
    void report(const std::string& name, const std::vector<float>& ours, const std::vector<double>& right,
                const std::string& where) {
        IsolatedStep* const added = add_wrong(isolated_, name, ours, right, where);
        if (added == nullptr) {
            return;
        }
        added->trials.front().hint = hint_of(ours, right);
        if (step_ != nullptr) {
            added->function = step_->in_float.name;
            added->reads = step_->reads;
        }
    }

    std::string hint_of(const std::vector<float>& ours, const std::vector<double>& right) const {
        const Graph& any = right_.graphs.front();
        std::vector<Extent> extents = extents_of(any.config, right_.places.front().batch);
        // Before the network's own, which may have the same size.
        extents.insert(extents.begin() + 1, {{static_cast<std::int64_t>(ranks_.size()), "the number of ranks"},
                                             {static_cast<std::int64_t>(right_.places.size()), "the number of parts"}});
        std::vector<double> rounding;
        std::ranges::transform(right, std::back_inserter(rounding), [](double x) { return 1e-6 * std::abs(x); });
        const Shape shape = step_ != nullptr && count(step_->shape) == ours.size() ? step_->shape : Shape{ours.size()};
        return hint(std::vector<double>(ours.begin(), ours.end()), right, rounding, shape, extents);
    }

    std::vector<IsolatedStep>& isolated_;
    const RightParts& right_;
    std::span<const RankValues> ranks_;
    std::vector<RankPart> parts_;
    const Step* step_ = nullptr;  // that makes the value
};

}  // namespace

void judge_ranks(std::vector<IsolatedStep>& isolated, const RightParts& right, std::span<const RankValues> ranks,
                 const Batch& batch, float rate, const Tensors<float>& state) {
    RankJudge judge(isolated, right, ranks);
    judge.judge_batch(batch);
    for (const TensorSpec& spec : state.table()) {
        judge.judge_input(spec.name, state[spec.name]);
    }
    judge.judge_input("rate", {&rate, 1});
    for (const auto list : {&Graph::forward, &Graph::backward, &Graph::update}) {
        for (std::size_t at = 0; at < (right.graphs.front().*list).size(); ++at) {
            judge.judge_step(list, at);
        }
    }
}

namespace {

using PartTensors = Tensors<float> PartValues::*;

// A value of all parts, one after the other.
std::vector<float> of_all_parts(std::span<const RankValues> ranks, PartTensors tensors, const std::string& name) {
    std::vector<float> all;
    for (const RankValues& rank : ranks) {
        for (const PartValues& part : rank.parts) {
            const Numbers numbers = (part.*tensors)[name];
            all.insert(all.end(), numbers.begin(), numbers.end());
        }
    }
    return all;
}

bool have_rows(std::span<const RankValues> ranks, const std::string& name) {
    return std::ranges::any_of(
        ranks, [&](const RankValues& rank) { return !rank.parts.empty() && rank.parts.front().rows.contains(name); });
}

// The names of a step's values in order.
std::vector<TensorSpec> table_of(const Graph& whole) {
    std::vector<TensorSpec> table = state(whole.config);
    for (const StepList* list : {&whole.forward, &whole.backward, &whole.update}) {
        for (const Step& step : *list) {
            table.push_back({step.makes, step.shape});
        }
    }
    return table;
}

}  // namespace

Tensors<float> whole_values(const Graph& whole, std::span<const RankValues> ranks) {
    std::vector<TensorSpec> table = table_of(whole);
    std::erase_if(table, [&](const TensorSpec& spec) {
        return !have_rows(ranks, spec.name) && !ranks.front().shared.contains(spec.name);
    });
    Tensors<float> all(table);
    for (const TensorSpec& spec : table) {
        if (have_rows(ranks, spec.name)) {
            std::ranges::copy(of_all_parts(ranks, &PartValues::rows, spec.name), all[spec.name].begin());
        } else {
            std::ranges::copy(std::as_const(ranks.front().shared)[spec.name], all[spec.name].begin());
        }
    }
    return all;
}

std::set<std::string> different_bits(std::span<const RankValues> ranks, const RankValues& one) {
    std::set<std::string> names;
    for (const PartTensors tensors : {&PartValues::rows, &PartValues::shares}) {
        if (!one.parts.empty()) {
            for (const TensorSpec& spec : (one.parts.front().*tensors).table()) {
                if (!same_bits(of_all_parts(ranks, tensors, spec.name), of_all_parts({&one, 1}, tensors, spec.name))) {
                    names.insert(spec.name);
                }
            }
        }
    }
    for (const RankValues& rank : ranks) {
        for (const TensorSpec& spec : rank.shared.table()) {
            if (!same_bits(rank.shared[spec.name], one.shared[spec.name])) {
                names.insert(spec.name);
            }
        }
    }
    return names;
}

void judge_bits(std::vector<IsolatedStep>& isolated, const Graph& whole, std::span<const RankValues> ranks,
                const RankValues& one) {
    const std::set<std::string> different = different_bits(ranks, one);
    const std::vector<TensorSpec> table = table_of(whole);
    const auto first = std::ranges::find_if(table, [&](const auto& spec) { return different.contains(spec.name); });
    if (first == table.end()) {
        return;
    }
    const auto report = [&](const std::vector<float>& ours, const std::vector<float>& right, const std::string& where) {
        add_wrong(isolated, first->name, ours, {right.begin(), right.end()},
                  where + ": other bits than on one process");
    };
    if (!have_rows(ranks, first->name)) {
        const Numbers single = one.shared[first->name];
        for (std::size_t rank = 0; rank < ranks.size(); ++rank) {
            if (const Numbers its = ranks[rank].shared[first->name]; !same_bits(its, single)) {
                report({its.begin(), its.end()}, {single.begin(), single.end()}, of_rank(rank));
                return;
            }
        }
    }
    // Shares may differ whose sums do not.
    const bool is_sum = !have_rows(ranks, first->name);
    const PartTensors tensors = is_sum ? &PartValues::shares : &PartValues::rows;
    report(of_all_parts(ranks, tensors, first->name), of_all_parts({&one, 1}, tensors, first->name),
           is_sum ? "the parts' shares" : "the rows of all ranks");
}

}  // namespace byhand
