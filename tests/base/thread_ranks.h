// Ranks as threads of one process, and what each of them trains.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstring>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "base/batch.h"
#include "base/group.h"
#include "base/model.h"

namespace thread_ranks {

// Enough to have more ranks than parts, and parts that ranks can't share equally.
inline constexpr std::size_t kRanks[] = {1, 2, 3, 4, 8, 11};

struct Shared {
    explicit Shared(std::size_t ranks) : size(ranks), barrier(static_cast<std::ptrdiff_t>(ranks)), rows(ranks) {}
    std::size_t size;
    std::barrier<> barrier;
    std::vector<std::span<const float>> rows;
};

class Thread final : public byhand::Group {
public:
    Thread(Shared& shared, std::size_t rank) : shared_(shared), rank_(rank) {}
    std::size_t size() const override { return shared_.size; }
    std::size_t rank() const override { return rank_; }
    void gather(std::span<float> all, std::span<const float> own) override {
        shared_.rows[rank_] = own;
        shared_.barrier.arrive_and_wait();
        for (std::size_t rank = 0; rank < shared_.size; ++rank) {
            std::ranges::copy(shared_.rows[rank], all.begin() + static_cast<std::ptrdiff_t>(rank * own.size()));
        }
        shared_.barrier.arrive_and_wait();
    }

private:
    Shared& shared_;
    std::size_t rank_;
};

// The loss of each step and the state after the last, as numbers.
inline std::vector<float> trained(byhand::Model& model, const byhand::Tensors<float>& state, const byhand::Batch& batch,
                                  float rate, std::size_t steps) {
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

// What train(group) returns on every rank, in order.
template <class Train>
std::vector<std::vector<float>> of_each_rank(std::size_t ranks, Train train) {
    Shared shared(ranks);
    std::vector<std::vector<float>> all(ranks);
    {
        std::vector<std::jthread> threads;
        for (std::size_t rank = 0; rank < ranks; ++rank) {
            threads.emplace_back([&, rank] {
                Thread group(shared, rank);
                all[rank] = train(group);
            });
        }
    }
    return all;
}

inline bool same_bytes(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace thread_ranks
