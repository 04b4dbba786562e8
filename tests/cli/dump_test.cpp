#include <algorithm>
#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/parsed_json.h"
#include "cli/names.h"
#include "cli/program.h"
#include "cli/stored.h"

// The checker, checked: the dump is read and compared by code of the test's own, and must give the report's figures.

namespace cli_test {
namespace {

// How many floats lie from a to b, counted over the bits as sign and magnitude.
std::uint64_t floats_between(float a, float b) {
    const auto place = [](float x) {
        const auto bits = std::bit_cast<std::uint32_t>(x);
        const auto magnitude = static_cast<std::int64_t>(bits & 0x7fffffffU);
        return (bits >> 31) != 0 ? -magnitude : magnitude;
    };
    return static_cast<std::uint64_t>(std::abs(place(a) - place(b)));
}

double largest_difference(const std::vector<double>& a, const std::vector<double>& b) {
    REQUIRE(a.size() == b.size());
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        largest = std::max(largest, std::abs(a[i] - b[i]));
    }
    return largest;
}

struct Compared : Folder {
    Json report;
    StoredFile dump;

    explicit Compared(const Arguments& flags) {
        write("n", file_of(world_names()));
        report = json_of(byhand(*this, "compare --format json --data n --dump dump.safetensors" + flags));
        dump = read_stored(file("dump.safetensors"));
    }

    // Every tensor of the last step, held against the dump.
    void check_figures(bool drifting = false) const {
        std::size_t checked = 0;
        for (const Json& t : report["steps"].back()["tensors"]) {
            const std::string name = t["name"].get<std::string>(), model = t["model"].get<std::string>(),
                              reference = t["witness"].get<std::string>();
            CAPTURE(name, model, reference);
            const StoredTensor& ours = dump.tensors.at((model == "stepwise" ? "manual" : model) + "/" + name);
            const StoredTensor& theirs = dump.tensors.at((reference == "stepwise" ? "torch" : reference) + "/" + name);
            const StoredTensor& oracle = dump.tensors.at("oracle/" + name);
            CHECK(ours.dtype == "F32");
            CHECK(theirs.dtype == "F32");
            CHECK(oracle.dtype == "F64");
            CHECK(Json(ours.shape) == t["shape"]);
            CHECK(ours.shape == theirs.shape);
            CHECK(ours.shape == oracle.shape);
            CHECK(t["bit_equal"] == (ours.bytes == theirs.bytes));
            CHECK(t["max_abs_diff"].get<double>() == largest_difference(ours.doubles(), theirs.doubles()));
            CHECK(t["error_manual"].get<double>() == largest_difference(ours.doubles(), oracle.doubles()));
            if (!drifting) {  // then LibTorch's error is against an oracle of its own
                CHECK(t["error_torch"].get<double>() == largest_difference(theirs.doubles(), oracle.doubles()));
            }
            std::uint64_t ulp = 0;
            const std::vector<float> a = ours.floats(), b = theirs.floats();
            for (std::size_t i = 0; i < a.size(); ++i) {
                ulp = std::max(ulp, floats_between(a[i], b[i]));
            }
            CHECK(t["max_ulp"].get<std::uint64_t>() == ulp);
            std::size_t position = 0;
            for (std::size_t axis = 0; axis < ours.shape.size(); ++axis) {
                position = position * ours.shape[axis] + t["worst"]["index"][axis].get<std::size_t>();
            }
            CHECK(t["worst"]["manual"].get<double>() == ours.doubles()[position]);
            CHECK(t["worst"]["torch"].get<double>() == theirs.doubles()[position]);
            CHECK(t["worst"]["oracle"].get<double>() == oracle.doubles()[position]);
            ++checked;
        }
        CHECK(checked > 100);
    }
};

}  // namespace

TEST_CASE("dump: the report's figures, compared anew") {
    need_torch();
    Compared("--model stepwise,collapsed,fused --steps 3").check_figures();
    Compared("--model stepwise,fused --hidden 21,19 --norm after --steps 2").check_figures();
    Compared("--model collapsed,stepwise --hidden 23 --norm none --batch 5").check_figures();
    // With drift the oracle begins where the last model does that is named.
    Compared("--recipe makemore-deep --hidden 11,13 --model collapsed --drift --steps 4").check_figures(true);
}

TEST_CASE("dump: every implementation under its own name, the batch, and the recipe, which makes the same dump") {
    need_torch();
    const Compared compared("--model stepwise,collapsed,fused --steps 4 --batch 7 --context 5 --seed 3 --hidden 20");
    const StoredFile& dump = compared.dump;
    std::set<std::string> prefixes;
    for (const auto& [name, tensor] : dump.tensors) {
        prefixes.insert(name.substr(0, name.find('/')));
    }
    CHECK(prefixes == std::set<std::string>{"X", "Y", "collapsed", "fused", "manual", "module", "oracle", "torch"});
    CHECK(dump.tensors.at("X").shape == std::vector<std::size_t>{7, 5});
    CHECK(dump.tensors.at("Y").shape == std::vector<std::size_t>{7});
    CHECK(dump.metadata.at("step") == "3");
    compared.write("r.json", dump.metadata.at("recipe"));
    succeeds(compared,
             "compare --recipe r.json --data n --model stepwise,collapsed,fused --steps 4 "
             "--dump again.safetensors");
    CHECK(read_stored(compared.file("again.safetensors")).tensors.at("manual/dW1").bytes ==
          dump.tensors.at("manual/dW1").bytes);
}

}  // namespace cli_test
