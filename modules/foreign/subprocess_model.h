// A network with external functions. Each run is in a subprocess.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/model.h"
#include "foreign/guarded_memory.h"
#include "foreign/subprocess.h"

namespace byhand {

// An external function ended the run of a network.
struct ExternalFault : std::runtime_error {
    explicit ExternalFault(const SubprocessEnd& end) : std::runtime_error(end.fault), label(end.label) {}
    std::string label;  // of the function; empty if none was running
};

class SubprocessModel final : public Model {
public:
    using Announce = std::function<void(const std::string& label)>;

    // `make` makes the implementation to run. Each external function in it must call `announce` with its label before
    // it runs: each has its own time limit, and the one that starts a process is known. The views of the implementation
    // must not change; this one has those with these names.
    SubprocessModel(const std::function<std::unique_ptr<Model>(const Announce& announce)>& make,
                    std::set<std::string> names, CallLimits limits);

    void load(const Tensors<float>& state) override;
    // Throws ExternalFault, and what run_in_subprocess throws.
    void run(const Batch& batch, float rate) override;
    std::vector<View> views() const override;

private:
    std::vector<View> views_of_names() const;

    std::shared_ptr<Journal*> journal_;  // in the subprocess, its own
    std::unique_ptr<Model> implementation_;
    std::set<std::string> names_;
    CallLimits limits_;
    std::optional<GuardedPages> values_;  // of the last run
};

}  // namespace byhand
