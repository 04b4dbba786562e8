#include "lab/walkthrough/chapters.h"

#include <catch2/catch_test_macros.hpp>
#include <vector>

#include "lab/walkthrough/story.h"
#include "manual/stepwise.h"

using namespace byhand;
using lab::backward_chapters;
using lab::Chapter;
using lab::forward_chapters;
using lab::Part;

namespace {

struct Expected {
    Part part;
    std::size_t layer;
};

bool are(const std::vector<Chapter>& chapters, const std::vector<Expected>& expected) {
    bool same = chapters.size() == expected.size();
    for (std::size_t i = 0; same && i < chapters.size(); ++i) {
        const bool of_a_layer = chapters[i].part != Part::lookup && chapters[i].part != Part::loss;
        same = chapters[i].part == expected[i].part && (!of_a_layer || chapters[i].layer == expected[i].layer);
    }
    return same;
}

}  // namespace

TEST_CASE("chapters: what belongs together, and to which layer, wherever the norm stands") {
    NetworkConfig config;
    config.hidden = {4, 3};
    const auto network = [&config](NormPlace place) {
        config.norm.place = place;
        return stepwise_graph(config, 5);
    };
    const Graph before = network(NormPlace::before), after = network(NormPlace::after), none = network(NormPlace::none);
    using enum Part;
    CHECK(are(forward_chapters(before), {{lookup, 0},
                                         {linear, 0},
                                         {norm, 0},
                                         {activation, 0},
                                         {linear, 1},
                                         {norm, 1},
                                         {activation, 1},
                                         {linear, 2},
                                         {loss, 2}}));
    CHECK(are(backward_chapters(after), {{loss, 2},
                                         {linear, 2},
                                         {norm, 1},
                                         {activation, 1},
                                         {linear, 1},
                                         {norm, 0},
                                         {activation, 0},
                                         {linear, 0},
                                         {lookup, 0}}));
    CHECK(are(backward_chapters(none),
              {{loss, 2}, {linear, 2}, {activation, 1}, {linear, 1}, {activation, 0}, {linear, 0}, {lookup, 0}}));
    config.norm.output = true;
    const Graph output = network(NormPlace::before);
    const std::vector<Chapter> chapters = forward_chapters(output);
    CHECK(chapters[8].part == norm);
    CHECK(chapters[8].layer == 2);
    // Every step stands in one of them, in order.
    std::size_t steps = 0;
    for (const Chapter& chapter : chapters) {
        for (const Step* step : chapter.steps) {
            CHECK(step == &output.forward[steps++]);
        }
    }
    CHECK(steps == output.forward.size());
}

TEST_CASE("chapters: a function that has no story is told by its name") {
    Graph network = stepwise_graph({}, 5);
    for (StepList* list : {&network.forward, &network.backward}) {
        for (Step& step : *list) {
            if (step.in_float.name.starts_with("tanh_")) {
                step.in_float.name = "relu_" + step.in_float.name.substr(5);
            }
        }
    }
    const std::vector<Chapter> forward = forward_chapters(network), backward = backward_chapters(network);
    using enum Part;
    CHECK(are(forward, {{lookup, 0}, {linear, 0}, {norm, 0}, {other, 0}, {linear, 1}, {loss, 1}}));
    CHECK(are(backward, {{loss, 1}, {linear, 1}, {other, 0}, {norm, 0}, {linear, 0}, {lookup, 0}}));
    const Tensors<float> values;
    const lab::Followed followed;
    const lab::Told told{network, values, followed};
    CHECK(lab::forward_story(forward[3], told) == "Further steps: relu_forward.");
    CHECK(lab::backward_story(backward[2], told) == "Further steps: relu_backward.");
}
