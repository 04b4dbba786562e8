// The ranks of a training connected by LibTorch's c10d with Gloo, in versions 1.13 and 2.6. The only file that knows
// it.
#include "distributed/gloo.h"

#include <ATen/ops/from_blob.h>
#include <torch/version.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <sstream>
#include <string>
#include <torch/csrc/distributed/c10d/FileStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/utf8.h"
#include "distributed/address.h"

namespace byhand::distributed {
namespace {

using Seconds = std::chrono::seconds;

// The first line of an error, without c10's stack.
std::string first_line(const std::exception& error) {
    const std::string text = error.what();
    return excerpt(text.substr(0, text.find('\n')), 200);
}

[[noreturn]] void refuse(const World& world, const std::string& what, const std::string& error) {
    throw InputError("rank " + std::to_string(world.rank) + " of " + std::to_string(world.size) + ": " + what + " (" +
                     error + ")");
}

c10::intrusive_ptr<c10d::Store> store_of(const World& world, Seconds timeout) {
    c10::intrusive_ptr<c10d::Store> store;
    if (!world.file.empty()) {
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
    return c10::make_intrusive<c10d::PrefixStore>("byhand/" + world.token, store);
}

std::string key_of(const std::string& point, std::size_t rank) {
    return point + "_" + std::to_string(rank);
}

// Each rank says in the store that it has reached a point, and waits for the others to reach it. The ranks that do not
// within the timeout, and the last error.
struct Missing {
    std::vector<std::size_t> ranks;
    std::string error;
};
Missing wait_for_all(const World& world, c10d::Store& store, const std::string& point, Seconds timeout,
                     const std::string& says = "here") {
    Missing missing;
    store.set(key_of(point, world.rank), {says.begin(), says.end()});
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (std::size_t rank = 0; rank < world.size; ++rank) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        try {
            store.wait({key_of(point, rank)}, std::max(left, std::chrono::milliseconds(1)));
        } catch (const std::exception& error) {
            missing.ranks.push_back(rank);
            missing.error = first_line(error);
        }
    }
    return missing;
}

// "rank 2", "ranks 2 and 5", "ranks 2, 5 and 7"
std::string in_words(const std::vector<std::size_t>& ranks) {
    std::string words = ranks.size() == 1 ? "rank " : "ranks ";
    for (std::size_t i = 0; i < ranks.size(); ++i) {
        words += (i == 0 ? "" : i + 1 == ranks.size() ? " and " : ", ") + std::to_string(ranks[i]);
    }
    return words;
}

// Before a rank ends by an error that all find in the store: the store may be on rank 0, which waits for the others.
constexpr Seconds kLast(2);
void leave(const World& world, c10d::Store& store) {
    if (world.rank == 0) {
        wait_for_all(world, store, "left", kLast);
    } else {
        store.set(key_of("left", world.rank), {1});
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
        leave(world, store);
        throw InputError("MASTER_ADDR " + excerpt(world.address, 100) + " is a loopback address on " +
                         in_words(on_loopback) +
                         ", where other machines can't connect; give an address of the network, or set "
                         "GLOO_SOCKET_IFNAME");
    }
}

// After a failure: the ranks that do not report that they have noticed it.
std::vector<std::size_t> lost_ranks(const World& world, c10d::Store& store) {
    store.setTimeout(kLast);
    try {
        Missing missing = wait_for_all(world, store, "noticed", kLast);
        store.check({key_of("noticed", world.rank)});  // throws if the store is not there
        leave(world, store);
        return std::move(missing.ranks);
    } catch (const std::exception&) {
        return {0};  // the store is on rank 0
    }
}

class Gloo final : public Group {
public:
    Gloo(const World& world, Seconds timeout) : world_(world), store_(store_of(world, timeout)) {
        const std::string address = own_address(world);
        const Missing missing = wait_for_all(world, *store_, "address", timeout, address);
        if (!missing.ranks.empty()) {
            refuse(world, in_words(missing.ranks) + " did not come within " + std::to_string(timeout.count()) + " s",
                   missing.error);
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
        if (own.empty()) {
            return;
        }
        const auto count = static_cast<std::int64_t>(own.size());
        // Only read: at::Tensor has no view of constants.
        std::vector<at::Tensor> input = {at::from_blob(const_cast<float*>(own.data()), {count})};
        std::vector<std::vector<at::Tensor>> output(1);
        for (std::size_t rank = 0; rank < world_.size; ++rank) {
            output[0].push_back(at::from_blob(all.data() + rank * own.size(), {count}));
        }
        finish([&] { return group_->allgather(output, input); });
    }

    bool adds() const override { return world_.reduce == Reduce::ring; }
    void add(std::span<float> numbers) override {
        std::vector<at::Tensor> tensor = {at::from_blob(numbers.data(), {static_cast<std::int64_t>(numbers.size())})};
        finish([&] { return group_->allreduce(tensor); });
    }

private:
    // Starts a collective operation and waits for its end.
    template <class Start>
    void finish(const Start& start) {
        try {
            start()->wait();
        } catch (const std::exception& error) {
            const std::string what = first_line(error);
            group_.reset();  // closes the connections, so that the others notice as well
            const std::vector<std::size_t> lost = lost_ranks(world_, *store_);
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
};

}  // namespace
}  // namespace byhand::distributed

byhand::Group* byhand_gloo(const byhand::distributed::World& world, std::size_t timeout) {
    using namespace byhand::distributed;
    try {
        return new Gloo(world, Seconds(timeout));
    } catch (const byhand::InputError&) {
        throw;
    } catch (const std::exception& error) {
        const std::string where = world.file.empty() ? world.address + ":" + std::to_string(world.port) : world.file;
        refuse(world, "can't meet the other ranks at " + byhand::printable(where), first_line(error));
    }
}
