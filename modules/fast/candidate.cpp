#include "fast/candidate.h"

#include "fast/models.h"
#include "fast/pieces.h"

namespace byhand {

Candidate fused_candidate(const Reference& reference) {
    const NetworkConfig& network = reference.network();
    const std::size_t rows = reference.rows();
    return {.model = "fused",
            .implementation = make_hand_model(HandForm::fused, network, rows, {.keep = Keep::all}),
            .steps = fused_pieces(network, rows),
            .isolation = {.right = fused_formulas(network, rows),
                          .leeway = Leeway::order,
                          .battery = reference.battery_of(HandForm::fused, fused_formulas),
                          .at_size = fused_pieces_on_all_targets,
                          .right_at_size = fused_formulas,
                          .mistakes = reference.mistakes},
            .reference_operations = reference.fused.get(),
            .chain = &reference.collapsed_chain};
}

}  // namespace byhand
