// A child process for external code, which may do anything there, and how it ended.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>

namespace byhand {

// What a subprocess leaves for its parent, in memory that both see. A signal handler may call all of it.
class Journal {
public:
    // External code is called next: call `index`, or the function of this label.
    void begin(std::size_t index, std::string_view label = {});
    // The time limit counts from here; from here there is none.
    void restart_clock();
    void stop_clock() { unlimited_ = true; }
    // What is wrong with the code that was called. The first fault stays.
    void fault(std::initializer_list<std::string_view> words);
    void finish() { finished_ = true; }

    std::uint64_t restarts() const { return restarts_; }
    bool is_unlimited() const { return unlimited_; }
    std::size_t begun() const { return begun_; }  // how many calls since the clock was restarted
    std::size_t index() const { return index_; }
    std::string label() const { return label_.data(); }
    std::string fault() const { return faulty_ ? fault_.data() : ""; }
    bool finished() const { return finished_; }

private:
    std::atomic<std::uint64_t> restarts_;
    std::atomic<std::size_t> begun_, index_;
    std::atomic<bool> unlimited_, faulty_, finished_;
    std::array<char, 64> label_{};
    std::array<char, 256> fault_{};
};

// NOLINTBEGIN(readability-redundant-member-init): they may be left out
struct SubprocessLimits {
    static constexpr std::size_t kAllMemory = ~std::size_t{0};

    std::chrono::milliseconds timeout{10000};  // of all that it does, or from one restart of the clock to the next
    std::size_t memory = 0;                    // bytes more than this process has; 0: half of the machine's; kAllMemory
    std::function<bool()> goes_on = {};        // where it is false, the subprocess ends; may be empty
    std::string advice = {};                   // what a crash's report ends with: how to find out more
};
// NOLINTEND(readability-redundant-member-init)

struct SubprocessEnd {
    std::string fault;      // empty: it finished, and wrote no fault into its journal
    std::size_t index = 0;  // of the call that began last
    std::string label;
};

// Whether this fault is that the time limit was reached.
bool is_time_out(std::string_view fault);

// goes_on is false.
struct Interrupted : std::runtime_error {
    Interrupted() : std::runtime_error("interrupted") {}
};

// Forks, runs `work` in the child and waits. What counts as its end is that `work` returns, not the exit code. The
// child has standard output on standard error, nothing on standard input, a process group of its own, and dies with
// this process. Processes that it has started are killed at its end, also those whose parent has ended or that have a
// session of their own: until then they are children of the subprocess, then of this process. Throws Interrupted;
// InputError where the system gives no process.
SubprocessEnd run_in_subprocess(const SubprocessLimits& limits, const std::function<void(Journal&)>& work);

// In the subprocess: where what was called last has started a process, that is its fault, and the end.
void end_if_a_process_was_started(Journal& journal);

// Whether AddressSanitizer is in this process: it handles the signals of crashes itself.
bool has_address_sanitizer();
bool has_thread_sanitizer();

// In a handler, catch (...): what the exception in flight is.
std::string describe_exception();

}  // namespace byhand
