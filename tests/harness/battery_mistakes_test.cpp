// Mistakes of external functions that only special cases of the battery show: far rows, units and classes, targets of
// single rows.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/change_network.h"
#include "base/text.h"
#include "foreign/subprocess.h"
#include "harness/hand_made.h"
#include "harness/isolated/battery.h"
#include "harness/isolated/isolated.h"
#include "harness/isolated/shrink.h"
#include "harness/results.h"

using namespace byhand;
using test::FakeReferenceOperations;

namespace {

// d (n, w) ← x (n, w), Y (n): twice x, and 1 less at the target. Its width is that of the classes or of the hidden
// units.
struct Sizes {
    std::size_t n, w;
};

template <class T>
void right(T* d, const T* x, const std::int64_t* Y, std::size_t n, std::size_t w) {
    for (std::size_t i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < w; ++j) {
            d[i * w + j] = T(2) * x[i * w + j];
        }
        const std::size_t target = static_cast<std::size_t>(Y[i]) % w;
        d[i * w + target] = d[i * w + target] - T(1);
    }
}

// d (n, w): the softmax of each row of x, with this exponential of x[j] − maximum.
template <class T, class Exponential>
void softmax(T* d, const T* x, std::size_t n, std::size_t w, Exponential exponential) {
    for (std::size_t i = 0; i < n * w; i += w) {
        const T top = *std::max_element(x + i, x + i + w);
        T sum = 0;
        for (std::size_t j = i; j < i + w; ++j) {
            d[j] = exponential(x[j] - top);
            sum += d[j];
        }
        std::for_each(d + i, d + i + w, [sum](T& p) { p /= sum; });
    }
}
template <class T>
void right_softmax(T* d, const T* x, const std::int64_t* /*Y*/, std::size_t n, std::size_t w) {
    softmax(d, x, n, w, [](T lower) {
        using std::exp;  // beside that of Rounded
        return exp(lower);
    });
}

using Run = std::function<void(float* d, const float* x, const std::int64_t* Y, Sizes sizes)>;

const NetworkConfig kNetwork = test::network(7, 2, 3, {.hidden = {5}});
constexpr std::size_t kRows = 4;

enum class Width { classes, units };

struct Judged {
    Width width = Width::classes;
    bool subprocess = false;
    Run function = {};
    bool of_softmax = false;

    template <class T>
    void right(T* d, const T* x, const std::int64_t* Y, Sizes at) const {
        of_softmax ? right_softmax(d, x, Y, at.n, at.w) : ::right(d, x, Y, at.n, at.w);
    }

    Sizes sizes(const NetworkConfig& config, std::size_t rows) const {
        return {rows, width == Width::classes ? config.vocabulary : test::widths(config)[0]};
    }

    // With the right function, or with ours.
    Graph graph(const NetworkConfig& config, std::size_t rows, bool ours) const {
        const Sizes at = sizes(config, rows);
        Graph made = test::empty_network();
        made.config = config;
        made.rows = rows;
        add(made.forward, "x", {at.n, at.w}, {"Y"}, BYHAND_FUNCTION(test::nothing));
        add(made.forward, "Y", {at.n}, {"Y"}, BYHAND_FUNCTION(test::nothing));
        if (of_softmax) {
            add(made.forward, "d", {at.n, at.w}, {"x", "Y"}, BYHAND_FUNCTION(right_softmax), at.n, at.w);
        } else {
            add(made.forward, "d", {at.n, at.w}, {"x", "Y"}, BYHAND_FUNCTION(::right), at.n, at.w);
        }
        if (ours) {
            const auto run = [*this, run = function, at](float* d, Reads<float> reads) {
                right(d, numbers(reads, 0), indices(reads, 1), at);
                run(d, numbers(reads, 0), indices(reads, 1), at);
            };
            made.forward.back().in_float = {"theirs", run};
            made.forward.back().in_double = {};
        }
        return made;
    }

    std::shared_ptr<const ReferenceOperations> reference_operations(const NetworkConfig& config,
                                                                    std::size_t rows) const {
        const Sizes at = sizes(config, rows);
        auto operations = std::make_shared<FakeReferenceOperations>();
        operations->add("d", {{"x", {at.n, at.w}}, {"Y", {at.n}}}, [*this, at](const std::vector<View>& values) {
            const std::vector<double> x = test::numbers(values, "x");
            const auto* Y = static_cast<const std::int64_t*>(find(values, "Y")->data);
            std::vector<double> d(x.size());
            right(d.data(), x.data(), Y, at);
            return d;
        });
        return operations;
    }

    IsolatedStep run() const {
        const auto graph_of = [this](bool ours) {
            return [this, ours](const NetworkConfig& config, std::size_t rows) { return graph(config, rows, ours); };
        };
        const Form form{graph_of(false), [this](const NetworkConfig& config, std::size_t rows) {
                            return reference_operations(config, rows);
                        }};
        const Isolation isolation{.right = form.at(kNetwork, kRows),
                                  .leeway = Leeway::words,
                                  .external = {.subprocess = subprocess ? run_calls_in_subprocess : nullptr},
                                  .battery = std::make_shared<Battery>(kNetwork, 1, form),
                                  .judged_at_size = graph_of(true),
                                  .form = form};
        const Sizes at = sizes(kNetwork, kRows);
        std::vector<float> x(at.n * at.w);
        for (std::size_t i = 0; i < x.size(); ++i) {
            x[i] = 0.5F + 0.03F * static_cast<float>(i);
        }
        const std::vector<std::int64_t> Y = {2, 0, 3, 1};
        StepInputs inputs({{"x", {at.n, at.w}, DType::float32, x.data()},
                           {"d", {at.n, at.w}, DType::float32, x.data()},
                           {"Y", {at.n}, DType::int64, Y.data()}},
                          kNetwork.vocabulary, 1);
        const std::vector<IsolatedStep> all = run_isolated(graph(kNetwork, kRows, true), isolation, inputs);
        REQUIRE(all.size() == 1);
        return all[0];
    }
};

// Wrong, but not on the batch; also in a case of which the report says `on`.
void expect_caught(const Judged& judged, const std::string& on) {
    const IsolatedStep step = judged.run();
    REQUIRE(step.wrong());
    CHECK(step.not_on_batch());
    INFO(step.telling()->on);
    CHECK(std::ranges::any_of(
        step.trials, [&](const Trial& trial) { return fails(trial.verdict) && text::contains(trial.on, on); }));
}

}  // namespace

TEST_CASE("battery mistakes: a right function is right in all cases, in this process and in another") {
    for (const Width width : {Width::classes, Width::units}) {
        for (const bool subprocess : {false, true}) {
            const IsolatedStep step = Judged{width, subprocess, [](auto&&...) {}}.run();
            INFO((step.wrong() ? step.telling()->on + ": " + step.telling()->note : ""));
            CHECK_FALSE(step.wrong());
        }
    }
}

TEST_CASE("battery mistakes: the last class, or the first, in one row only") {
    const auto in_row = [](std::size_t thirds, bool last) {
        return [=](float* d, const float*, const std::int64_t* Y, Sizes at) {
            const std::size_t row = thirds * (at.n - 1) / 2;
            const std::int64_t special = last ? static_cast<std::int64_t>(at.w) - 1 : 0;
            if (at.n > 2 && Y[row] == special && std::count(Y, Y + at.n, special) == 1) {
                d[row * at.w] += 1;
            }
        };
    };
    const char* const rows[] = {"the first row", "a middle row", "the last row"};
    for (const std::size_t turn : {0U, 1U, 2U}) {
        for (const bool last : {true, false}) {
            // At random too, at other sizes: only at those of the special cases.
            const auto wrong = [spoil = in_row(turn, last)](float* d, const float* x, const std::int64_t* Y, Sizes at) {
                if (at.n == 29) {
                    spoil(d, x, Y, at);
                }
            };
            expect_caught({.function = wrong},
                          std::string(last ? "the last index" : "index 0") + " only in " + rows[turn] + " in Y");
        }
    }
}

TEST_CASE("battery mistakes: a factor for numbers of one magnitude") {
    const auto scales = [](float* d, const float* x, const std::int64_t*, Sizes at) {
        for (std::size_t i = 0; i < at.n * at.w; ++i) {
            d[i] *= x[i] > 3 && x[i] < 4 ? 1.01F : 1.0F;
        }
    };
    expect_caught({.function = scales}, "29 rows: values from 1e-3 to 1e3 in x");
}

TEST_CASE("battery mistakes: a softmax whose exponential is off in a band of its argument") {
    const auto judged = [](float above, float below) {
        const Run run = [=](float* d, const float* x, const std::int64_t*, Sizes at) {
            softmax(d, x, at.n, at.w,
                    [=](float lower) { return (lower > above && lower < below ? 1.01F : 1.0F) * std::exp(lower); });
        };
        return Judged{.function = run, .of_softmax = true}.run();
    };
    const IsolatedStep right = judged(0, 0);
    INFO((right.wrong() ? right.telling()->on : ""));
    CHECK_FALSE(right.wrong());
    const std::pair<float, float> bands[] = {{-5.0F, -3.0F},   {-8.0F, -5.0F},   {-12.0F, -8.0F}, {-16.0F, -12.0F},
                                             {-30.0F, -20.0F}, {-50.0F, -30.0F}, {-81.0F, -60.0F}};
    for (const auto& [above, below] : bands) {
        INFO("exp off in " << above << " to " << below);
        CHECK(judged(above, below).wrong());
    }
}

TEST_CASE("battery mistakes: 1 % off on rows of one kind") {
    const auto wrong = [](const std::function<bool(const float* x, std::size_t w)>& is_special) {
        const Run run = [=](float* d, const float* x, const std::int64_t*, Sizes at) {
            for (std::size_t i = 0; i < at.n * at.w; i += at.w) {
                const float factor = is_special(x + i, at.w) ? 1.01F : 1.0F;
                std::for_each(d + i, d + i + at.w, [factor](float& p) { p *= factor; });
            }
        };
        return Judged{.function = run, .of_softmax = true}.run().wrong();
    };
    const auto nonzero = [](const float* x, std::size_t w) {
        return std::count_if(x, x + w, [](float number) { return number != 0; });
    };
    CHECK(
        wrong([](const float* x, std::size_t w) { return w > 2 && std::count(x, x + w, x[0]) == std::ptrdiff_t(w); }));
    CHECK(wrong([&](const float* x, std::size_t w) { return w > 2 && nonzero(x, w) == 1; }));
    CHECK(wrong([&](const float* x, std::size_t w) { return w > 2 && nonzero(x, w) == 0; }));
    CHECK(wrong([](const float* x, std::size_t w) {
        return w > 2 && std::ranges::all_of(x, x + w, [](float number) { return number < 0; });
    }));
}

TEST_CASE("battery mistakes: from a row, a unit or a class on that is far from the first") {
    const auto from = [](std::size_t row, std::size_t column) {
        return [=](float* d, const float*, const std::int64_t*, Sizes at) {
            if (at.n > row && at.w > column) {
                d[at.n * at.w - 1] += 1;
            }
        };
    };
    for (const std::size_t row : {256U, 300U, 1024U, 1500U}) {
        expect_caught({.function = from(row, 0)}, "2051 rows: random values");
    }
    for (const std::size_t unit : {256U, 513U, 1024U}) {
        expect_caught({.width = Width::units, .function = from(0, unit)}, "5 rows: random values");
        expect_caught({.function = from(0, unit)}, "3 rows: random values");  // a class
    }
    const auto of_targets = [](float* d, const float*, const std::int64_t* Y, Sizes at) {
        if (Y[0] >= 1024) {
            d[Y[0]] += 1;
        }
        static_cast<void>(at);
    };
    expect_caught({.function = of_targets}, "3 rows: the last index only in Y");
}

TEST_CASE("battery mistakes: an index in 16 bits, in an external function") {
    const auto wraps = [](float* d, const float* x, const std::int64_t*, Sizes at) {
        for (std::size_t i = 0; i < at.n * at.w; ++i) {
            const auto narrow = static_cast<std::uint16_t>(i);
            d[i] += 2 * (x[narrow] - x[i]);
        }
    };
    expect_caught({.width = Width::units, .subprocess = true, .function = wraps}, "2051 rows: random values");
    expect_caught({.width = Width::classes, .subprocess = true, .function = wraps}, "67 rows: random values");
}

TEST_CASE("battery mistakes: a count that turns wrong, in calls in a row") {
    for (const bool subprocess : {false, true}) {
        for (const int turn : {200, 300}) {  // after the other cases, which number fewer
            const auto calls = std::make_shared<int>(0);
            const auto turns = [=](float* d, auto&&...) {
                if (++*calls == turn) {
                    d[0] += 1;
                }
            };
            const IsolatedStep step = Judged{.subprocess = subprocess, .function = turns}.run();
            REQUIRE(step.wrong());
            CHECK_FALSE(step.not_on_batch());  // it does not depend on the values
            CHECK(step.on_batch().note.starts_with("gives different results in call "));
            CHECK(step.on_batch().note.ends_with(" of 256 in a row on the same values"));
        }
    }
}

TEST_CASE("battery mistakes: outside of the main thread") {
    for (const bool subprocess : {false, true}) {
        const auto main = std::this_thread::get_id();
        const auto elsewhere = [=](float* d, auto&&...) {
            if (std::this_thread::get_id() != main) {
                d[0] += 1;
            }
        };
        const IsolatedStep step = Judged{.subprocess = subprocess, .function = elsewhere}.run();
        REQUIRE(step.wrong());
        CHECK(step.on_batch().note == "gives different results when another thread calls it");
    }
    const IsolatedStep ended = Judged{.subprocess = true, .function = [](auto&&...) { std::_Exit(0); }}.run();
    CHECK(ended.on_random().note == "exits the process (exit code 0)");  // as on the batch, where it ended
}

TEST_CASE("battery mistakes: a NaN that is swallowed, and an infinity") {
    const auto swallows = [](bool (*is_special)(float)) {
        return [=](float* d, const float* x, const std::int64_t*, Sizes at) {
            for (std::size_t i = 0; i < at.n * at.w; ++i) {
                d[i] = is_special(x[i]) ? 0 : d[i];
            }
        };
    };
    const auto note_of = [](const Run& function) {
        const IsolatedStep step = Judged{.function = function}.run();
        REQUIRE(step.wrong());
        REQUIRE(step.telling()->smallest != nullptr);
        CHECK(step.telling()->smallest->values["x"].size() <= 2);
        return test::reported(step).why();
    };
    CHECK(note_of(swallows([](float x) {
              return std::isnan(x);
          })).ends_with("is 0, expected NaN, on 29 rows: some NaN in x"));
    CHECK(text::contains(note_of(swallows([](float x) { return std::isinf(x); })), "∞, on 29 rows: some ±∞ in x"));
}

TEST_CASE("step inputs: a NaN counts only where each number in its place makes another result") {
    const double nan = std::numeric_limits<double>::quiet_NaN(), infinity = std::numeric_limits<double>::infinity();
    constexpr std::size_t kElements = 7;
    Step step{"y", {kElements}, {"x"}, {}, {}, {}};
    step.rounded = {"right", [](Rounded* y, Reads<Rounded> reads) { test::copy(y, numbers(reads, 0), kElements); }};
    const auto classes = [&](const FakeReferenceOperations::Evaluate& exact, std::vector<double> x) {
        FakeReferenceOperations operations;
        operations.add("y", {{"x", {kElements}}}, exact);
        Tensors<double> values;
        values.put({"x", {kElements}}, x);
        return make_step_input(step, operations, std::make_shared<const Tensors<double>>(std::move(values)));
    };
    const std::vector<double> some = {0.5, nan, -1, 0.75, nan, 0.25, -0.5};
    const auto at_nan = [&](double x) { return std::isnan(x); };
    const auto triple = test::element_by_element("x", [](double x) { return 3 * x; });
    for (std::size_t i = 0; i < kElements; ++i) {
        CHECK(classes(triple, some).of_class[i] == at_nan(some[i]));
    }
    // A right function may pass by a NaN, or not.
    const auto threshold = test::element_by_element("x", [](double x) { return x <= 0 ? 0 : x; });
    const auto root = test::element_by_element("x", [](double x) { return std::sqrt(x); });
    CHECK(std::ranges::none_of(classes(threshold, some).of_class, std::identity()));
    CHECK(std::ranges::count(classes(root, some).of_class, true) == 2);
    const auto maximum = [&](const std::vector<View>& values) {
        const std::vector<double> x = test::numbers(values, "x");
        return std::vector<double>(kElements, std::ranges::any_of(x, at_nan) ? nan : std::ranges::max(x));
    };
    CHECK(std::ranges::none_of(classes(maximum, some).of_class, std::identity()));
    // What depends on a NaN otherwise, as the place of the maximum, has no limit; what does not has one.
    const auto place = [&](const std::vector<View>& values) {
        std::vector<double> x = test::numbers(values, "x");
        const auto largest =
            std::ranges::find_if(x, at_nan) != x.end() ? std::ranges::find_if(x, at_nan) : std::ranges::max_element(x);
        std::vector<double> y(kElements, 0.125);
        y[static_cast<std::size_t>(largest - x.begin())] = 1;
        return y;
    };
    const StepInput input = classes(place, some);
    CHECK(std::ranges::none_of(input.of_class, std::identity()));
    CHECK(std::isinf(input.in_other_words[1]));
    CHECK(std::isfinite(input.in_other_words[5]));
    // An infinity of the reference's is not finite in any formulation.
    const StepInput infinite = classes(triple, {0.5, infinity, -1, 2, -infinity, 0.25, 4});
    CHECK(std::ranges::count(infinite.of_class, true) == 2);
    CHECK(classes(triple, {0.5, 1, -1, 2, 3, 0.25, 4}).of_class.empty());
}
