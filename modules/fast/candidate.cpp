#include "fast/candidate.h"

#include <utility>

#include "fast/models.h"
#include "fast/pieces.h"

namespace byhand {

std::unique_ptr<StepCandidate> fused_candidate(const Reference& reference) {
    const NetworkConfig& network = reference.network();
    const std::size_t rows = reference.rows();
    Isolation isolation = reference.isolation(HandForm::fused, fused_formulas);
    isolation.leeway = Leeway::order;
    isolation.judged_at_size = fused_pieces_on_all_targets;
    return std::make_unique<StepCandidate>(
        "fused", make_hand_model(HandForm::fused, network, rows, {.keep = Keep::all}), fused_pieces(network, rows),
        &reference.collapsed_chain, std::move(isolation));
}

}  // namespace byhand
