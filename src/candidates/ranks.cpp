#include "candidates/ranks.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <set>
#include <span>
#include <thread>
#include <utility>

#include "base/parts.h"
#include "base/thread_group.h"
#include "manual/parts.h"
#include "manual/stepwise.h"

namespace byhand {
namespace {

// What rank 0 tells the others to do.
enum class Order { stop, load, run };

// That of rank 0; the others wait for it.
Order told(Group& group, Order order = Order::stop) {
    const auto own = static_cast<float>(order);
    std::vector<float> all(group.size());
    group.gather(all, {&own, 1});
    return static_cast<Order>(std::lround(all.front()));
}

// The numbers of rank 0, on every rank.
void share_first(Group& group, std::span<float> numbers) {
    std::vector<float> all(group.size() * numbers.size());
    group.gather(all, numbers);
    std::copy_n(all.begin(), numbers.size(), numbers.begin());
}

// The batch of rank 0 on every rank.
struct SharedBatch {
    SharedBatch(const NetworkConfig& config, std::size_t rows) : X(rows * config.context), Y(rows) {}
    Batch view() const { return {Y.size(), X.data(), Y.data()}; }

    void share(Group& group, const Batch& batch) {
        std::vector<float> indices(X.size() + Y.size());
        if (group.rank() == 0) {
            std::transform(batch.Y, batch.Y + Y.size(),
                           std::transform(batch.X, batch.X + X.size(), indices.begin(), to_float), to_float);
        }
        share_first(group, indices);
        const auto middle = indices.begin() + static_cast<std::ptrdiff_t>(X.size());
        std::transform(indices.begin(), middle, X.begin(), to_index);
        std::transform(middle, indices.end(), Y.begin(), to_index);
    }

    static float to_float(std::int64_t index) { return static_cast<float>(index); }  // exact up to 2²⁴
    static std::int64_t to_index(float number) { return static_cast<std::int64_t>(number); }

    std::vector<std::int64_t> X, Y;
};

void share_state(Group& group, Tensors<float>& state) {
    for (const TensorSpec& spec : state.table()) {
        share_first(group, state[spec.name]);
    }
}

// A rank as its plan says.
class Rank {
public:
    Rank(const RankPlan& plan, Group& group)
        : plan_(plan),
          runner_(plan.make, plan.whole.rows, plan.places.size(), group, PartsRunner::Keep::all, plan.add_shares) {}

    void load(Tensors<float> state) {
        if (plan_.load != nullptr) {
            plan_.load(state);
        }
        copy_into(runner_.shared(), state);
    }

    void run(const Batch& batch, float rate) {
        const Batch own = plan_.batch != nullptr ? plan_.batch(step_, batch) : batch;
        runner_.run(own, plan_.rate != nullptr ? plan_.rate(rate) : rate);
        ++step_;
    }

    const PartsRunner& runner() const { return runner_; }

private:
    const RankPlan& plan_;
    PartsRunner runner_;
    std::size_t step_ = 0;
};

RightParts right_parts(const NetworkConfig& network, const std::vector<BatchPart>& places) {
    RightParts right{places, {}};
    for (const BatchPart& place : places) {
        right.graphs.push_back(hand_graph(HandForm::stepwise, network, place));
    }
    return right;
}

// Of each rank, unwritten.
std::vector<RankValues> values_of_ranks(const RightParts& right, std::size_t ranks) {
    std::vector<RankValues> all;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        const PartsOfRank own = parts_of_rank(right.places.size(), rank, ranks);
        all.push_back(rank_values(right.graphs.front(), std::span(right.graphs).subspan(own.first, own.count())));
    }
    return all;
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

RankPlan rank_plan(const NetworkConfig& network, std::size_t rows, std::size_t parts, std::size_t rank,
                   std::size_t ranks) {
    return {.rank = rank,
            .ranks = ranks,
            .places = parts_of(rows, parts),
            .whole = stepwise_graph(network, rows),
            .make = [&network](const BatchPart& place) { return hand_graph(HandForm::stepwise, network, place); }};
}

void follow(const RankPlan& plan, Group& group, const DrawBatch& draw) {
    Rank rank(plan, group);
    const NetworkConfig& network = plan.whole.config;
    const std::size_t longest = longest_row(values_of_ranks(right_parts(network, plan.places), group.size()));
    Tensors<float> state(byhand::state(network));
    SharedBatch batch(network, plan.whole.rows);
    std::size_t step = 0;
    for (Order order = told(group); order != Order::stop; order = told(group)) {
        if (order == Order::load) {
            share_state(group, state);
            rank.load(state);
            continue;
        }
        float rate = 0;
        share_first(group, {&rate, 1});
        batch.share(group, {});
        rank.run(draw != nullptr ? draw(step++) : batch.view(), rate);
        gather_values(group, rank.runner().values(), longest);
    }
}

struct Ranks::Parts {
    Parts(RankPlan of_rank, Group& of_ranks, std::shared_ptr<void> other_ranks)
        : others(std::move(other_ranks)),
          plan(std::move(of_rank)),
          group(of_ranks),
          right(right_parts(plan.whole.config, plan.places)),
          rank(plan, group),
          single(rank_plan(plan.whole.config, plan.whole.rows, plan.places.size(), 0, 1)),
          one_process(single, alone),
          ranks(values_of_ranks(right, group.size())),
          longest(longest_row(ranks)),
          shared(plan.whole.config, plan.whole.rows) {}

    std::shared_ptr<void> others;
    RankPlan plan;
    Group& group;
    RightParts right;
    Rank rank;
    Single alone;
    RankPlan single;
    Rank one_process;
    std::vector<RankValues> ranks;
    std::size_t longest;
    Tensors<float> state, whole;
    SharedBatch shared;
    Batch batch;
    float rate = 0;
    std::set<std::string> different;  // in any run
};

Ranks::Ranks(RankPlan plan, Group& group, std::shared_ptr<void> others)
    : parts_(std::make_unique<Parts>(std::move(plan), group, std::move(others))) {}

Ranks::~Ranks() {
    try {
        told(parts_->group, Order::stop);
    } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): the others have ended already
    }
}

void Ranks::load(const Tensors<float>& state) {
    parts_->state = state;
    told(parts_->group, Order::load);
    Tensors<float> shared = state;
    share_state(parts_->group, shared);
    parts_->rank.load(shared);
    parts_->one_process.load(state);
}

void Ranks::run(const Batch& batch, float rate) {
    Parts& it = *parts_;
    it.batch = batch;
    it.rate = rate;
    told(it.group, Order::run);
    share_first(it.group, {&rate, 1});
    it.shared.share(it.group, batch);
    it.rank.run(batch, rate);
    const std::vector<float> all = gather_values(it.group, it.rank.runner().values(), it.longest);
    for (std::size_t rank = 0; rank < it.ranks.size(); ++rank) {
        read_row(it.ranks[rank], std::span(all).subspan(rank * it.longest, it.longest));
    }
    it.whole = whole_values(it.plan.whole, it.ranks);
    it.one_process.run(batch, rate);
    for (std::string& name : different_bits(it.ranks, it.one_process.runner().values())) {
        it.different.insert(std::move(name));
    }
}

std::vector<View> Ranks::views() const {
    return (parts_->whole.table().empty() ? parts_->state : parts_->whole).views();
}

void Ranks::judge(std::vector<IsolatedStep>& isolated) const {
    judge_ranks(isolated, parts_->right, parts_->ranks, parts_->batch, parts_->rate, parts_->state);
}

RankSummary Ranks::summary() const {
    RankSummary summary{.ranks = parts_->ranks.size(),
                        .parts = parts_->plan.places.size(),
                        .messages = parts_->rank.runner().messages(),
                        .values = parts_->whole.table().size(),
                        .different = {}};
    for (const TensorSpec& spec : parts_->whole.table()) {  // in their order
        if (parts_->different.contains(spec.name)) {
            summary.different.push_back(spec.name);
        }
    }
    return summary;
}

const RankPlan& Ranks::plan() const {
    return parts_->plan;
}

RanksOnThreads ranks_on_threads(const Mistake* mistake, const NetworkConfig& network, std::size_t rows,
                                std::size_t parts, std::size_t ranks) {
    struct Threads {
        explicit Threads(std::size_t size) : place(size), first(place, 0) {}
        MeetingPoint place;
        ThreadGroup first;
        std::vector<RankPlan> plans;
        std::vector<std::jthread> others;
    };
    const auto threads = std::make_shared<Threads>(ranks);
    std::vector<std::string> culprits;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        RankPlan& plan = threads->plans.emplace_back(rank_plan(network, rows, parts, rank, ranks));
        if (mistake != nullptr && mistake->plant_in_rank != nullptr) {
            culprits = mistake->plant_in_rank(plan);
        }
    }
    for (std::size_t rank = 1; rank < ranks; ++rank) {
        threads->others.emplace_back([place = &threads->place, plan = &threads->plans[rank], rank] {
            ThreadGroup group(*place, rank);
            follow(*plan, group);
        });
    }
    auto all = std::make_unique<Ranks>(threads->plans.front(), threads->first, threads);
    return {std::move(all), std::move(culprits)};
}

Candidate candidate_in_ranks(std::unique_ptr<Ranks> ranks, const Reference& reference) {
    const RankPlan& plan = ranks->plan();
    const auto in_parts = [parts = plan.places.size()](const NetworkConfig& sized, std::size_t rows) {
        const std::vector<BatchPart> places = parts_of(rows, std::min(parts, rows));
        return joined(stepwise_graph(sized, rows), places, right_parts(sized, places).graphs);
    };
    const Ranks* const its = ranks.get();
    const Graph steps = in_parts(plan.whole.config, plan.whole.rows);
    return {.model = "stepwise",
            .implementation = std::move(ranks),
            .coverage = Coverage::required,
            .steps = steps,
            .isolation = {.right = steps,
                          .leeway = Leeway::order,
                          .battery = reference.stepwise_battery_of(in_parts),
                          .at_size = in_parts,
                          .right_at_size = in_parts},
            .reference_operations = reference.stepwise.get(),
            .also = [its](std::vector<IsolatedStep>& isolated) { its->judge(isolated); },
            .chain = &reference.chain};
}

}  // namespace byhand
