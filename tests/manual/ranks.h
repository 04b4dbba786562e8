// Ranks as threads of one process.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <span>
#include <thread>
#include <vector>

#include "base/group.h"

namespace ranks {

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
        ++gathers;
        shared_.rows[rank_] = own;
        shared_.barrier.arrive_and_wait();
        for (std::size_t rank = 0; rank < shared_.size; ++rank) {
            std::ranges::copy(shared_.rows[rank], all.begin() + static_cast<std::ptrdiff_t>(rank * own.size()));
        }
        shared_.barrier.arrive_and_wait();
    }

    std::size_t gathers = 0;

private:
    Shared& shared_;
    std::size_t rank_;
};

// Calls work(group) for each rank, all at once.
template <class Work>
void on_each(std::size_t ranks, Work work) {
    Shared shared(ranks);
    std::vector<std::jthread> threads;
    threads.reserve(ranks);
    for (std::size_t rank = 0; rank < ranks; ++rank) {
        threads.emplace_back([&, rank] {
            Thread group(shared, rank);
            work(group);
        });
    }
}

}  // namespace ranks
