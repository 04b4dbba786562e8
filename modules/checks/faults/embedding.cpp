// Mistakes in the embedding.
#include <algorithm>

#include "checks/faults/planting.h"

namespace byhand::planting {

std::vector<Mistake> embedding_mistakes() {
    return {
        at("embedding_backward", "embedding-overwritten", "= for += in dC: only a character's last place counts",
           "pytorch 1528: https://github.com/pytorch/pytorch/issues/1528",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows * net.config.context, E = width(step), elements = count(step.shape)](
                                        float* out, Reads r) {
                   std::fill_n(out, elements, 0.0F);
                   for (std::size_t i = 0; i < n; ++i) {
                       std::copy_n(numbers(r, 0) + i * E, E, out + indices(r, 1)[i] * static_cast<std::int64_t>(E));
                   }
               });
           }),
        at("embedding_backward", "embedding-wrong-index", "dC's row by the place in the batch, not by the character",
           "near: eshkol 392: https://github.com/tsotchke/eshkol/pull/392",
           [](Network& net, Step& step) {
               return instead(step, [n = net.rows * net.config.context, E = width(step), V = net.config.vocabulary](
                                        float* out, Reads r) {
                   std::fill_n(out, V * E, 0.0F);
                   for (std::size_t i = 0; i < n * E; ++i) {
                       out[i / E % V * E + i % E] += numbers(r, 0)[i];
                   }
               });
           }),
        at("embedding_backward", "embedding-padding-row", "row 0 taken for padding and left at zero",
           "TuckER 17: https://github.com/ibalazevic/TuckER/issues/17",
           [](Network&, Step& step) {
               return makes_zero_where(step, [E = width(step)](std::size_t i) { return i < E; });
           }),
        at("embedding_backward", "embedding-last-rows-unwritten",
           "rows past the last whole block of four never written",
           "tt-metal 54561: https://github.com/tenstorrent/tt-metal/issues/54561",
           [](Network& net, Step& step) {
               const std::size_t V = net.config.vocabulary, E = width(step), whole = V / 4 * 4;
               return whole < V && unwritten_where(step, [=](std::size_t i) { return i / E >= whole; });
           }),
        at("concatenate_backward", "flatten-gradient-permuted", "element e·T + t read where t·E + e belongs",
           "a common slip; no source found",
           [](Network& net, Step& step) {
               const Operation one = operation_of(net, step);
               const std::size_t T = one.joined, E = one.width, joined = T * E;
               return T > 1 && E > 1 && elementwise(step, [=](std::size_t i, Reads r) {
                          const std::size_t t = i % joined / E, e = i % E;
                          return numbers(r, 0)[i / joined * joined + e * T + t];
                      });
           }),
        at("concatenate_forward", "flatten-strided", "positions joined that lie apart instead of consecutive ones",
           "a common slip; no source found",
           [](Network& net, Step& step) {
               const Operation one = operation_of(net, step);
               const std::size_t n = one.joined, P = one.positions, E = one.width;
               return n > 1 && P > 1 && elementwise(step, [=](std::size_t i, Reads r) {
                          const std::size_t row = i / (n * E), b = row / P, p = row % P, k = i / E % n;
                          return numbers(r, 0)[((b * n + k) * P + p) * E + i % E];
                      });
           }),
    };
}

std::vector<Mistake> embedding_data_mistakes() {
    return {
        at("embedding_forward", "character-in-a-byte", "characters kept in a byte: character 256 becomes character 0",
           "near: HighPerfLLMs2024 7: https://github.com/rwitten/HighPerfLLMs2024/issues/7",
           [](Network& net, Step& step) {
               return indices_changed(net, step, 1, [](std::int64_t x) { return x % 256; });
           }),
        at("embedding_backward", "characters-modulo-26", "dC's row by the letter's place among 26, where there are 27",
           "a common slip; no source found",
           [](Network& net, Step& step) {
               return indices_changed(net, step, 1, [](std::int64_t x) { return x % 26; });
           }),
        at("embedding_backward", "last-character-left-out", "the last character's row of dC left at zero",
           "near: TuckER 17, a row taken for padding: https://github.com/ibalazevic/TuckER/issues/17",
           [](Network& net, Step& step) {
               const std::size_t E = width(step), last = net.config.vocabulary - 1;
               return makes_zero_where(step, [=](std::size_t i) { return i / E == last; });
           }),
        at("embedding_backward", "places-beyond-256", "places in the batch from the 257th on never added to dC",
           "near: pyg-lib 718, rows beyond the grid dropped: https://github.com/pyg-team/pyg-lib/pull/718",
           [](Network& net, Step& step) { return rows_left_out(net, step, 0, 256); }),
    };
}

}  // namespace byhand::planting
