// Processes that train one network together.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>

namespace byhand {

// How sums over all ranks are added up: in an order that does not depend on the number of ranks (base/part_sums.h), or
// by the group itself, which sends fewer bytes.
enum class Reduce { tree, ring };

// All ranks call the same functions in the same order.
class Group {
public:
    virtual ~Group() = default;

    virtual std::size_t size() const = 0;  // N
    virtual std::size_t rank() const = 0;  // of this process, below N

    // Sets row r of `all`, (N, own.size()), to what rank r passed as `own`, on every rank.
    virtual void gather(std::span<float> all, std::span<const float> own) = 0;

    // Whether sums are left to add(), which sets `numbers` on every rank to their sum over all ranks, to the same bits
    // on each.
    virtual bool adds() const { return false; }
    virtual void add(std::span<float> numbers) = 0;

    // The same, to be completed by finish(), which waits for all that have been started. Until then the arrays belong
    // to the group.
    virtual void start_gather(std::span<float> all, std::span<const float> own) { gather(all, own); }
    virtual void start_add(std::span<float> numbers) { add(numbers); }
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
    void add(std::span<float> /*numbers*/) override {}
};

}  // namespace byhand
