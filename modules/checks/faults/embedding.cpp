// Mistakes in the embedding.
#include "checks/faults/planting.h"

namespace byhand::planting {

std::vector<Mistake> embedding_mistakes() {
    return {
        at("embedding_backward", "embedding-overwritten", "= for += in dC: only a character's last place counts",
           "pytorch 1528: https://github.com/pytorch/pytorch/issues/1528", makes([](const Element& x) {
               float last = 0;
               for (std::size_t place = 0; place < x.batch * x.config.context; ++place) {
                   const bool is_its = indices(x.reads, 1)[place] == static_cast<std::int64_t>(x.row());
                   last = is_its ? x.all(0)[place * x.columns + x.column()] : last;
               }
               return last;
           })),
        at("embedding_backward", "embedding-wrong-index", "dC's row by the place in the batch, not by the character",
           "near: eshkol 392: https://github.com/tsotchke/eshkol/pull/392", makes([](const Element& x) {
               float sum = 0;
               for (std::size_t i = x.i; i < x.batch * x.config.context * x.columns; i += x.elements) {
                   sum += x.all(0)[i];
               }
               return sum;
           })),
        at("embedding_backward", "embedding-padding-row", "row 0 taken for padding and left at zero",
           "TuckER 17: https://github.com/ibalazevic/TuckER/issues/17",
           is_zero_where([](const Element& x) { return x.row() == 0; })),
        at("embedding_backward", "embedding-last-rows-unwritten",
           "rows past the last whole block of four never written",
           "tt-metal 54561: https://github.com/tenstorrent/tt-metal/issues/54561",
           when([](const Setting& setting) { return setting.config.vocabulary % 4 != 0; },
                unwritten_where([](const Element& x) { return x.row() >= x.config.vocabulary / 4 * 4; }))),
        at("concatenate_backward", "flatten-gradient-permuted", "element e·T + t read where t·E + e belongs",
           "a common slip; no source found",
           when([](const Setting& setting) { return setting.operation.joined > 1 && setting.operation.width > 1; },
                makes([](const Element& x) {
                    const std::size_t T = x.operation.joined, E = x.operation.width, joined = T * E;
                    const std::size_t t = x.i % joined / E, e = x.i % E;
                    return x.all(0)[x.i / joined * joined + e * T + t];
                }))),
        at("concatenate_forward", "flatten-strided", "positions joined that lie apart instead of consecutive ones",
           "a common slip; no source found",
           when([](const Setting& setting) { return setting.operation.joined > 1 && setting.operation.positions > 1; },
                makes([](const Element& x) {
                    const std::size_t n = x.operation.joined, P = x.operation.positions, E = x.operation.width;
                    const std::size_t row = x.i / (n * E), b = row / P, p = row % P, k = x.i / E % n;
                    return x.all(0)[((b * n + k) * P + p) * E + x.i % E];
                }))),
    };
}

std::vector<Mistake> embedding_data_mistakes() {
    return {
        at("embedding_forward", "character-in-a-byte", "characters kept in a byte: character 256 becomes character 0",
           "near: HighPerfLLMs2024 7: https://github.com/rwitten/HighPerfLLMs2024/issues/7",
           indices_changed(1, [](std::int64_t x) { return x % 256; })),
        at("embedding_backward", "characters-modulo-26", "dC's row by the letter's place among 26, where there are 27",
           "a common slip; no source found", indices_changed(1, [](std::int64_t x) { return x % 26; })),
        at("embedding_backward", "last-character-left-out", "the last character's row of dC left at zero",
           "near: TuckER 17, a row taken for padding: https://github.com/ibalazevic/TuckER/issues/17",
           is_zero_where([](const Element& x) { return x.row() == x.config.vocabulary - 1; })),
        at("embedding_backward", "places-beyond-256", "places in the batch from the 257th on never added to dC",
           "near: pyg-lib 718, rows beyond the grid dropped: https://github.com/pyg-team/pyg-lib/pull/718",
           rows_left_out(0, [](std::size_t) -> std::size_t { return 256; })),
    };
}

}  // namespace byhand::planting
