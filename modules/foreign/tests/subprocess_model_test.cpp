#include "foreign/subprocess_model.h"

#include <unistd.h>

#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using namespace byhand;
using namespace std::chrono_literals;

namespace {

// An implementation with one value, y = 2·rate, which runs `function`.
class OneValue final : public Model {
public:
    explicit OneValue(std::function<void()> function) : function_(std::move(function)) {}
    void load(const Tensors<float>&) override {}
    void run(const Batch&, float rate) override {
        function_();
        rate_ = rate, y_ = 2 * rate;
    }
    std::vector<View> views() const override {
        return {{"rate", {}, DType::float32, &rate_}, {"y", {}, DType::float32, &y_}};
    }

private:
    std::function<void()> function_;
    float rate_ = 0, y_ = 0;
};

}  // namespace

TEST_CASE("SubprocessModel: values are transferred, and a fault names the running function") {
    const auto implementation_with = [](const std::function<void()>& function) {
        return SubprocessModel(
            [&](const SubprocessModel::Announce& announce) {
                return std::make_unique<OneValue>([=] {
                    announce("first");
                    announce("second");
                    function();
                });
            },
            {"y"}, {.timeout = 500ms});
    };
    SubprocessModel right = implementation_with([] {});
    for (const float rate : {3.0F, 5.0F}) {
        right.run({}, rate);
        const std::vector<View> views = right.views();
        REQUIRE(views.size() == 1);
        CHECK(views[0].name == "y");
        CHECK(value_at(views[0], 0) == 2 * rate);
    }
    SubprocessModel slow(
        [](const SubprocessModel::Announce& announce) {
            return std::make_unique<OneValue>([=] {
                for (int call = 0; call < 4; ++call) {
                    announce("one");
                    std::this_thread::sleep_for(200ms);
                }
            });
        },
        {}, {.timeout = 500ms});
    slow.run({}, 1);  // the limit is of each
    const std::map<std::string, std::function<void()>> faults = {
        {"exits the process (exit code 0)", [] { std::exit(0); }},
        {"does not return within 500 ms; --timeout allows more", [] { ::pause(); }},
        {"starts another process",
         [] {
             if (::fork() == 0) {
                 ::pause();
             }
         }},
        {"thrown", [] { throw std::runtime_error("thrown"); }}};
    for (const auto& [what, function] : faults) {
        SubprocessModel implementation = implementation_with(function);
        try {
            implementation.run({}, 1);
            FAIL("no fault: " << what);
        } catch (const ExternalFault& fault) {
            CHECK(fault.label == "second");
            CHECK(fault.what() == what);
        }
    }
}
