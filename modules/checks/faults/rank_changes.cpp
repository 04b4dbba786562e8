#include "checks/faults/rank_changes.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/value.h"

namespace byhand::planting {
namespace {

// The rows of the rank with that part.
std::size_t rows_with(const RankPlan& plan, const BatchPart& place) {
    for (std::size_t rank = 0; rank < plan.ranks; ++rank) {
        const PartsOfRank own = parts_of_rank(plan.places.size(), rank, plan.ranks);
        std::size_t rows = 0;
        bool has_it = false;
        for (std::size_t k = own.first; k < own.last; ++k) {
            rows += plan.places[k].rows;
            has_it = has_it || plan.places[k].first == place.first;
        }
        if (has_it) {
            return rows;
        }
    }
    return 0;
}

void add_rightly(std::span<float> sum, Shares shares) {
    add_pairwise(shares);
    std::ranges::copy(shares.front(), sum.begin());
}

bool is_parameter_gradient(const RankPlan& plan, const std::string& name) {
    return std::ranges::any_of(parameters(plan.whole.config),
                               [&](const TensorSpec& spec) { return gradient_of(spec.name) == name; });
}

}  // namespace

Mistake in_ranks(std::string name, std::string what, std::string source, PlantInRank plant) {
    return {std::move(name), std::move(what), std::move(source), [](Network&) { return Names{}; },
            [plant = std::move(plant)](RankPlan& plan) { return plan.ranks > 1 ? plant(plan) : Names{}; }};
}

PartsOfRank own_parts(const RankPlan& plan) {
    return parts_of_rank(plan.places.size(), plan.rank, plan.ranks);
}

Counts counts(const RankPlan& plan, const Network& graph, const Step& step, const BatchPart& place) {
    const std::size_t P = operation_of(graph, step).positions;
    return {static_cast<float>(rows_with(plan, place) * P), static_cast<float>(place.batch * P)};
}

Names made_by_function(const RankPlan& plan, const std::vector<std::string>& functions) {
    Names names;
    for (const Step* step : all_steps(plan.whole)) {
        if (std::ranges::find(functions, step->in_float.name) != functions.end()) {
            names.push_back(step->makes);
        }
    }
    return names;
}

Names backward_sums(const RankPlan& plan, bool of_parameters) {
    Names names;
    for (const Step& step : plan.whole.backward) {
        if (in_parts(plan.whole.glossary, step) == InParts::sum &&
            is_parameter_gradient(plan, step.makes) == of_parameters) {
            names.push_back(step.makes);
        }
    }
    return names;
}

Names gradients(const RankPlan& plan) {
    return backward_sums(plan, true);
}

Names last_gradient(const RankPlan& plan) {
    Names names = gradients(plan);
    std::erase_if(names, [](const std::string& name) { return !name.starts_with("dW"); });
    return names.empty() ? names : Names{names.front()};  // the backward pass begins with the output
}

Names in_each_part(RankPlan& plan, const std::string& function,
                   const std::function<bool(Network& graph, Step& step, const BatchPart& place)>& edit) {
    Step* const step = step_by(plan.whole, function);
    if (step == nullptr) {
        return {};
    }
    Network probe = plan.make(plan.places.front());
    if (!edit(probe, *step_by(probe, function), plan.places.front())) {
        return {};
    }
    plan.make = [make = plan.make, function, edit](const BatchPart& place) {
        Network graph = make(place);
        edit(graph, *step_by(graph, function), place);
        return graph;
    };
    return {step->makes};
}

Names with_sums(RankPlan& plan, const Names& names, const AddShares& add_shares) {
    plan.add_shares = [names, add_shares](const std::string& name, std::span<float> sum, Shares shares) {
        if (std::ranges::find(names, name) != names.end()) {
            add_shares(name, sum, shares);
        } else {
            add_rightly(sum, shares);
        }
    };
    return names;
}

Names with_sums_times(RankPlan& plan, const Names& names, float factor) {
    return with_sums(plan, names, [factor](const std::string&, std::span<float> sum, Shares shares) {
        add_rightly(sum, shares);
        std::ranges::for_each(sum, [factor](float& x) { x *= factor; });
    });
}

Names with_own_shares(RankPlan& plan, const Names& names, float factor) {
    return with_sums(plan, names,
                     [own = own_parts(plan), factor](const std::string&, std::span<float> sum, Shares shares) {
                         std::ranges::fill(sum, 0.0F);
                         if (own.count() > 0) {
                             add_rightly(sum, shares.subspan(own.first, own.count()));
                         }
                         std::ranges::for_each(sum, [factor](float& x) { x *= factor; });
                     });
}

Names with_rows_on_others(RankPlan& plan, const std::function<std::size_t(std::size_t row)>& from) {
    struct BatchRows {
        std::vector<std::int64_t> X, Y;
    };
    if (plan.rank > 0) {
        plan.batch = [from, T = plan.whole.config.context, rows = std::make_shared<BatchRows>()](const Batch& right) {
            rows->X.resize(right.rows * T);
            rows->Y.resize(right.rows);
            for (std::size_t row = 0; row < right.rows; ++row) {
                std::copy_n(right.X + from(row) * T, T, rows->X.begin() + static_cast<std::ptrdiff_t>(row * T));
                rows->Y[row] = right.Y[from(row)];
            }
            return Batch{right.rows, rows->X.data(), rows->Y.data()};
        };
    }
    return {"X", "Y"};
}

Names with_means_of_own_rows(RankPlan& plan, const Names& names) {
    const PartsOfRank own = own_parts(plan);
    if (own.count() == 0) {
        return with_own_shares(plan, names, 1);
    }
    const BatchPart& place = plan.places[own.first];
    return with_own_shares(plan, names, static_cast<float>(place.batch) / static_cast<float>(rows_with(plan, place)));
}

}  // namespace byhand::planting
