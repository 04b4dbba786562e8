// Memory that ends at an inaccessible page: an out-of-bounds access is a fault, every time.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>
#include <span>
#include <vector>

namespace fenced {

inline constexpr std::uint32_t kCanary = 0xdeadbeef;

class Floats {
public:
    // Memory for `most` floats.
    explicit Floats(std::size_t most) {
        const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
        bytes_ = (most * sizeof(float) + page - 1) / page * page;
        void* memory = mmap(nullptr, bytes_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED || mprotect(static_cast<char*>(memory) + bytes_, page, PROT_NONE) != 0) {
            throw std::bad_alloc();
        }
        begin_ = static_cast<float*>(memory);
        mapped_ = bytes_ + page;
    }
    Floats(const Floats&) = delete;
    Floats& operator=(const Floats&) = delete;
    ~Floats() { munmap(begin_, mapped_); }

    // The last `count` floats before `after` others, with canaries everywhere else.
    std::span<float> last(std::size_t count, std::size_t after = 0) {
        float* const end = begin_ + bytes_ / sizeof(float);
        for (float* p = begin_; p != end; ++p) {
            std::memcpy(p, &kCanary, sizeof *p);
        }
        taken_ = {end - after - count, count};
        return taken_;
    }

    // The last floats, as a copy of these.
    std::span<float> last(const std::vector<float>& values) {
        std::ranges::copy(values, last(values.size()).begin());
        return taken_;
    }

    // True if everything around the last returned floats is unchanged.
    bool untouched_around() const {
        const float* const taken = taken_.data();
        const auto is_canary = [](const float& f) { return std::memcmp(&f, &kCanary, sizeof f) == 0; };
        const float* const end = begin_ + bytes_ / sizeof(float);
        return std::all_of(static_cast<const float*>(begin_), taken, is_canary) &&
               std::all_of(taken + taken_.size(), end, is_canary);
    }

private:
    float* begin_ = nullptr;
    std::size_t bytes_ = 0, mapped_ = 0;
    std::span<float> taken_;
};

}  // namespace fenced
