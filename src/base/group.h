// Processes that train one network together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace byhand {

// All ranks call the same functions in the same order.
class Group {
public:
    virtual ~Group() = default;

    virtual std::size_t size() const = 0;  // N
    virtual std::size_t rank() const = 0;  // of this process, below N

    // Sets row r of `all`, (N, own.size()), to what rank r passed as `own`, on every rank.
    virtual void gather(std::span<float> all, std::span<const float> own) = 0;

    // The same, to be completed by finish(), which waits for all that have been started. Until then the arrays belong
    // to the group.
    virtual void start_gather(std::span<float> all, std::span<const float> own) { gather(all, own); }
    virtual void finish() {}

protected:
    Group() = default;
    Group(const Group&) = default;
    Group& operator=(const Group&) = default;
};

// One process.
class Single final : public Group {
public:
    std::size_t size() const override { return 1; }
    std::size_t rank() const override { return 0; }
    void gather(std::span<float> all, std::span<const float> own) override { std::ranges::copy(own, all.begin()); }
};

}  // namespace byhand
