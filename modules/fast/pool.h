// A thread pool for short jobs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace byhand {

class Pool {
public:
    // The caller's thread is one of them. Throws InputError if the system cannot start that many. Precondition: threads
    // > 0.
    explicit Pool(std::size_t threads);
    ~Pool();
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;

    std::size_t threads() const { return others_.size() + 1; }

    // Calls work(task, thread) for each task below `tasks`, with `thread` below threads(), and returns when all are
    // done. Tasks are assigned to threads dynamically, so no task may depend on another's result. Allocates nothing;
    // work must not throw.
    template <class Work>
    void run(std::size_t tasks, const Work& work) {
        if (others_.empty() || tasks < 2) {
            for (std::size_t task = 0; task < tasks; ++task) {
                work(task, 0);
            }
            return;
        }
        share({tasks, &work, [](const void* w, std::size_t task, std::size_t thread) {
                   (*static_cast<const Work*>(w))(task, thread);
               }});
    }

private:
    struct Job {
        std::size_t tasks = 0;
        const void* work = nullptr;
        void (*call)(const void* work, std::size_t task, std::size_t thread) = nullptr;
    };
    void share(const Job& job);
    void end();
    void help(std::size_t thread);
    void take_tasks(std::size_t thread);

    Job job_;
    std::atomic<std::size_t> next_ = 0;     // the next task to take
    std::atomic<std::uint32_t> round_ = 0;  // jobs so far; the last increment ends the threads
    std::atomic<std::uint32_t> busy_ = 0;   // other threads still working in this round
    std::atomic<bool> over_ = false;
    std::vector<std::thread> others_;
};

}  // namespace byhand
