#include "lab/claims/shifted_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

#include "base/utf8.h"
#include "train/losses.h"

namespace byhand::lab {
namespace {

using Names = std::vector<std::u32string>;

std::size_t key_of(const std::u32string& name, Kind kind) {
    return kind == Kind::initial ? static_cast<std::size_t>(name.front()) : name.size();
}

std::size_t middle_of(const Names& names, Kind kind) {
    std::vector<std::size_t> keys(names.size());
    std::ranges::transform(names, keys.begin(), [&](const std::u32string& name) { return key_of(name, kind); });
    const auto middle = keys.begin() + static_cast<std::ptrdiff_t>(keys.size() / 2);
    std::ranges::nth_element(keys, middle);
    return *middle;
}

std::string words_of(Kind kind, std::size_t middle, bool first) {
    if (kind == Kind::length) {
        return fmt::format("{} {} characters", first ? "up to" : "more than", middle);
    }
    const std::string letter = printable(to_utf8(std::u32string(1, static_cast<char32_t>(middle))));
    return fmt::format("{} {}", first ? "initials up to" : "initials after", letter);
}

}  // namespace

ShiftedNames shifted_names(const Split& names, const Vocabulary& vocabulary, std::size_t context, Kind kind) {
    const std::size_t middle = middle_of(names.train, kind);
    const auto is_first = [&](const std::u32string& name) { return key_of(name, kind) <= middle; };
    Names train, own, other;
    std::ranges::copy_if(names.train, std::back_inserter(train), is_first);
    for (const Names* part : {&names.val, &names.test}) {
        std::ranges::partition_copy(*part, std::back_inserter(own), std::back_inserter(other), is_first);
    }
    return {examples_of(train, vocabulary, context), examples_of(own, vocabulary, context),
            examples_of(other, vocabulary, context), words_of(kind, middle, true), words_of(kind, middle, false)};
}

ShiftLosses shift_losses(Model& model, const ShiftedNames& names, std::size_t vocabulary) {
    return {mean_loss(model, names.own, vocabulary), mean_loss(model, names.other, vocabulary),
            loss_by_figures_of(model, names.other, names.other, vocabulary)};
}

double loss_by_figures_of(Model& model, const Examples& figures, const Examples& tested, std::size_t vocabulary) {
    if (figures.size() < 2 || tested.size() < 2) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    const Tensors<float> state = model.save();
    model.calibrate(figures.X);
    const double loss = mean_loss(model, tested, vocabulary);
    model.load(state);
    return loss;
}

}  // namespace byhand::lab
