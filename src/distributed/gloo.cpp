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

namespace byhand::distributed {
namespace {

using Seconds = std::chrono::seconds;

// The first line of an error, without c10's stack.
std::string first_line(const std::exception& error) {
    const std::string text = error.what();
    return excerpt(text.substr(0, text.find('\n')), 200);
}

[[noreturn]] void refuse(const World& world, const std::string& what, const std::exception& error) {
    throw InputError("rank " + std::to_string(world.rank) + " of " + std::to_string(world.size) + ": " + what + " (" +
                     first_line(error) + ")");
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

// Throws InputError that names the ranks that do not come in time.
void wait_for_all(const World& world, c10d::Store& store, Seconds timeout) {
    const auto key = [](std::size_t rank) { return "rank_" + std::to_string(rank); };
    store.set(key(world.rank), std::vector<std::uint8_t>{1});
    const auto end = std::chrono::steady_clock::now() + timeout;
    for (std::size_t rank = 0; rank < world.size; ++rank) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        try {
            store.wait({key(rank)}, std::max(left, std::chrono::milliseconds(1)));
        } catch (const std::exception& error) {
            refuse(world,
                   "rank " + std::to_string(rank) + " did not come within " + std::to_string(timeout.count()) + " s",
                   error);
        }
    }
}

class Gloo final : public Group {
public:
    Gloo(const World& world, Seconds timeout) : world_(world), store_(store_of(world, timeout)) {
        wait_for_all(world, *store_, timeout);
        const auto options = c10d::ProcessGroupGloo::Options::create(timeout);
        if (!world.interface.empty()) {
            options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForInterface(world.interface));
        } else if (world.is_local()) {
            options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1"));
        } else {
            options->devices.push_back(c10d::ProcessGroupGloo::createDefaultDevice());
        }
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
        try {
            group_->allgather(output, input)->wait();
        } catch (const std::exception& error) {
            refuse(world_, "another rank has ended or does not respond", error);
        }
    }

private:
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
        refuse(world, "can't meet the other ranks at " + byhand::printable(where), error);
    }
}
