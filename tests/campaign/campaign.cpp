// The campaign against false alarms: right networks over many seeds, sizes and initial values, none of which may be
// called a mismatch. Prints what was run, what verdicts there were and the largest share of a limit that was used.
#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <iterator>
#include <map>
#include <random>

#include "base/change_network.h"
#include "base/error.h"
#include "campaign/random_network.h"
#include "cli/options.h"
#include "compare/candidates.h"
#include "fast/models.h"
#include "harness/drawn.h"
#include "harness/end_to_end/summary.h"
#include "recipe/recipe.h"
#include "torch_ref/load.h"

namespace byhand {
namespace {

// What is done to the values and the batch, so that limits are tried where they are hard to keep.
enum class Kind { drawn, tiny, spread_logits, saturated, flat_column, one_name, smallest, odd_sizes, first_step };
constexpr const char* kKindNames[] = {"drawn",    "tiny",     "spread-logits", "saturated", "flat-column",
                                      "one-name", "smallest", "odd-sizes",     "first-step"};
constexpr std::size_t kKinds = 8;  // that recipes take in turn; random networks take first_step for the two of sizes

struct Case {
    std::string recipe;
    NetworkConfig network;
    std::size_t rows = 0;
    std::uint64_t seed = 0;
    Kind kind = Kind::drawn;

    std::string name() const {
        return fmt::format("{} seed {} {} {}, V {} T {} E {} B {}, {}", recipe, seed,
                           kKindNames[static_cast<std::size_t>(kind)],
                           network.norm.batch_divisor == Divisor::n ? "n" : "n-1", network.vocabulary, network.context,
                           network.embedding, rows, test::text(network.layers));
    }
};

struct Totals {
    std::size_t runs = 0, tensors = 0, isolated_steps = 0;
    std::map<std::string, std::size_t> verdicts;  // end to end
    std::map<std::string, std::size_t> isolated;
    std::vector<std::string> alarms;
    double used = 0, used_isolated = 0;
    std::string used_by, used_isolated_by;
    // Of each tensor of the stepwise network, how often our error is at most LibTorch's.
    std::map<std::string, std::pair<std::size_t, std::size_t>> no_larger;
};

bool is_alarm(Verdict verdict) {
    return !agrees(verdict) && verdict != Verdict::undecided && verdict != Verdict::vacuous &&
           verdict != Verdict::out_of_range;
}

// What is larger is run with fewer seeds.
constexpr std::size_t kLargeWidth = 200, kLargeBatch = 512;

std::size_t widest_of(const NetworkConfig& network) {
    return std::ranges::max(network.layers, {}, &OperationConfig::outputs).outputs;
}

std::size_t odd_up_to(std::mt19937_64& generator, std::size_t most) {
    return 1 + 2 * (generator() % ((most + 1) / 2));
}

Case make_case(const std::string& recipe, NetworkConfig network, std::size_t rows, std::uint64_t seed, bool large) {
    std::mt19937_64 generator(seed * 7919 + 17);
    Case c{recipe, std::move(network), rows, seed, static_cast<Kind>(seed % kKinds)};
    if (c.network.vocabulary < 2) {
        c.network.vocabulary = 27;
    }
    if (large) {  // few rows where the network is wide, a wide one's sums are long as it is
        c.rows = std::min<std::size_t>(c.rows, widest_of(c.network) > kLargeWidth ? 5 : kLargeBatch + 1);
    }
    const bool divides_by_n_minus_1 =
        c.network.norm.batch_divisor == Divisor::n_minus_1 || c.network.norm.running_divisor == Divisor::n_minus_1;
    const std::size_t fewest = divides_by_n_minus_1 ? 3 : 1;
    if (c.kind == Kind::smallest) {
        c.network.embedding = 1;
        c.network.context = flattens_by_parts(c.network) ? c.network.context : 1;
        for (OperationConfig* linear : hidden_linears(c.network)) {
            linear->outputs = 1;
        }
        c.network.vocabulary = 2;
        c.rows = divides_by_n_minus_1 ? 2 : 1;
    } else if (c.kind == Kind::odd_sizes && !large) {
        c.network.embedding = odd_up_to(generator, 13);
        const std::size_t context = odd_up_to(generator, 7);
        c.network.context = flattens_by_parts(c.network) ? c.network.context : context;
        c.network.vocabulary = 2 + odd_up_to(generator, 61);
        for (OperationConfig* linear : hidden_linears(c.network)) {
            linear->outputs = odd_up_to(generator, 151);
        }
        share_widths(c.network);
        c.rows = std::max(fewest, odd_up_to(generator, 101));
    }
    return c;
}

void scale(Tensors<float>& state, const std::string& begins, float factor) {
    for (const TensorSpec& spec : state.table()) {
        if (spec.name.starts_with(begins)) {
            std::ranges::for_each(state[spec.name], [factor](float& value) { value *= factor; });
        }
    }
}

// Values for the case's network; `reference` is run where a scale has to be found.
Tensors<float> state_for(const Case& c, Model& reference, const Batch& batch) {
    Tensors<float> state = drawn_state(c.network, c.seed);
    switch (c.kind) {
        case Kind::tiny:
            scale(state, "C", 1e-4F);
            scale(state, "W", 1e-3F);
            scale(state, "b", 1e-3F);
            break;
        case Kind::saturated:
            scale(state, "W1", 60);
            scale(state, "bngain", 20);
            break;
        case Kind::flat_column: {
            // A unit that hardly sees its input: its variance is far below ε.
            const std::size_t H = test::widths(c.network).front();
            const std::span<float> W1 = state["W1"];
            for (std::size_t k = 0; k < W1.size() / H; ++k) {
                W1[k * H] *= 1e-5F;
            }
            break;
        }
        case Kind::spread_logits: {
            reference.load(state);
            reference.run(batch, 0.1F);
            const std::vector<View> views = reference.views();
            const View& logits = *find(views, "logits");
            double spread = 1e-30;
            const std::size_t V = c.network.vocabulary;
            for (std::size_t i = 0; i < batch.rows; ++i) {
                double low = value_at(logits, i * V), high = low;
                for (std::size_t j = 1; j < V; ++j) {
                    low = std::min(low, value_at(logits, i * V + j));
                    high = std::max(high, value_at(logits, i * V + j));
                }
                spread = std::max(spread, high - low);
            }
            const auto factor =
                static_cast<float>((20 + 140 * static_cast<double>(c.seed / kKinds % 97) / 96) / spread);
            const Layer output = layers(c.network).back();
            const bool by_gain = output.has_batchnorm && c.network.norm.affine;
            for (const std::string& name : by_gain ? std::vector{output.value("bngain"), output.value("bnbias")}
                                                   : std::vector{output.W(), output.b()}) {
                if (state.contains(name)) {
                    std::ranges::for_each(state[name], [factor](float& value) { value *= factor; });
                }
            }
            break;
        }
        case Kind::first_step:  // what the optimizer keeps begins as 0
            for (const TensorSpec& spec : optimizer_state(c.network)) {
                std::ranges::fill(state[spec.name], 0.0F);
            }
            break;
        default:
            break;
    }
    return state;
}

void run_case(const torch_ref::Factory& torch, const Case& c, Totals& totals) {
    check_network(c.network, c.rows);
    // The battery has sizes of its own, and takes most of the time: once in so many seeds is enough.
    constexpr std::uint64_t kSeedsABattery = 10;
    Reference reference = reference_of(torch, c.network, c.rows, c.seed + 1, c.seed % kSeedsABattery != 0);
    Candidates candidates;
    for (const char* model : {"stepwise", "collapsed"}) {
        candidates.push_back(candidate_of(model, reference));
    }
    candidates.push_back(fused_candidate(reference));
    std::mt19937_64 generator(c.seed);
    std::vector<std::int64_t> X(c.rows * c.network.context), Y(c.rows);
    for (std::vector<std::int64_t>* indices : {&X, &Y}) {
        for (std::int64_t& index : *indices) {
            index = static_cast<std::int64_t>(generator() % c.network.vocabulary);
        }
    }
    if (c.kind == Kind::one_name) {
        for (std::size_t i = c.network.context; i < X.size(); ++i) {
            X[i] = X[i - c.network.context];
        }
        std::ranges::fill(Y, Y.front());
    }
    const Batch batch{c.rows, X.data(), Y.data()};
    const Tensors<float> state = state_for(c, *reference.implementations.stepwise, batch);
    const Schedule schedule{.batch = [&](std::size_t) { return batch; }, .rate = [](std::size_t) { return 0.1F; }};
    ++totals.runs;
    run_comparison(
        c.network, state, schedule, candidates, reference.implementations, reference.chain,
        [&](const ComparedStep& step) {
            for (const auto& [model, against, value, r] : findings(step)) {
                ++totals.tensors;
                ++totals.verdicts[to_string(r.verdict)];
                if (is_alarm(r.verdict)) {
                    const Worst worst = r.worst.value_or(Worst());
                    totals.alarms.push_back(fmt::format(
                        "{} of {}: {}, {:g} by hand, {:g} by LibTorch, {:g} in double, limit {:g}, in {}", value.name,
                        model.model, to_string(r.verdict), worst.ours, worst.reference.value_or(NAN),
                        worst.right.value_or(NAN), r.limit.value_or(NAN), c.name()));
                } else if (r.used.value_or(0) > totals.used && std::isfinite(*r.used)) {
                    totals.used = *r.used;
                    totals.used_by = fmt::format("{} of {} in {}", value.name, model.model, c.name());
                }
                if (model.model == "stepwise" && against == Against::operations && r.error) {
                    auto& [no_larger, all] = totals.no_larger[value.name];
                    no_larger += *r.error <= *r.reference_error ? 1 : 0;
                    ++all;
                }
            }
            for (const ModelReport& model : step.models) {
                for (const ValueReport& value : model.at(model.isolated)) {
                    const IsolatedStep& isolated = *value.isolated;
                    ++totals.isolated_steps;
                    ++totals.isolated[to_string(isolated.on_batch().verdict)];
                    const double used =
                        std::max(isolated.on_batch().used.value_or(0), isolated.on_random().used.value_or(0));
                    if (!isolated.wrong() && used > totals.used_isolated) {
                        totals.used_isolated = used;
                        totals.used_isolated_by = fmt::format("{} of {} in {}", value.name, model.model, c.name());
                    }
                }
                for (const ValueReport& culprit : model.at(model.culprits)) {
                    totals.alarms.push_back(
                        fmt::format("{} of {} blamed: {} in {}", culprit.name, model.model, culprit.why(), c.name()));
                }
            }
        });
}

struct Options {
    std::vector<std::string> recipes;  // files
    std::size_t seeds = 1000, large_seeds = 20, random = 200, first_seed = 0, part = 0, parts = 1;
};

int run(const Options& options) {
    const torch_ref::Factory& torch = torch_ref::load();
    const auto start = std::chrono::steady_clock::now();
    Totals totals;
    std::size_t number = 0;
    for (const std::string& path : options.recipes) {
        std::ifstream file(path);
        const std::string text(std::istreambuf_iterator<char>(file), {});
        const Recipe recipe = recipe_from_json(text, path);
        const bool large = widest_of(recipe.network) > kLargeWidth || recipe.batch > kLargeBatch;
        const std::size_t seeds = large ? options.large_seeds : options.seeds;
        for (std::uint64_t seed = options.first_seed; seed < options.first_seed + seeds; ++seed) {
            for (const Divisor divisor : {Divisor::n, Divisor::n_minus_1}) {
                for (const std::string place : {"before", "after", "none"}) {
                    if (number++ % options.parts != options.part) {
                        continue;
                    }
                    NetworkConfig network = recipe.network;
                    place_norms(network.layers, place);
                    network.norm.batch_divisor = network.norm.running_divisor = divisor;
                    run_case(torch, make_case(recipe.name, network, recipe.batch, seed, large), totals);
                }
            }
        }
        fmt::print(stderr, "{}: {} runs so far, {} alarms, {:.0f} s\n", recipe.name, totals.runs, totals.alarms.size(),
                   std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    }
    for (std::uint64_t seed = options.first_seed; seed < options.first_seed + options.random; ++seed) {
        if (number++ % options.parts == options.part) {
            std::mt19937_64 generator(seed);
            NetworkConfig network = random_network(generator);
            const std::size_t rows = 3 + 2 * (generator() % 20);
            Case c{"random", std::move(network), rows, seed, static_cast<Kind>(seed % kKinds)};
            c.kind = c.kind == Kind::smallest || c.kind == Kind::odd_sizes ? Kind::first_step : c.kind;
            run_case(torch, c, totals);
        }
    }
    fmt::print(stderr, "random networks: {} runs so far, {} alarms\n", totals.runs, totals.alarms.size());
    for (const std::string& alarm : totals.alarms) {
        fmt::print("alarm: {}\n", alarm);
    }
    fmt::print("runs {}\ntensors {}\nisolated-steps {}\n", totals.runs, totals.tensors, totals.isolated_steps);
    for (const auto& [verdict, times] : totals.verdicts) {
        fmt::print("chain {} {}\n", verdict, times);
    }
    for (const auto& [verdict, times] : totals.isolated) {
        fmt::print("isolated {} {}\n", verdict, times);
    }
    fmt::print("largest-share-chain {:.4f} {}\nlargest-share-isolated {:.4f} {}\n", totals.used, totals.used_by,
               totals.used_isolated, totals.used_isolated_by);
    for (const auto& [name, times] : totals.no_larger) {
        fmt::print("error-no-larger {} {} {}\n", name, times.first, times.second);
    }
    fmt::print("alarms {}\n", totals.alarms.size());
    return totals.alarms.empty() ? 0 : 1;
}

}  // namespace
}  // namespace byhand

int main(int argc, char** argv) {
    try {
        byhand::Options options;
        byhand::cli::Program program("campaign",
                                     "Right networks over many seeds, sizes and values: none may be called a mismatch");
        const byhand::cli::Command& root = program.root();
        root.option("--recipe", options.recipes, "Recipe files");
        root.option("--seeds", options.seeds, "For each recipe up to H 200, variance and place of the norm");
        root.option("--large-seeds", options.large_seeds, "For each larger one");
        root.option("--random", options.random, "Networks of random operations");
        root.option("--first-seed", options.first_seed, "The first of them");
        root.option("--part", options.part, "Run this part of");
        root.option("--parts", options.parts, "so many");
        root.on_run([&options] { return byhand::run(options); });
        return program.run(argc, argv);
    } catch (const std::exception& error) {
        fmt::print(stderr, "campaign: {}\n", error.what());
        return 2;
    }
}
