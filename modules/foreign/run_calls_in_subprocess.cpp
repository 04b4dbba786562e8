#include <cxxabi.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <numeric>
#include <thread>
#include <utility>

#include "foreign/guarded_memory.h"
#include "foreign/subprocess.h"
#include "foreign/surroundings.h"
#include "harness/isolated/stored.h"

namespace byhand {
namespace {

constexpr std::size_t kPairs = 8;                        // of calls from two threads
constexpr std::size_t kSmall = 64;                       // elements: few enough to call often, and not all equal
constexpr auto kAtOnce = std::chrono::milliseconds(25);  // for each pair
constexpr std::size_t kCleared = 4;                      // each such call writes to memory without the last result

// The state of a call, in memory that the parent reads.
struct Slot {
    std::uint8_t made = 0;  // not bool: any byte may have been written
    std::array<char, 256> fault{};

    bool is_faulty() const { return fault.front() != '\0'; }
    void set_fault(const std::string& text) {
        if (!is_faulty()) {
            fault[text.copy(fault.data(), fault.size() - 1)] = '\0';
        }
    }
};

// The operands of a call, each in its own pages.
template <class T>
struct PreparedCall {
    std::vector<Operand<T>> reads;
    GuardedOperand* out = nullptr;
    DType dtype = DType::float32;  // of the result

    std::vector<T> made() const { return loaded<T>({out->begin, out->end}, dtype); }
    void clear() const { fill_unwritten({out->begin, out->end}, dtype); }
};

template <class T>
class Calls {
public:
    // The index of the first call in the journal is `first`.
    Calls(const std::vector<Call<T>>& calls, std::size_t first, const CallConfig& config)
        : calls_(calls),
          first_(first),
          config_(config),
          slots_(calls.size() * sizeof(Slot), GuardedPages::Sharing::shared),
          numbers_(begins_of(calls).back() * sizeof(T), GuardedPages::Sharing::shared),
          begins_(begins_of(calls)) {
        for (std::size_t i = 0; i < calls_.size(); ++i) {
            new (&slot(i)) Slot;
        }
    }

    // Makes all calls, in the subprocess.
    void run(Journal& journal) {
        OperandTable operands(most_operands());
        const HandlerStack stack;
        const AccessFaults faults(journal, operands);
        Surroundings surroundings;
        for (std::size_t i = 0; i < calls_.size(); ++i) {
            call(i, Place::end, operands, surroundings, journal);
        }
        for (std::size_t i = calls_.size(); i-- > 0;) {
            call(i, Place::beginning, operands, surroundings, journal);
        }
        for (const std::size_t i : config_.in_a_row ? cheapest_calls(calls_) : std::vector<std::size_t>()) {
            journal.restart_clock();
            call_in_a_row(i, operands, journal);
        }
        if (config_.threads && !calls_.empty()) {
            journal.restart_clock();
            const std::vector<std::size_t> small = small_first();
            for (std::size_t pair = 0; pair < std::min(calls_.size(), kPairs); ++pair) {
                call_from_two_threads(small[pair], small[(pair + 1) % small.size()], operands, journal);
            }
        }
        numbers_.allow(Access::none);  // a wild write must not change earlier results
    }

    // In the parent, after the end of the subprocess.
    std::vector<CallResult<T>> results(const SubprocessEnd& end) const {
        std::vector<CallResult<T>> results(calls_.size());
        for (std::size_t i = 0; i < calls_.size(); ++i) {
            CallResult<T>& result = results[i];
            if (slot(i).made != 0) {
                result.made.assign(numbers(i).begin(), numbers(i).end());
            }
            result.fault = words_in(slot(i).fault);
            if (first_ + i == end.index && result.fault.empty()) {
                result.fault = end.fault;
            }
            for (const std::string& name : calls_[i].step->reads) {
                if (result.fault == overwriting(name)) {
                    result.overwrites = name;
                }
            }
        }
        return results;
    }

private:
    // The beginning of each call's result among all numbers, and the end.
    static std::vector<std::size_t> begins_of(const std::vector<Call<T>>& calls) {
        std::vector<std::size_t> begins = {0};
        for (const Call<T>& call : calls) {
            begins.push_back(begins.back() + count(call.step->shape));
        }
        return begins;
    }

    std::size_t most_operands() const {
        std::size_t most = 0;
        for (const Call<T>& call : calls_) {
            most += call.step->reads.size() + 1;
        }
        return most * (config_.threads ? 4 : 2) + (config_.in_a_row ? most : 0);
    }

    std::vector<std::size_t> small_first() const {
        std::vector<std::size_t> order(calls_.size());
        std::iota(order.begin(), order.end(), 0U);
        const auto distance = [&](std::size_t i) {
            const std::size_t made = numbers(i).size();
            return made < kSmall ? kSmall - made : made - kSmall;
        };
        std::ranges::stable_sort(order, {}, distance);
        return order;
    }

    Slot& slot(std::size_t i) const { return reinterpret_cast<Slot*>(slots_.begin())[i]; }
    std::span<T> numbers(std::size_t i) const {
        return {reinterpret_cast<T*>(numbers_.begin()) + begins_[i], begins_[i + 1] - begins_[i]};
    }

    PreparedCall<T> prepare(std::size_t i, Place place, OperandTable& operands) const {
        const Step& step = *calls_[i].step;
        const Tensors<double>& values = *calls_[i].values;
        PreparedCall<T> prepared;
        for (std::size_t r = 0; r < step.reads.size(); ++r) {
            const std::string& name = step.reads[r];
            const DType dtype = stored_operand<T>(step, r, values);
            const bool indices = values.holds_indices(name);
            const GuardedOperand& operand = operands.add(name.c_str(), bytes_of(values, name, dtype), place);
            if (!indices) {
                fill({operand.pages.begin, operand.pages.end}, dtype, std::numeric_limits<double>::quiet_NaN());
            }
            store(values, name, dtype, operand.begin);
            operand.pages.allow(Access::read);
            prepared.reads.push_back(operand_at<T>(operand.begin, indices));
        }
        prepared.dtype = stored_result<T>(step);
        prepared.out = &operands.add(nullptr, count(step.shape) * size_of(prepared.dtype), place);
        fill({prepared.out->pages.begin, prepared.out->pages.end}, prepared.dtype, kFence);
        prepared.clear();
        return prepared;
    }

    // Runs the function. Returns a description of what it threw; empty if it returned.
    std::string run_prepared(std::size_t i, const PreparedCall<T>& prepared) const {
        try {
            calls_[i].step->template in<T>().run(reinterpret_cast<T*>(prepared.out->begin), prepared.reads);
        } catch (abi::__forced_unwind&) {
            throw;
        } catch (...) {
            return describe_exception();
        }
        return "";
    }

    // The fault of an invalid write; empty if there is none.
    static std::string written_outside(const PreparedCall<T>& prepared) {
        const GuardedOperand& out = *prepared.out;
        if (!is_filled({out.pages.begin, out.begin}, prepared.dtype, kFence)) {
            return "writes before the beginning of its result";
        }
        if (!is_filled({out.end, out.pages.end}, prepared.dtype, kFence)) {
            return "writes past the end of its result";
        }
        return "";
    }

    // The first result is kept; the second must be the same.
    void call(std::size_t i, Place place, OperandTable& operands, Surroundings& surroundings, Journal& journal) {
        const bool first = place == Place::end;
        if (slot(i).is_faulty() || (!first && slot(i).made == 0)) {
            return;
        }
        journal.begin(first_ + i);
        const PreparedCall<T> prepared = prepare(i, place, operands);
        numbers_.allow(Access::none);
        const std::string thrown = run_prepared(i, prepared);
        const std::string changes = surroundings.changes();
        if (surroundings.has_new_process()) {  // or this is the new process
            journal.fault({"starts another process"});
            ::_exit(EXIT_FAILURE);
        }
        numbers_.allow(Access::write);
        const std::vector<T> made = prepared.made();
        if (first && thrown.empty()) {
            std::ranges::copy(made, numbers(i).begin());
            slot(i).made = 1;
        }
        for (const std::string& fault : {thrown, written_outside(prepared), changes}) {
            slot(i).set_fault(fault);
        }
        const std::vector<T>* expected = calls_[i].expected;
        if (!slot(i).is_faulty() && expected != nullptr && !std::ranges::equal(made, *expected, same_number<T>)) {
            slot(i).set_fault("gives different results after calls of other functions");
        }
        if (!first && !slot(i).is_faulty() && !std::ranges::equal(made, numbers(i), same_number<T>)) {
            slot(i).set_fault("gives different results for the same input (static or uninitialised data?)");
        }
        operands.retire();
    }

    void call_in_a_row(std::size_t i, OperandTable& operands, Journal& journal) {
        if (slot(i).is_faulty() || slot(i).made == 0) {
            return;
        }
        journal.begin(first_ + i);
        const PreparedCall<T> prepared = prepare(i, Place::end, operands);
        numbers_.allow(Access::read);
        bool is_first = true;
        const auto makes_the_same = [&] {
            if (!std::exchange(is_first, false)) {
                journal.begin(first_ + i);
            }
            prepared.clear();
            return this->makes_the_same(i, prepared);
        };
        slot(i).set_fault(fault_in_a_row(makes_the_same, [&] {
            const HandlerStack stack;
            return makes_the_same();
        }));
        numbers_.allow(Access::write);
        operands.retire();
    }

    // Two calls in two threads at once, again and again.
    void call_from_two_threads(std::size_t i, std::size_t j, OperandTable& operands, Journal& journal) {
        if (slot(i).is_faulty() || slot(j).is_faulty()) {
            return;
        }
        journal.begin(first_ + i);
        numbers_.allow(Access::read);
        if (!call_at_once(i, j, operands)) {
            slot(i).set_fault("gives different results when two threads call it at once");
        }
        numbers_.allow(Access::write);
        operands.retire();
    }

    // Whether the result of a call is unchanged.
    bool makes_the_same(std::size_t i, const PreparedCall<T>& prepared) const {
        return run_prepared(i, prepared).empty() && written_outside(prepared).empty() &&
               std::ranges::equal(prepared.made(), numbers(i), same_number<T>);
    }

    // Neither waits for the other, only bytes are compared, and what the last call has written is seldom cleared: it
    // takes many calls to see a race in a short function.
    bool call_at_once(std::size_t i, std::size_t j, OperandTable& operands) const {
        const PreparedCall<T> one = prepare(i, Place::end, operands), other = prepare(j, Place::end, operands);
        if (!makes_the_same(i, one) || !makes_the_same(j, other)) {
            return false;
        }
        std::barrier together(2);
        const auto run = [&](std::size_t index, const PreparedCall<T>& prepared) {
            const std::vector<std::byte> right(prepared.out->begin, prepared.out->end);
            together.arrive_and_wait();
            const auto until = std::chrono::steady_clock::now() + kAtOnce;
            bool same = true;
            std::size_t calls = 0;
            do {
                if (++calls % kCleared == 0) {
                    prepared.clear();
                }
                same = run_prepared(index, prepared).empty() &&
                       std::equal(right.begin(), right.end(), prepared.out->begin, prepared.out->end);
            } while (same && std::chrono::steady_clock::now() < until);
            return same && written_outside(prepared).empty();
        };
        bool other_is_same = false;
        std::thread thread([&] {
            const HandlerStack stack;
            other_is_same = run(j, other);
        });
        const bool one_is_same = run(i, one);
        thread.join();
        return one_is_same && other_is_same;
    }

    const std::vector<Call<T>>& calls_;
    std::size_t first_;
    const CallConfig& config_;
    GuardedPages slots_, numbers_;
    std::vector<std::size_t> begins_;
};

}  // namespace

ResultsOfBoth run_calls_in_subprocess(const std::vector<Call<float>>& in_float,
                                      const std::vector<Call<double>>& in_double, const CallConfig& config) {
    if (in_float.empty() && in_double.empty()) {
        return {};
    }
    Calls<float> floats(in_float, 0, config);
    Calls<double> doubles(in_double, in_float.size(), config);
    const SubprocessEnd end = run_in_subprocess(config.limits, [&](Journal& journal) {
        floats.run(journal);
        journal.restart_clock();
        doubles.run(journal);
    });
    return {floats.results(end), doubles.results(end)};
}

}  // namespace byhand
