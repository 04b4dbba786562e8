#include "bench/machine.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <latch>
#include <thread>
#include <vector>

#include "fast/simd/targets.h"

namespace byhand::bench {
namespace {

using Clock = std::chrono::steady_clock;

// The operations of one thread, with their start and end.
struct Work {
    Clock::time_point start, end;
    simd::MultiplyAdds done;
};

// GFLOP/s of all threads together: from the first one's start to the last one's end.
double burst(std::size_t threads, std::size_t repeats) {
    std::vector<Work> all(threads);
    std::latch all_there(static_cast<std::ptrdiff_t>(threads));
    {
        std::vector<std::jthread> running;
        running.reserve(threads);
        for (Work& work : all) {
            running.emplace_back([&] {
                all_there.arrive_and_wait();
                work.start = Clock::now();
                work.done = simd::multiply_adds(repeats);
                work.end = Clock::now();
            });
        }
    }
    Clock::time_point start = all.front().start, end = all.front().end;
    double flop = 0;
    for (const Work& work : all) {
        start = std::min(start, work.start);
        end = std::max(end, work.end);
        flop += work.done.flop;
    }
    return flop / std::chrono::duration<double, std::nano>(end - start).count();
}

}  // namespace

std::string cpu_name() {
    std::ifstream file("/proc/cpuinfo");
    const std::string key = "model name";
    for (std::string line; std::getline(file, line);) {
        if (const std::size_t colon = line.find(": "); line.starts_with(key) && colon != std::string::npos) {
            return line.substr(colon + 2);
        }
    }
    return "unknown";
}

double peak_gflops(std::size_t threads) {
    constexpr std::size_t kBursts = 10;
    constexpr std::size_t kRepeats = 10'000;  // a few milliseconds
    double best = 0;
    for (std::size_t i = 0; i < kBursts; ++i) {
        best = std::max(best, burst(threads, kRepeats));
    }
    return best;
}

}  // namespace byhand::bench
