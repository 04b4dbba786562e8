#include <Eigen/Core>

#include "bench/peers/peers.h"
#include "bench/peers/rows.h"

namespace byhand::peers {
namespace {

using Matrix = Eigen::Map<Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Aligned64>;
using Row = Eigen::Map<Eigen::Matrix<float, 1, Eigen::Dynamic>, Eigen::Aligned64>;

void product(RowOperands& o) {
    const auto n = static_cast<Eigen::Index>(o.n), in = static_cast<Eigen::Index>(o.in),
               out = static_cast<Eigen::Index>(o.out);
    const Matrix x(o.x.data(), n, in), W(o.W.data(), in, out), dy(o.dy.data(), n, out);
    if (o.result_is == Result::y) {
        Matrix y(o.result.data(), n, out);
        y.noalias() = x * W;
        if (!o.bias.empty()) {
            y.rowwise() += Row(o.bias.data(), out);
        }
    } else if (o.result_is == Result::dW) {
        Matrix(o.result.data(), in, out).noalias() = x.transpose() * dy;
    } else {
        Matrix(o.result.data(), n, in).noalias() = dy * W.transpose();
    }
}

}  // namespace
}  // namespace byhand::peers

extern "C" void byhand_peers(std::vector<byhand::peers::Peer>& all) {
    using namespace byhand::peers;
    all.push_back(
        {"Eigen", [](const byhand::TimedStep& step) { return packed_in_rows(RowOperands(step), product); }, {}});
}
