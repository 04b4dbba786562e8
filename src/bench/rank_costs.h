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

// What every rank takes part in: all gather what each contributes (Reduce::tree), or Gloo adds it (Reduce::ring).
struct Message {
    Reduce how = Reduce::tree;
    std::size_t bytes = 0;  // from a rank

    friend bool operator==(const Message&, const Message&) = default;
};

// The seconds that N ranks need for it: what is gathered travels N − 1 times to the neighbour on a ring, a sum
// 2(N − 1) times, an N-th of it each time.
double message_seconds(const Message& message, const Link& link, std::size_t ranks);

// What a rank does in a step.
struct RankCost {
    double compute = 0;  // seconds
    std::vector<Message> messages;
};
double step_seconds(const RankCost& cost, const Link& link, std::size_t ranks);

// The link by which message_seconds() takes that long for what is gathered in a short message and in a long one.
Link link_of(std::size_t ranks, std::size_t short_bytes, double short_seconds, std::size_t long_bytes,
             double long_seconds);

// A rank that counts its messages. Without a group they go nowhere: it computes what such a rank computes, but takes
// its own numbers for those of the others. So it does if messages of a fixed length travel in their place.
class CountingGroup final : public Group {
public:
    // `numbers`: the length of the messages in the place of its own, if it is not 0.
    CountingGroup(Group* group, std::size_t rank, std::size_t ranks, Reduce reduce, std::size_t numbers = 0)
        : group_(group), rank_(rank), ranks_(ranks), reduce_(reduce), own_(numbers), all_(ranks * numbers) {}

    std::size_t size() const override { return ranks_; }
    std::size_t rank() const override { return rank_; }
    void gather(std::span<float> all, std::span<const float> own) override;
    bool adds() const override { return reduce_ == Reduce::ring; }
    void add(std::span<float> numbers) override;
    void start_gather(std::span<float> all, std::span<const float> own) override;
    void start_add(std::span<float> numbers) override;
    void finish() override;

    // Since the last call of forget().
    const std::vector<Message>& messages() const { return messages_; }
    double seconds() const { return seconds_; }  // in them, waiting for others included
    void forget();

private:
    template <class Send>
    void timed(const Send& send);

    Group* group_;
    std::size_t rank_, ranks_;
    Reduce reduce_;
    std::vector<float> own_, all_;  // of the messages that travel in the place of its own
    std::vector<Message> messages_;
    double seconds_ = 0;
};

}  // namespace byhand::bench
