// A rank's messages, counted.
#pragma once

#include <chrono>
#include <cstddef>

#include "base/group.h"

namespace byhand::bench {

// Passes messages on to a group and counts them, their bytes and their time since the last call of forget().
class CountingGroup final : public Group {
public:
    explicit CountingGroup(Group& group) : group_(group) {}

    std::size_t size() const override { return group_.size(); }
    std::size_t rank() const override { return group_.rank(); }
    void gather(std::span<float> all, std::span<const float> own) override {
        sent(own.size_bytes(), [&] { group_.gather(all, own); });
    }
    void start_gather(std::span<float> all, std::span<const float> own) override {
        sent(own.size_bytes(), [&] { group_.start_gather(all, own); });
    }
    void finish() override {
        timed([&] { group_.finish(); });
    }

    std::size_t messages() const { return messages_; }
    std::size_t bytes() const { return bytes_; }  // that this rank contributes
    double seconds() const { return seconds_; }   // waiting for other ranks included
    void forget() {
        messages_ = bytes_ = 0;
        seconds_ = 0;
    }

private:
    template <class Send>
    void sent(std::size_t bytes, const Send& send) {
        ++messages_;
        bytes_ += bytes;
        timed(send);
    }
    template <class Send>
    void timed(const Send& send) {
        using Clock = std::chrono::steady_clock;
        const Clock::time_point start = Clock::now();
        send();
        seconds_ += std::chrono::duration<double>(Clock::now() - start).count();
    }

    Group& group_;
    std::size_t messages_ = 0, bytes_ = 0;
    double seconds_ = 0;
};

}  // namespace byhand::bench
