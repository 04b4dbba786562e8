// Ranks as threads of one process.
#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/group.h"

namespace byhand {

// The memory that the threads share; it must outlive their groups.
class MeetingPoint {
public:
    explicit MeetingPoint(std::size_t ranks) : barrier_(static_cast<std::ptrdiff_t>(ranks)), rows_(ranks) {}
    std::size_t ranks() const { return rows_.size(); }

private:
    friend class ThreadGroup;
    std::barrier<> barrier_;
    std::vector<std::span<const float>> rows_;
};

class ThreadGroup final : public Group {
public:
    ThreadGroup(MeetingPoint& place, std::size_t rank) : place_(place), rank_(rank) {}
    std::size_t size() const override { return place_.ranks(); }
    std::size_t rank() const override { return rank_; }
    void gather(std::span<float> all, std::span<const float> own) override {
        place_.rows_[rank_] = own;
        place_.barrier_.arrive_and_wait();
        auto to = all.begin();
        for (const std::span<const float> row : place_.rows_) {
            to = std::ranges::copy(row, to).out;
        }
        place_.barrier_.arrive_and_wait();
    }

    // Sends nothing before finish(), so that reading or writing the arrays too early gives wrong numbers.
    void start_gather(std::span<float> all, std::span<const float> own) override {
        started_.emplace_back([this, all, own] { gather(all, own); });
    }
    void finish() override {
        for (const std::function<void()>& message : std::exchange(started_, {})) {
            message();
        }
    }

private:
    MeetingPoint& place_;
    std::size_t rank_;
    std::vector<std::function<void()>> started_;
};

}  // namespace byhand
