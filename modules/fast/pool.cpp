#include "fast/pool.h"

#include <string>
#include <system_error>

#include "base/error.h"

namespace byhand {
namespace {

// The next job often follows within microseconds, faster than the operating system can wake a thread. A thread
// therefore polls this many times before it sleeps, and never occupies a core for longer.
constexpr int kLooks = 2000;

// Waits until it differs from `old`.
void wait_while(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
    for (int look = 0; look < kLooks; ++look) {
        if (value.load(std::memory_order_acquire) != old) {
            return;
        }
#if defined(__x86_64__) || defined(__i386__)
        __builtin_ia32_pause();
#endif
    }
    value.wait(old, std::memory_order_acquire);
}

}  // namespace

Pool::Pool(std::size_t threads) {
    others_.reserve(threads - 1);
    for (std::size_t thread = 1; thread < threads; ++thread) {
        try {
            others_.emplace_back([this, thread] { help(thread); });
        } catch (const std::system_error& error) {
            end();
            throw InputError(std::to_string(threads) + " threads can't be started, only " + std::to_string(thread) +
                             ": " + error.code().message() + "; take fewer");
        }
    }
}

Pool::~Pool() {
    end();
}

void Pool::end() {
    over_ = true;
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    for (std::thread& other : others_) {
        other.join();
    }
}

void Pool::share(const Job& job) {
    job_ = job;
    next_.store(0, std::memory_order_relaxed);
    busy_.store(static_cast<std::uint32_t>(others_.size()), std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    round_.notify_all();
    take_tasks(0);
    while (const std::uint32_t busy = busy_.load(std::memory_order_acquire)) {
        wait_while(busy_, busy);
    }
}

void Pool::help(std::size_t thread) {
    for (std::uint32_t round = 0;; ++round) {
        wait_while(round_, round);
        if (over_) {
            return;
        }
        take_tasks(thread);
        if (busy_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
            busy_.notify_one();
        }
    }
}

void Pool::take_tasks(std::size_t thread) {
    for (std::size_t task = next_.fetch_add(1, std::memory_order_relaxed); task < job_.tasks;
         task = next_.fetch_add(1, std::memory_order_relaxed)) {
        job_.call(job_.work, task, thread);
    }
}

}  // namespace byhand
