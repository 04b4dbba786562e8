// Ranks as threads of one process, and what each of them trains.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/group.h"
#include "base/model.h"
#include "ranks/thread_group.h"

namespace thread_ranks {

// Enough to have more ranks than parts, and parts that ranks can't share equally.
inline constexpr std::size_t kRanks[] = {1, 2, 3, 4, 8, 11};

// Counts the messages.
class Thread final : public byhand::Group {
public:
    Thread(byhand::MeetingPoint& place, std::size_t rank) : group_(place, rank) {}
    std::size_t size() const override { return group_.size(); }
    std::size_t rank() const override { return group_.rank(); }
    void gather(std::span<float> all, std::span<const float> own) override {
        ++gathers;
        group_.gather(all, own);
    }
    void start_gather(std::span<float> all, std::span<const float> own) override {
        ++gathers;
        group_.start_gather(all, own);
    }
    void finish() override { group_.finish(); }

    std::size_t gathers = 0;

private:
    byhand::ThreadGroup group_;
};

// The loss of each step and the state after the last, as numbers.
inline std::vector<float> trained(byhand::Trainable& model, const byhand::Tensors<float>& state,
                                  const byhand::Batch& batch, float rate, std::size_t steps) {
    std::vector<float> all;
    model.load(state);
    for (std::size_t step = 0; step < steps; ++step) {
        all.push_back(model.train_step(batch, rate));
    }
    const byhand::Tensors<float> after = model.save();
    for (const byhand::TensorSpec& spec : after.table()) {
        all.insert(all.end(), after[spec.name].begin(), after[spec.name].end());
    }
    return all;
}

// Calls work(group) for each rank, all at once.
template <class Work>
void on_each(std::size_t ranks, Work work) {
    byhand::MeetingPoint place(ranks);
    std::vector<std::jthread> threads;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        threads.emplace_back([&, rank] {
            Thread group(place, rank);
            work(group);
        });
    }
}

// What train(group) returns on every rank, in order.
template <class Train>
std::vector<std::vector<float>> of_each_rank(std::size_t ranks, Train train) {
    std::vector<std::vector<float>> all(ranks);
    on_each(ranks, [&](Thread& group) { all[group.rank()] = train(group); });
    return all;
}

inline bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace thread_ranks
