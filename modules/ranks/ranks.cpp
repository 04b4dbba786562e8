#include "ranks/ranks.h"

#include <algorithm>
#include <exception>
#include <iterator>
#include <thread>
#include <utility>

#include "base/parts.h"
#include "fast/models.h"
#include "manual/stepwise.h"
#include "ranks/agreement.h"
#include "ranks/joined_graph.h"
#include "ranks/thread_group.h"

namespace byhand {
namespace {

// An order of rank 0 to the others.
struct Order {
    enum class Action { stop, load, run };
    Action action = Action::stop;
    float rate = 0;          // of a run
    std::size_t number = 0;  // of the implementation
};
static_assert(sizeof(Order) == 16);  // sent as bytes: no padding

// The values of rank 0, on every rank.
template <class T>
void share_first(Group& group, std::span<T> values) {
    const std::vector<T> all = gathered(group, std::span<const T>(values));
    std::copy_n(all.begin(), values.size(), values.begin());
}

// The order of rank 0, on every rank; the others wait for it.
Order exchanged(Group& group, Order order = {}) {
    share_first(group, std::span(&order, 1));
    return order;
}

// X, then Y, of the batch of rank 0, on every rank; the others pass none.
std::vector<std::int64_t> shared_batch(Group& group, const Batch& batch, std::size_t rows, std::size_t context) {
    std::vector<std::int64_t> indices(rows * (context + 1));
    if (group.rank() == 0) {
        std::copy_n(batch.Y, rows, std::copy_n(batch.X, rows * context, indices.begin()));
    }
    share_first(group, std::span(indices));
    return indices;
}

void share_state(Group& group, Tensors<float>& state) {
    for (const TensorSpec& spec : state.table()) {
        share_first(group, state[spec.name]);
    }
}

std::size_t longest_row(const std::vector<RankValues>& ranks) {
    std::size_t longest = 0;
    for (const RankValues& rank : ranks) {
        longest = std::max(longest, in_a_row(rank).size());
    }
    return longest;
}

// Every rank's row, with zeros behind it, on every rank.
std::vector<float> gather_values(Group& group, const RankValues& own, std::size_t longest) {
    std::vector<float> row = in_a_row(own), all(group.size() * longest);
    row.resize(longest);
    group.gather(all, row);
    return all;
}

}  // namespace

void follow(std::span<const InRanks> all, const NetworkConfig& network, std::size_t rows, Group& group,
            const DrawBatch& draw) {
    std::vector<std::size_t> longest, steps(all.size());
    std::ranges::transform(all, std::back_inserter(longest),
                           [](const InRanks& one) { return longest_row(one.tables); });
    Tensors<float> state(byhand::state(network));
    std::size_t drawn = 0;
    Batch own;  // of the last step drawn, which all run
    for (Order order = exchanged(group); order.action != Order::Action::stop; order = exchanged(group)) {
        const InRanks& its = all[order.number];
        if (order.action == Order::Action::load) {
            share_state(group, state);
            its.model->load(state);
            continue;
        }
        const std::vector<std::int64_t> shared = shared_batch(group, {}, rows, network.context);
        if (draw != nullptr && steps[order.number]++ == drawn) {
            own = draw(drawn++);
        }
        its.model->run(draw != nullptr ? own : Batch{rows, shared.data(), shared.data() + rows * network.context},
                       order.rate);
        gather_values(group, its.values(), longest[order.number]);
    }
}

Leader::~Leader() {
    try {
        exchanged(group_);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the others have ended already
    }
}

Ranks::Ranks(InRanks its, std::size_t number, std::shared_ptr<Leader> leader)
    : in_ranks_(std::move(its)),
      number_(number),
      leader_(std::move(leader)),
      one_(in_ranks_.by_one != nullptr ? std::optional(in_ranks_.by_one(alone_)) : std::nullopt),
      longest_(longest_row(in_ranks_.tables)) {}

void Ranks::load(const Tensors<float>& state) {
    state_ = state;
    Group& group = leader_->group();
    exchanged(group, {.action = Order::Action::load, .number = number_});
    Tensors<float> shared = state;
    share_state(group, shared);
    in_ranks_.model->load(shared);
    if (one_) {
        one_->model->load(state);
    }
}

void Ranks::run(const Batch& batch, float rate) {
    batch_ = batch;
    rate_ = rate;
    Group& group = leader_->group();
    exchanged(group, {.action = Order::Action::run, .rate = rate, .number = number_});
    shared_batch(group, batch, batch.rows, in_ranks_.whole.config.context);
    in_ranks_.model->run(batch, rate);
    const std::vector<float> all = gather_values(group, in_ranks_.values(), longest_);
    for (std::size_t rank = 0; rank < in_ranks_.tables.size(); ++rank) {
        read_row(in_ranks_.tables[rank], std::span(all).subspan(rank * longest_, longest_));
    }
    whole_ = whole_values(in_ranks_.whole, in_ranks_.tables);
    if (one_) {
        one_->model->run(batch, rate);
        different_.merge(different_bits(in_ranks_.tables, one_->values()));
    }
}

std::vector<View> Ranks::views() const {
    return (whole_.table().empty() ? state_ : whole_).views();
}

void Ranks::judge(std::vector<IsolatedStep>& isolated) const {
    if (in_ranks_.right) {
        judge_ranks(isolated, *in_ranks_.right, in_ranks_.tables, batch_, rate_, state_);
    } else if (one_) {
        judge_bits(isolated, in_ranks_.whole, in_ranks_.tables, one_->values());
    }
}

RankSummary Ranks::summary() const {
    RankSummary summary{.model = in_ranks_.name,
                        .ranks = in_ranks_.tables.size(),
                        .parts = in_ranks_.parts,
                        .messages = in_ranks_.messages,
                        .values = whole_.table().size(),
                        .different = {}};
    for (const TensorSpec& spec : whole_.table()) {  // in their order
        if (different_.contains(spec.name)) {
            summary.different.push_back(spec.name);
        }
    }
    return summary;
}

RanksOnThreads ranks_on_threads(const Mistake* mistake, const NetworkConfig& network, std::size_t rows,
                                std::size_t parts, std::size_t ranks, const std::string& model) {
    struct Threads {
        explicit Threads(std::size_t size) : place(size), first(place, 0) {}
        MeetingPoint place;
        ThreadGroup first;
        std::vector<std::jthread> others;
    };
    const auto threads = std::make_shared<Threads>(ranks);
    std::vector<std::string> culprits;
    std::vector<RankPlan> plans;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        const HandForm form = model == "collapsed" ? HandForm::collapsed : HandForm::stepwise;
        RankPlan& plan = plans.emplace_back(rank_plan(form, network, rows, parts, rank, ranks));
        if (mistake != nullptr && mistake->plant_in_rank != nullptr) {
            culprits = mistake->plant_in_rank(plan);
        }
    }
    const auto in_ranks = [=, &network](const RankPlan& plan, Group& group) {
        return model == "fused" ? fused_in_ranks(network, rows, parts, group) : graph_in_ranks(plan, network, group);
    };
    for (std::size_t rank = 1; rank < ranks; ++rank) {
        threads->others.emplace_back([=, &network, place = &threads->place, plan = plans[rank]] {
            ThreadGroup group(*place, rank);
            const InRanks own = in_ranks(plan, group);
            follow({&own, 1}, network, rows, group);
        });
    }
    InRanks first = in_ranks(plans.front(), threads->first);
    auto leader = std::make_shared<Leader>(threads->first, threads);
    return {std::make_unique<Ranks>(std::move(first), 0, std::move(leader)), std::move(culprits)};
}

namespace {

// Its isolated steps include the findings of every rank.
struct RanksCandidate final : StepCandidate {
    RanksCandidate(std::unique_ptr<Ranks> all, StepCandidate& whole)
        : StepCandidate(whole.model, nullptr, std::move(whole.steps), whole.chain, std::move(whole.isolation)),
          ranks(*all) {
        implementation = std::move(all);
    }
    std::vector<IsolatedStep> isolated(const JudgedStep& at) const override {
        std::vector<IsolatedStep> isolated = StepCandidate::isolated(at);
        ranks.judge(isolated);
        return isolated;
    }
    const Ranks& ranks;
};

}  // namespace

std::unique_ptr<StepCandidate> candidate_in_ranks(std::unique_ptr<Ranks> ranks, const Reference& reference) {
    const InRanks& its = ranks->in_ranks();
    const auto whole = its.name == "fused" ? fused_candidate(reference) : candidate_of(its.name, reference);
    auto candidate = std::make_unique<RanksCandidate>(std::move(ranks), *whole);
    if (its.right) {
        const auto in_parts = [parts = its.parts](const NetworkConfig& sized, std::size_t rows) {
            const std::vector<BatchPart> places = parts_of(rows, std::min(parts, rows));
            std::vector<Graph> graphs;
            std::ranges::transform(places, std::back_inserter(graphs), [&](const BatchPart& place) {
                return hand_graph(HandForm::stepwise, sized, place);
            });
            return joined(stepwise_graph(sized, rows), places, graphs);
        };
        candidate->steps = in_parts(its.whole.config, its.whole.rows);
        candidate->isolation = reference.isolation(HandForm::stepwise, in_parts);
        candidate->isolation.leeway = Leeway::order;
    }
    return candidate;
}

}  // namespace byhand
