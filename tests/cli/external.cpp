#include "cli/external.h"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>

namespace cli_test {

const Arguments kNotes = {}, kOdd = {"--batch", "31", "--hidden", "37", "--embedding", "3"};

Outcome run(const Folder& folder, const std::string& program, const Arguments& arguments) {
    return Process(folder, program, arguments, {}).wait();
}

void need_numpy(const Folder& folder) {
    if (::access(kPython, X_OK) != 0) {
        SKIP("no /usr/bin/python3");
    }
    if (run(folder, kPython, {"-c", "import numpy"}).code != 0) {
        SKIP("/usr/bin/python3 has no numpy");
    }
}

void dump(const Folder& folder, const Arguments& network) {
    REQUIRE(byhand(folder, "compare --dump dump.safetensors" + network).code == 0);
}

void run_python(const Folder& folder, const std::string& script) {
    const Outcome outcome = run(folder, kPython, {script, "dump.safetensors", "mine"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.code == 0);
}

std::map<std::string, StoredTensor> tensors_of(const StoredFile& file, const std::string& implementation) {
    std::map<std::string, StoredTensor> tensors;
    for (const auto& [name, tensor] : file.tensors) {
        if (name.starts_with(implementation + "/")) {
            tensors[name.substr(implementation.size() + 1)] = tensor;
        }
    }
    return tensors;
}

Names Judged::culprits() const {
    return report["culprits"].get<Names>();
}

Judged judged(const Folder& folder, const Arguments& network) {
    const Outcome outcome = byhand(folder, "compare --mine mine --format json" + network);
    INFO(outcome.err);
    REQUIRE((outcome.code == 0 || outcome.code == 1));
    return {outcome.code, parsed_json(outcome.out)};
}

void check_agreement(const Folder& folder, const Arguments& network) {
    CAPTURE(network);
    const Judged all = judged(folder, network);
    CHECK(all.code == 0);
    CHECK(all.report["verdict"] == "agree");
    CHECK(all.culprits().empty());
}

}  // namespace cli_test
