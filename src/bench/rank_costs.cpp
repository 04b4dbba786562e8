#include "bench/rank_costs.h"

#include <algorithm>
#include <chrono>
#include <numeric>

namespace byhand::bench {

double message_seconds(const Message& message, const Link& link, std::size_t ranks) {
    const auto hops = static_cast<double>(ranks - 1), all = static_cast<double>(message.bytes);
    return message.how == Reduce::tree ? hops * (link.latency + all * link.per_byte)
                                       : 2 * hops * (link.latency + all / static_cast<double>(ranks) * link.per_byte);
}

double step_seconds(const RankCost& cost, const Link& link, std::size_t ranks) {
    return std::accumulate(
        cost.messages.begin(), cost.messages.end(), cost.compute,
        [&](double sum, const Message& message) { return sum + message_seconds(message, link, ranks); });
}

Link link_of(std::size_t ranks, std::size_t short_bytes, double short_seconds, std::size_t long_bytes,
             double long_seconds) {
    const auto hops = static_cast<double>(ranks - 1);
    const double per_byte =
        std::max(0.0, (long_seconds - short_seconds) / hops / static_cast<double>(long_bytes - short_bytes));
    return {std::max(0.0, short_seconds / hops - per_byte * static_cast<double>(short_bytes)), per_byte};
}

template <class Send>
void CountingGroup::timed(const Send& send) {
    using Clock = std::chrono::steady_clock;
    const Clock::time_point start = Clock::now();
    send();
    seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
}

void CountingGroup::gather(std::span<float> all, std::span<const float> own) {
    messages_.push_back({Reduce::tree, own.size_bytes()});
    timed([&] {
        if (group_ != nullptr && own_.empty()) {
            group_->gather(all, own);
            return;
        }
        if (group_ != nullptr) {
            group_->gather(all_, own_);
        }
        for (std::size_t rank = 0; rank < ranks_; ++rank) {
            std::ranges::copy(own, all.begin() + static_cast<std::ptrdiff_t>(rank * own.size()));
        }
    });
}

void CountingGroup::add(std::span<float> numbers) {
    messages_.push_back({Reduce::ring, numbers.size_bytes()});
    timed([&] {
        if (group_ != nullptr) {
            group_->add(numbers);
        }
    });
}

void CountingGroup::start_gather(std::span<float> all, std::span<const float> own) {
    if (group_ == nullptr || !own_.empty()) {
        gather(all, own);
        return;
    }
    messages_.push_back({Reduce::tree, own.size_bytes()});
    timed([&] { group_->start_gather(all, own); });
}

void CountingGroup::start_add(std::span<float> numbers) {
    if (group_ == nullptr) {
        add(numbers);
        return;
    }
    messages_.push_back({Reduce::ring, numbers.size_bytes()});
    timed([&] { group_->start_add(numbers); });
}

void CountingGroup::finish() {
    if (group_ != nullptr) {
        timed([&] { group_->finish(); });
    }
}

void CountingGroup::forget() {
    messages_.clear();
    seconds_ = 0;
}

}  // namespace byhand::bench
