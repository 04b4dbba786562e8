#include "foreign/subprocess.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "foreign/guarded_memory.h"
#include "foreign/surroundings.h"

namespace byhand {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view kNoProcess = "the system allows no more processes";

// Handlers can only use a global.
Journal* own_journal = nullptr;  // in the subprocess; NOLINT(cppcoreguidelines-avoid-non-const-global-variables)
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<std::uint8_t>::is_always_lock_free);

// Copies as much of the words as fits into `to`; always ends with '\0'.
template <std::size_t kSize>
void write(std::array<char, kSize>& to, std::initializer_list<std::string_view> words) {
    std::size_t size = 0;
    for (const std::string_view word : words) {
        size += word.copy(to.data() + size, kSize - 1 - size);
    }
    to[size] = '\0';
}

// ---- in the child ----

// /proc/self/statm: the sixth number, in pages, is what RLIMIT_DATA counts.
std::optional<std::size_t> data_in_use() {
    const Descriptor file(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
    std::array<char, 256> text{};
    if (file.number() < 0 || ::read(file.number(), text.data(), text.size() - 1) <= 0) {
        return std::nullopt;
    }
    unsigned long long pages = 0;
    char* next = text.data();
    for (int number = 0; number < 6; ++number) {
        pages = std::strtoull(next, &next, 10);
    }
    return static_cast<std::size_t>(pages) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

void limit_memory(std::size_t more) {
    if (more == 0) {
        more =
            static_cast<std::size_t>(::sysconf(_SC_PHYS_PAGES)) * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) / 2;
    }
    const struct rlimit no_core = {};
    ::setrlimit(RLIMIT_CORE, &no_core);
    if (more == CallLimits::kAllMemory) {
        return;
    }
    struct rlimit limit = {};
    const std::optional<std::size_t> used = data_in_use();
    if (used && ::getrlimit(RLIMIT_DATA, &limit) == 0) {
        limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, *used + more);
        ::setrlimit(RLIMIT_DATA, &limit);
    }
}

void set_streams() {
    std::signal(SIGTTOU, SIG_IGN);             // its process group is not the terminal's, which may have `stty tostop`
    std::setvbuf(stdout, nullptr, _IONBF, 0);  // so that output before a crash is not lost
    ::dup2(STDERR_FILENO, STDOUT_FILENO);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (nothing >= 0) {
        ::dup2(nothing, STDIN_FILENO);
        ::close(nothing);
    }
}

void forget_signal_handlers() {
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGCHLD, SIGABRT}) {
        std::signal(signal, SIG_DFL);
    }
    if (!has_address_sanitizer()) {
        for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
            std::signal(signal, SIG_DFL);
        }
    }
}

// exit() runs the handlers in reverse order of registration: this one before LibTorch's, which may fail.
void exits(int code, void* journal) {
    static_cast<Journal*>(journal)->fault({"exits the process (exit code ", std::to_string(code), ")"});
    std::fflush(nullptr);
    ::_exit(code);
}

[[noreturn]] void terminates() {
    own_journal->fault({"calls std::terminate"});
    std::abort();
}

// In its own process group, with a signal at its parent's end. Processes whose parents end become its children.
void be_a_child_of(pid_t parent, int signal_at_its_end) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, signal_at_its_end);
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    if (::getppid() != parent) {  // it has ended
        ::_exit(EXIT_FAILURE);
    }
}

[[noreturn]] void be_the_subprocess(pid_t parent, const CallLimits& limits, Journal& journal,
                                    const std::function<void(Journal&)>& work) {
    be_a_child_of(parent, SIGKILL);
    if (own_journal != nullptr) {  // of the process that this one was forked from; the work must not reach it
        ::munmap(own_journal, sizeof(Journal));
    }
    own_journal = &journal;
    journal.process(::getpid());
    forget_signal_handlers();
    set_streams();
    limit_memory(limits.memory);
    ::on_exit(exits, &journal);
    std::set_terminate(terminates);
    try {
        work(journal);
    } catch (abi::__forced_unwind&) {
        journal.fault({"ends its thread (pthread_exit)"});
        ::_exit(EXIT_FAILURE);
    } catch (...) {
        journal.fault({describe_exception()});
    }
    std::fflush(nullptr);
    journal.finish();
    ::_exit(EXIT_SUCCESS);
}

// ---- in the warden ----

// fork() notifies ThreadSanitizer, which reports nothing in a process that was forked beside other threads, as LibTorch
// starts them.
pid_t fork_process() {
    return has_thread_sanitizer() ? ::_Fork() : ::fork();
}

// Blocks all signals; returns those that were blocked before.
sigset_t block_signals() {
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    return before;
}

sigset_t signals(std::initializer_list<int> numbers) {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int number : numbers) {
        ::sigaddset(&set, number);
    }
    return set;
}

// Ends as another process ended.
[[noreturn]] void end_as(int status) {
    if (WIFSIGNALED(status)) {
        const sigset_t its = signals({WTERMSIG(status)});
        std::signal(WTERMSIG(status), SIG_DFL);
        ::raise(WTERMSIG(status));
        ::pthread_sigmask(SIG_UNBLOCK, &its, nullptr);
    }
    ::_exit(WEXITSTATUS(status));
}

// Between this process and the subprocess: whatever the subprocess leaves behind becomes a child of the warden, which
// has no others. So the children of this process, of other threads' checks too, are never mistaken for them.
[[noreturn]] void be_the_warden(pid_t parent, Journal& journal, const std::function<void(pid_t)>& subprocess) {
    be_a_child_of(parent, SIGTERM);
    const struct rlimit no_core = {};
    ::setrlimit(RLIMIT_CORE, &no_core);
    std::signal(SIGCHLD, SIG_DFL);
    const sigset_t before = block_signals(), wanted = signals({SIGCHLD, SIGTERM});
    const pid_t self = ::getpid(), child = fork_process();
    if (child == 0) {
        ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
        subprocess(self);
    }
    if (child < 0) {
        journal.fault({kNoProcess});
        ::_exit(EXIT_FAILURE);
    }
    int status = 0;
    while (::waitpid(child, &status, WNOHANG | WUNTRACED) != child && ::getppid() == parent) {
        ::sigwaitinfo(&wanted, nullptr);
    }
    if (WIFSTOPPED(status)) {
        journal.fault({"stops its process"});
    }
    end_descendants_of(self);
    while (::waitpid(-1, nullptr, WNOHANG | __WALL) > 0) {  // else they would be left to another process
    }
    end_as(WIFSTOPPED(status) ? 0 : status);
}

// ---- in the parent ----

std::string text_of(std::chrono::milliseconds time) {
    const auto count = time.count();
    return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

enum class EndReason { by_itself, timeout, interrupted };

// Whether a child has ended; it is not reaped.
bool has_ended(pid_t child) {
    siginfo_t info{};
    const int result = ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT);
    return (result == 0 && info.si_pid == child) || (result != 0 && errno != EINTR);
}

struct Times {
    std::chrono::nanoseconds elapsed{0}, cpu{0};  // cpu: of all threads of the subprocess, until it ends
};

Times times_of(const Journal& journal, const Times& before) {
    clockid_t clock{};
    timespec cpu{};
    if (journal.process() > 0 && ::clock_getcpuclockid(journal.process(), &clock) == 0) {
        ::clock_gettime(clock, &cpu);
    }
    return {Clock::now().time_since_epoch(),
            std::max(before.cpu, std::chrono::seconds(cpu.tv_sec) + std::chrono::nanoseconds(cpu.tv_nsec))};
}

// Whether calls take longer than the limit, in elapsed time and in CPU time: on a busy machine they wait for a CPU.
// Calls that use hardly any CPU time sleep or hang, and have only elapsed time. A multiple of the limit ends all calls.
bool takes_longer(const Times& since, const Times& now, std::chrono::nanoseconds limit) {
    constexpr int kWaits = 50, kMost = 20;
    const auto elapsed = now.elapsed - since.elapsed, cpu = now.cpu - since.cpu;
    return elapsed > limit && (cpu > limit || kWaits * cpu < elapsed || elapsed > kMost * limit);
}

// Waits for the child's end, or kills it. The child is then a zombie: its process group still has its id.
EndReason wait_for_end(pid_t child, const CallLimits& limits, const Journal& journal) {
    constexpr int kPause = 5;  // ms, if the system does not report its end
    const Descriptor process(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
    std::uint64_t restarts = 0;
    Times now = times_of(journal, {}), since = now;
    for (;;) {
        if (has_ended(child)) {
            return EndReason::by_itself;
        }
        if (limits.goes_on && !limits.goes_on()) {
            return EndReason::interrupted;
        }
        now = times_of(journal, now);
        if (journal.restarts() != restarts) {
            restarts = journal.restarts();
            since = now;
        }
        if (!journal.is_unlimited() && takes_longer(since, now, limits.timeout)) {
            return EndReason::timeout;
        }
        struct pollfd its_end = {.fd = process.number(), .events = POLLIN, .revents = 0};
        ::poll(&its_end, 1, kPause);
    }
}

std::string too_long(const Journal& journal, const CallLimits& limits) {
    return std::string(journal.begun() > 1 ? "is not done with all its calls" : "does not return") + " within " +
           text_of(limits.timeout) + "; " + limits.option + std::string(kMoreTime);
}

std::string how_it_ended(int status, const CallLimits& limits) {
    if (WIFSIGNALED(status)) {
        const char* signal = ::strsignal(WTERMSIG(status));  // NOLINT(concurrency-mt-unsafe): one thread asks
        return std::string("crashes (") + signal + ")" + (limits.advice ? limits.advice() : "");
    }
    return "exits the process (exit code " + std::to_string(WEXITSTATUS(status)) + ")";
}

}  // namespace

void Journal::begin(std::size_t index, std::string_view label) {
    write(label_, {label});
    index_ = index;
    ++begun_;
}

void Journal::restart_clock() {
    begun_ = 0;
    ++restarts_;
}

void Journal::fault(std::initializer_list<std::string_view> words) {
    if (faulty_.exchange(1) == 0) {
        write(fault_, words);
    }
}

SubprocessEnd run_in_subprocess(const CallLimits& limits, const std::function<void(Journal&)>& work) {
    const GuardedPages pages(sizeof(Journal), GuardedPages::Sharing::shared);
    Journal& journal = *new (pages.begin()) Journal{};
    if (own_journal == nullptr) {  // else its output is not buffered, and a thread of foreign code may hold a lock
        std::fflush(nullptr);      // otherwise both processes would write the buffers
    }
    const pid_t parent = ::getpid(), warden = fork_process();
    if (warden < 0) {
        throw InputError("can't create a process for external functions: " + reason());
    }
    if (warden == 0) {
        be_the_warden(parent, journal, [&](pid_t its_parent) { be_the_subprocess(its_parent, limits, journal, work); });
    }
    const EndReason why = wait_for_end(warden, limits, journal);
    if (why != EndReason::by_itself) {
        end_descendants_of(warden);
        ::kill(warden, SIGCONT);  // it reaps them, and ends
        constexpr auto kPatience = std::chrono::milliseconds(100);
        for (const auto until = Clock::now() + kPatience; !has_ended(warden) && Clock::now() < until;) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    }
    ::kill(warden, SIGKILL);
    int status = 0;
    while (::waitpid(warden, &status, 0) < 0 && errno == EINTR) {
    }
    if (why == EndReason::interrupted) {
        throw Interrupted();
    }
    SubprocessEnd end{.fault = journal.fault(), .index = journal.index(), .label = journal.label()};
    if (end.fault == kNoProcess) {
        throw InputError("can't create a process for external functions: " + end.fault);
    }
    if (end.fault.empty() && (why == EndReason::timeout || !journal.finished())) {
        end.fault = why == EndReason::timeout ? too_long(journal, limits) : how_it_ended(status, limits);
    }
    return end;
}

void end_if_a_process_was_started(Journal& journal) {
    if (has_child()) {
        journal.fault({"starts another process"});
        ::_exit(EXIT_FAILURE);
    }
}

bool has_address_sanitizer() {
    return ::dlsym(RTLD_DEFAULT, "__asan_init") != nullptr;
}

bool has_thread_sanitizer() {
    return ::dlsym(RTLD_DEFAULT, "__tsan_init") != nullptr;
}

}  // namespace byhand
