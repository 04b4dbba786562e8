#include <cblas.h>

#include "peers/peers.h"
#include "peers/rows.h"

namespace byhand::peers {
namespace {

void product(RowOperands& o) {
    const auto n = static_cast<int>(o.shape.n), in = static_cast<int>(o.shape.in), out = static_cast<int>(o.shape.out);
    float* const c = o.result.data();
    switch (o.shape.operation) {
        case TimedOperation::linear_forward:
            if (o.shape.bias) {
                o.fill_with_bias();
            }
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, n, out, in, 1, o.x.data(), in, o.W.data(), out,
                        o.shape.bias ? 1 : 0, c, out);
            break;
        case TimedOperation::linear_weight_backward:
            cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, in, out, n, 1, o.x.data(), in, o.dy.data(), out, 0, c,
                        out);
            break;
        default:
            cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, in, out, 1, o.dy.data(), out, o.W.data(), out, 0, c,
                        in);
    }
}

}  // namespace
}  // namespace byhand::peers

extern "C" void byhand_peers(std::vector<byhand::peers::Peer>& all) {
    using namespace byhand::peers;
    all.push_back(
        {"OpenBLAS", [](const byhand::OperationInput& input) { return prepared_in_rows(input, product); }, {}});
}
