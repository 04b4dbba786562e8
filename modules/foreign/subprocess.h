// A child process for external code, which may do anything in it, and how it ended.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/utf8.h"
#include "harness/isolated/run_calls.h"

namespace byhand {

// Words in shared memory, which foreign code may have overwritten: they end within the array, or a fault says so.
// Printable.
template <std::size_t kSize>
std::string words_in(const std::array<char, kSize>& shared) {
    const std::string_view all(shared.data(), kSize);
    const std::size_t end = all.find('\0');
    return end == std::string_view::npos ? "overwrites memory that is not its own" : printable(all.substr(0, end));
}

// A record of a subprocess for its parent, in shared memory. All functions of the subprocess are async-signal-safe.
class Journal {
public:
    // External code is called next: call `index`, or the function with this label.
    void begin(std::size_t index, std::string_view label = {});
    // The time limit begins here; there is no time limit from here on.
    void restart_clock();
    void stop_clock() { unlimited_ = 1; }
    // A fault of the called code. Only the first is kept.
    void fault(std::initializer_list<std::string_view> words);
    void finish() { finished_ = 1; }
    void process(int id) { process_ = id; }  // the subprocess's

    std::uint64_t restarts() const { return restarts_; }
    bool is_unlimited() const { return unlimited_ != 0; }
    std::size_t begun() const { return begun_; }  // calls since the clock was restarted
    std::size_t index() const { return index_; }
    std::string label() const { return words_in(label_); }
    std::string fault() const { return faulty_ != 0 ? words_in(fault_) : ""; }
    bool finished() const { return finished_ != 0; }
    int process() const { return process_; }

private:
    std::atomic<int> process_;
    std::atomic<std::uint64_t> restarts_;
    std::atomic<std::size_t> begun_, index_;
    std::atomic<std::uint8_t> unlimited_, faulty_, finished_;  // not bool: any byte may have been written
    std::array<char, 64> label_{};
    std::array<char, 256> fault_{};
};

struct SubprocessEnd {
    std::string fault;      // empty: it finished without a fault in its journal
    std::size_t index = 0;  // of the last call
    std::string label;
};

// Forks, runs `work` in the child and waits. The child has finished if `work` returns, whatever the exit code. It
// writes standard output to standard error, has empty standard input and its own process group, and is killed with this
// process. Processes that it has started are killed at its end, also those whose parent has ended or that have their
// own session: a process between this one and the child inherits them. Other children of this process are left alone,
// also those that other threads start meanwhile, and several threads may call this at once. Throws Interrupted;
// InputError if the system can't create a process.
SubprocessEnd run_in_subprocess(const CallLimits& limits, const std::function<void(Journal&)>& work);

// In the subprocess: if the last call has started a process, records the fault and ends the subprocess.
void end_if_a_process_was_started(Journal& journal);

// Whether AddressSanitizer, which handles the signals of crashes itself, is in this process.
bool has_address_sanitizer();
bool has_thread_sanitizer();

// ---- Calls in a subprocess, for CallConfig::subprocess ----

// One subprocess for both: first the calls in float, then those in double, with a time limit each. What is tried and
// what it throws: run_calls.
ResultsOfBoth run_calls_in_subprocess(const std::vector<Call<float>>& in_float,
                                      const std::vector<Call<double>>& in_double, const CallConfig& config);

// ---- The processes that a process has started ----

// Kills the children of a process, their children, and so on, as /proc shows them: those whose parents have ended are
// found if the process is their subreaper. Returns when all have ended, or after 2 s: some may belong to another user.
void end_descendants_of(int ancestor);

}  // namespace byhand
