// A model of what a training step by several ranks costs: what the busiest rank computes, and its messages.
#pragma once

#include <cstddef>
#include <vector>

#include "base/group.h"

namespace byhand::bench {

// What a message between neighbours costs.
struct Link {
    double latency = 0;   // seconds
    double per_byte = 0;  // seconds
};

// The seconds that N ranks need for a message of this many bytes from each of them: on a ring, N − 1 times to the
// neighbour. A sum by the ring (Reduce::ring) travels 2(N − 1) times, an N-th of it each time.
double message_seconds(Reduce reduce, const Link& link, std::size_t ranks, std::size_t bytes);

// What a rank does in a step.
struct RankCost {
    double compute = 0;                 // seconds
    std::vector<std::size_t> messages;  // bytes that it contributes to each
};
double step_seconds(const RankCost& cost, Reduce reduce, const Link& link, std::size_t ranks);

// The link that message_seconds() fits to the times of a short message and of a long one.
Link link_of(std::size_t ranks, std::size_t short_bytes, double short_seconds, std::size_t long_bytes,
             double long_seconds);

// A rank that counts its messages. Without a group they go nowhere: it computes what such a rank computes, but takes
// its own numbers for those of the others.
class CountingGroup final : public Group {
public:
    CountingGroup(Group* group, std::size_t rank, std::size_t ranks, Reduce reduce)
        : group_(group), rank_(rank), ranks_(ranks), reduce_(reduce) {}

    std::size_t size() const override { return ranks_; }
    std::size_t rank() const override { return rank_; }
    void gather(std::span<float> all, std::span<const float> own) override;
    bool adds() const override { return reduce_ == Reduce::ring; }
    void add(std::span<float> numbers) override;

    // Since the last call of forget().
    const std::vector<std::size_t>& messages() const { return messages_; }  // bytes of each
    double seconds() const { return seconds_; }                             // in them, waiting for others included
    void forget();

private:
    template <class Send>
    void send(std::size_t numbers, const Send& send);

    Group* group_;
    std::size_t rank_, ranks_;
    Reduce reduce_;
    std::vector<std::size_t> messages_;
    double seconds_ = 0;
};

}  // namespace byhand::bench
