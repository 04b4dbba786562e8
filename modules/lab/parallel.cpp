#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "lab/training.h"

namespace byhand::lab {

void in_parallel(std::size_t parts, const std::function<void(std::size_t)>& part,
                 const std::function<void(std::size_t, std::size_t)>& done) {
    std::mutex mutex;  // of the three below, and of done
    std::size_t next = 0, ended = 0;
    std::exception_ptr thrown;
    const auto work = [&] {
        for (;;) {
            std::size_t mine = 0;
            {
                const std::scoped_lock lock(mutex);
                if (next == parts || thrown) {
                    return;
                }
                mine = next++;
            }
            try {
                part(mine);
                const std::scoped_lock lock(mutex);
                done(++ended, parts);
            } catch (...) {
                const std::scoped_lock lock(mutex);
                thrown = thrown ? thrown : std::current_exception();
            }
        }
    };
    done(0, parts);
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    {
        std::vector<std::jthread> helpers;
        for (std::size_t i = 1; i < std::min(cores, parts); ++i) {
            helpers.emplace_back(work);
        }
        work();
    }
    if (thrown) {
        std::rethrow_exception(thrown);
    }
}

}  // namespace byhand::lab
