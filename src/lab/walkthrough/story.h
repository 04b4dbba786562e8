// What a training step does, in words beside its own numbers.
#pragma once

#include <string>

#include "base/tensors.h"
#include "lab/walkthrough/chapters.h"
#include "lab/walkthrough/followed.h"

namespace byhand::lab {

// What a chapter describes: the network after one step, forward, backward and update.
struct Told {
    const Graph& network;
    const Tensors<float>& values;
    const Followed& followed;
};

// The batch itself: what is to be guessed from what.
std::string story_of_batch(const Told& told, std::size_t examples);

// A sentence or a few; no formula.
std::string forward_story(const Chapter& chapter, const Told& told);
std::string backward_story(const Chapter& chapter, const Told& told);

}  // namespace byhand::lab
