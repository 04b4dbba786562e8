// The ranks of a training connected by LibTorch's c10d with Gloo, in versions 1.13 and 2.6. The only file that knows
// it.
#include <ATen/ops/from_blob.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <numeric>
#include <optional>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "ranks/connect.h"
#include "ranks/world.h"

namespace byhand::distributed {
namespace {

using Seconds = std::chrono::seconds;

// The first line of an error, without c10's stack.
std::string first_line(const std::exception& error) {
    const std::string text = error.what();
    return excerpt(text.substr(0, text.find('\n')), 200);
}

[[noreturn]] void refuse(const World& world, const std::string& what, const std::string& error = "") {
    throw InputError("rank " + std::to_string(world.rank) + " of " + std::to_string(world.size) + ": " + what +
                     (error.empty() ? "" : " (" + error + ")"));
}

// What `run` returns, or nullopt if it does not within the time: then its thread is left alone. A request to the store
// may never return, since LibTorch 1.13's serves all connections by one thread, which half a message from a stranger
// stops.
template <class Run>
std::optional<std::invoke_result_t<Run>> within(Seconds patience, Run run) {
    std::packaged_task<std::invoke_result_t<Run>()> task(std::move(run));
    std::future<std::invoke_result_t<Run>> result = task.get_future();
    std::thread(std::move(task)).detach();
    if (result.wait_for(patience) == std::future_status::timeout) {
        return std::nullopt;
    }
    return result.get();
}

// Throws InputError if there is something else at this path than a store, whose entries begin with their length.
void check_store(const std::string& path) {
    std::error_code error;
    const std::filesystem::file_status status = std::filesystem::status(path, error);
    std::ifstream stream(path, std::ios::binary);
    std::uint32_t length = 0;
    constexpr std::uint32_t kLongest = 4096;  // bytes of a key
    const bool has_length = !stream.read(reinterpret_cast<char*>(&length), sizeof length).fail();
    if (std::filesystem::exists(status) &&
        (!std::filesystem::is_regular_file(status) || (has_length && length > kLongest))) {
        throw InputError("BYHAND_RANKS_FILE: " + path + " is no file where ranks meet; name one that does not exist");
    }
}

c10::intrusive_ptr<c10d::Store> store_of(const World& world, Seconds timeout) {
    c10::intrusive_ptr<c10d::Store> store;
    if (!world.file.empty()) {
        check_store(world.file);
        store = c10::make_intrusive<c10d::FileStore>(world.file, static_cast<int>(world.size));
    } else {
        c10d::TCPStoreOptions options;
        options.port = static_cast<std::uint16_t>(world.port);
        options.isServer = world.rank == 0 && !world.has_agent;
        options.numWorkers = world.size;
        options.waitWorkers = false;  // named below, if one is missing
        options.timeout = timeout;
#if TORCH_VERSION_MAJOR >= 2
        options.useLibUV = false;  // Debian's LibTorch is built without it
#endif
        store = c10::make_intrusive<c10d::TCPStore>(world.address, options);
    }
    store->setTimeout(timeout);
    return c10::make_intrusive<c10d::PrefixStore>("byhand/" + world.token + "/" + world.attempt, store);
}

std::string key_of(const std::string& point, std::size_t rank) {
    return point + "_" + std::to_string(rank);
}

// Tells the others that this rank has reached a point. Throws if the store does not respond within the timeout, which
// in LibTorch 1.13 then holds for all further requests.
void reach(const World& world, c10d::Store& store, const std::string& point, Seconds timeout,
           const std::string& says = "here") {
    store.set(key_of(point, world.rank), std::vector<std::uint8_t>(says.begin(), says.end()));
    store.wait({key_of(point, world.rank)}, timeout);
}

// Those of the ranks that have not reached the point after the timeout. c10d's wait() is of no use for it: a second one
// may read the late response to the first.
std::vector<std::size_t> missing_at(c10d::Store& store, const std::string& point, std::vector<std::size_t> ranks,
                                    Seconds timeout) {
    constexpr std::chrono::milliseconds kPause(10);
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (;;) {
        std::erase_if(ranks, [&](std::size_t rank) { return store.check({key_of(point, rank)}); });
        if (ranks.empty() || std::chrono::steady_clock::now() > end) {
            return ranks;
        }
        std::this_thread::sleep_for(kPause);
    }
}

std::vector<std::size_t> all_ranks(const World& world) {
    std::vector<std::size_t> ranks(world.size);
    std::iota(ranks.begin(), ranks.end(), 0);
    return ranks;
}

// "rank 2", "ranks 2 and 5", "ranks 2, 5 and 7"
std::string in_words(const std::vector<std::size_t>& ranks) {
    std::vector<std::string> numbers;
    std::ranges::transform(ranks, std::back_inserter(numbers), [](std::size_t rank) { return std::to_string(rank); });
    return (ranks.size() == 1 ? "rank " : "ranks ") + listed(numbers, "and");
}

// How long a rank has to notice that another is lost. It may be busy.
constexpr Seconds kLast(4);

bool has_store_on_first(const World& world) {
    return world.file.empty() && !world.has_agent;
}

// Before a rank ends by an error that all find in the store, which rank 0 keeps until the others have read it.
void leave(const World& world, c10d::Store& store, const std::vector<std::size_t>& lost) {
    store.set(key_of("left", world.rank), std::vector<std::uint8_t>{1});
    if (world.rank == 0 && has_store_on_first(world)) {
        std::vector<std::size_t> others = all_ranks(world);
        std::erase_if(others, [&](std::size_t rank) { return std::ranges::count(lost, rank) > 0; });
        missing_at(store, "left", others, kLast);
    }
}

// The address where the other ranks connect to this one; of a named interface its name.
std::string own_address(const World& world) {
    return !world.interface.empty() ? world.interface
           : world.is_local()       ? "127.0.0.1"
                                    : address_towards(world.address, world.port);
}

// Throws InputError if some ranks listen where only their own machine reaches them, and others do not.
void check_addresses(const World& world, c10d::Store& store) {
    std::vector<std::size_t> on_loopback;
    for (std::size_t rank = 0; rank < world.size; ++rank) {
        const std::vector<std::uint8_t> said = store.get(key_of("address", rank));
        if (is_loopback({said.begin(), said.end()})) {
            on_loopback.push_back(rank);
        }
    }
    if (!on_loopback.empty() && on_loopback.size() < world.size) {
        leave(world, store, {});
        throw InputError("MASTER_ADDR leads to a loopback address on " + in_words(on_loopback) +
                         ", where other machines can't connect; give an address of the network, or set "
                         "GLOO_SOCKET_IFNAME");
    }
}

// After a failure: the ranks that do not report that they have noticed it.
std::vector<std::size_t> lost_ranks(const World& world, c10d::Store& store) {
    try {
        reach(world, store, "noticed", kLast);
        std::vector<std::size_t> lost = missing_at(store, "noticed", all_ranks(world), kLast);
        leave(world, store, lost);
        return lost;
    } catch (const std::exception&) {  // the store is gone
        return has_store_on_first(world) ? std::vector<std::size_t>{0} : std::vector<std::size_t>{};
    }
}

class Gloo final : public Group {
public:
    Gloo(const World& world, Seconds timeout) : world_(world), store_(store_of(world, timeout)) {
        const std::string address = own_address(world);
        reach(world, *store_, "address", timeout, address);
        const std::vector<std::size_t> missing = missing_at(*store_, "address", all_ranks(world), timeout);
        if (!missing.empty()) {
            leave(world, *store_, missing);
            refuse(world, in_words(missing) + " did not come within " + std::to_string(timeout.count()) + " s");
        }
        check_addresses(world, *store_);
        const auto options = c10d::ProcessGroupGloo::Options::create(timeout);
        options->devices.push_back(world.interface.empty()
                                       ? c10d::ProcessGroupGloo::createDeviceForHostname(address)
                                       : c10d::ProcessGroupGloo::createDeviceForInterface(world.interface));
        group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, static_cast<int>(world.rank),
                                                             static_cast<int>(world.size), options);
    }

    std::size_t size() const override { return world_.size; }
    std::size_t rank() const override { return world_.rank; }

    void gather(std::span<float> all, std::span<const float> own) override {
        guarded([&] { wait_for(gathering(all, own)); });
    }
    void start_gather(std::span<float> all, std::span<const float> own) override {
        guarded([&] { started_.push_back(gathering(all, own)); });
    }

    void finish() override {
        guarded([&] { std::ranges::for_each(std::exchange(started_, {}), wait_for); });
    }

private:
    using Work = c10::intrusive_ptr<c10d::Work>;

    // Null without numbers.
    Work gathering(std::span<float> all, std::span<const float> own) {
        if (own.empty()) {
            return {};
        }
        const auto count = static_cast<std::int64_t>(own.size());
        // Only read: at::Tensor has no view of constants.
        std::vector<at::Tensor> input = {at::from_blob(const_cast<float*>(own.data()), {count})};
        std::vector<std::vector<at::Tensor>> output(1);
        for (std::size_t rank = 0; rank < world_.size; ++rank) {
            output[0].push_back(at::from_blob(all.data() + rank * own.size(), {count}));
        }
        return group_->allgather(output, input);
    }

    static void wait_for(const Work& work) {
        if (work) {
            work->wait();
        }
    }

    // Runs a part of a collective operation. If it fails, another rank is lost.
    template <class Run>
    void guarded(const Run& run) {
        if (!group_) {
            throw InputError("the ranks are no longer connected");
        }
        try {
            run();
        } catch (const std::exception& error) {
            const std::string what = first_line(error);
            started_.clear();
            group_.reset();  // closes the connections, so that the others notice as well
            const std::vector<std::size_t> lost = within(4 * kLast, [world = world_, store = store_] {
                                                      return lost_ranks(world, *store);
                                                  }).value_or(std::vector<std::size_t>{});
            refuse(world_,
                   lost.empty() ? "a connection to another rank broke"
                                : in_words(lost) + (lost.size() == 1 ? " has" : " have") + " ended or " +
                                      (lost.size() == 1 ? "does" : "do") + " not respond",
                   what);
        }
    }

    World world_;
    c10::intrusive_ptr<c10d::Store> store_;
    c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
    std::vector<Work> started_;
};

}  // namespace
}  // namespace byhand::distributed

byhand::Group* byhand_gloo(const byhand::distributed::World& world, std::size_t timeout) {
    using namespace byhand::distributed;
    const std::string where = world.file.empty() ? world.address + ":" + std::to_string(world.port) : world.file;
    const std::string meet = "can't meet the other ranks at " + byhand::printable(where);
    try {
        const std::optional<Gloo*> group =
            within(Seconds(2 * timeout) + 2 * kLast, [=] { return new Gloo(world, Seconds(timeout)); });
        if (!group) {
            refuse(world, meet,
                   world.file.empty() ? "no reply; another program may be connected to this port" : "no reply");
        }
        return *group;
    } catch (const byhand::InputError&) {
        throw;
    } catch (const std::exception& error) {
        refuse(world, meet, first_line(error));
    }
}
