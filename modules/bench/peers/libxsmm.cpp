// Kernels that LIBXSMM generates for the exact shape. It multiplies matrices stored by columns, so all arguments change
// places: yᵀ = Wᵀ·xᵀ. A transposed first operand has no kernel: for dy·Wᵀ, W is transposed by its own function first.
#include <libxsmm.h>

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "bench/peers/peers.h"
#include "bench/peers/rows.h"
#include "fast/panels.h"
#include "fast/simd/kernels.h"
#include "fast/simd/product.h"

namespace byhand::peers {
namespace {

using Kernel = libxsmm_smmfunction;

struct GemmShape {
    std::size_t rows = 0, columns = 0, depth = 0;  // c (rows, columns) = [c +] a (rows, depth)·b (depth, columns)
    std::size_t a_row = 0, b_row = 0, c_row = 0;   // from one row to the next
    bool a_transposed = false, onto = false;

    bool operator==(const GemmShape&) const = default;
};

Kernel kernel_of(const GemmShape& shape) {
    const auto whole = [](std::size_t number) { return static_cast<libxsmm_blasint>(number); };
    const libxsmm_blasint lda = whole(shape.b_row), ldb = whole(shape.a_row), ldc = whole(shape.c_row);
    const float alpha = 1, beta = shape.onto ? 1 : 0;
    const int flags = shape.a_transposed ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE;
    const int prefetch = LIBXSMM_PREFETCH_NONE;
    const Kernel kernel = libxsmm_smmdispatch(whole(shape.columns), whole(shape.rows), whole(shape.depth), &lda, &ldb,
                                              &ldc, &alpha, &beta, &flags, &prefetch);
    if (kernel == nullptr) {
        throw std::runtime_error("LIBXSMM has no kernel for a shape");
    }
    return kernel;
}

// to (columns, rows) = fromᵀ
void transpose(float* to, std::size_t to_row, const float* from, std::size_t from_row, std::size_t rows,
               std::size_t columns) {
    libxsmm_otrans(to, from, sizeof(float), static_cast<libxsmm_blasint>(columns), static_cast<libxsmm_blasint>(rows),
                   static_cast<libxsmm_blasint>(from_row), static_cast<libxsmm_blasint>(to_row));
}

PackedOperation in_rows(const TimedStep& step) {
    RowOperands operands(step);
    const auto& [result_is, n, in, out, x, W, bias, dy, result] = operands;
    const Kernel kernel = kernel_of(result_is == Result::y ? GemmShape{n, out, in, in, out, out, false, !bias.empty()}
                                    : result_is == Result::dW ? GemmShape{in, out, n, in, out, out, true}
                                                              : GemmShape{n, in, out, out, in, in});
    if (result_is == Result::y) {
        return packed_in_rows(std::move(operands), [kernel](RowOperands& o) {
            o.fill_with_bias();
            kernel(o.W.data(), o.x.data(), o.result.data());
        });
    }
    if (result_is == Result::dW) {
        return packed_in_rows(std::move(operands),
                              [kernel](RowOperands& o) { kernel(o.dy.data(), o.x.data(), o.result.data()); });
    }
    const auto transposed = std::make_shared<AlignedVector<float>>(in * out);
    return packed_in_rows(std::move(operands), [kernel, transposed](RowOperands& o) {
        transpose(transposed->data(), o.in, o.W.data(), o.out, o.in, o.out);
        kernel(transposed->data(), o.dy.data(), o.result.data());
    });
}

// A call of a kernel on parts of the operands.
struct TileCall {
    Kernel kernel;
    const float *a, *b;
    float* c;
};

// The same in byhand's layout: a call for each pair of panels.
struct PanelOperands {
    Result result_is;
    PanelMatrix x, W, dy, bias, result, transposed;
    std::vector<TileCall> calls;

    explicit PanelOperands(const RowOperands& from) : result_is(from.result_is) {
        const auto matrix = [](const AlignedVector<float>& values, std::size_t rows, std::size_t columns) {
            return values.empty() ? PanelMatrix() : PanelMatrix(values.data(), rows, columns);
        };
        x = matrix(from.x, from.n, from.in);
        W = matrix(from.W, from.in, from.out);
        dy = matrix(from.dy, from.n, from.out);
        bias = matrix(from.bias, 1, from.out);
        if (result_is == Result::y) {
            result = PanelMatrix(from.n, from.out);
            add_product(x, W, !from.bias.empty());
        } else if (result_is == Result::dW) {
            result = PanelMatrix(from.in, from.out);
            for (const Panel& p : result.panels) {
                for (const Panel& q : x.panels) {
                    calls.push_back({kernel_of({q.used, p.width, from.n, q.width, p.width, p.width, true}), x.in(q),
                                     dy.in(p), result.in(p) + q.from * p.width});
                }
            }
        } else {
            result = PanelMatrix(from.n, from.in);
            transposed = PanelMatrix(from.out, from.in);
            add_product(dy, transposed, false);
        }
    }

    // result = [result +] a·b
    void add_product(PanelMatrix& a, PanelMatrix& b, bool onto) {
        for (const Panel& p : result.panels) {
            for (const Panel& k : a.panels) {
                calls.push_back(
                    {kernel_of({a.rows, p.width, k.used, k.width, p.width, p.width, false, onto || k.from > 0}),
                     a.in(k), b.in(p) + k.from * p.width, result.in(p)});
            }
        }
    }

    void run() {
        if (bias.rows > 0) {
            for (const Panel& p : result.panels) {
                for (std::size_t i = 0; i < result.rows; ++i) {
                    std::copy_n(bias.in(p), p.width, result.in(p) + i * p.width);
                }
            }
        } else if (result_is == Result::dx) {
            for (const Panel& q : transposed.panels) {
                for (const Panel& p : W.panels) {
                    transpose(transposed.in(q) + p.from * q.width, q.width, W.in(p) + q.from * p.width, p.width, q.used,
                              p.used);
                }
            }
        }
        for (const TileCall& call : calls) {
            call.kernel(call.b, call.a, call.c);
        }
    }
};

PackedOperation on_panels(const TimedStep& step) {
    const auto operands = std::make_shared<PanelOperands>(RowOperands(step));
    return {[operands] { operands->run(); }, [operands](float* to) { operands->result.copy_to(to); }};
}

// The kernels of a step by their shape: each is generated once.
class XsmmProducts final : public simd::Products {
public:
    void linear_forward(float* y, const Panels& x, const float* W, const float* b, const RowRange& rows,
                        const Panel& p) const override {
        const std::size_t n = rows.last - rows.first;
        if (b != nullptr) {
            for (std::size_t i = 0; i < n; ++i) {
                std::copy_n(b, p.width, y + i * p.stride());
            }
        }
        for (bool onto = b != nullptr; const Panel& k : x.panels) {
            kernel({n, p.width, k.used, k.stride(), p.width, p.stride(), false, onto})(
                W + k.from * p.width, in_panel(x.data, x.rows, k) + rows.first * k.stride(), y);
            onto = true;
        }
    }

    void linear_input_backward(float* dx, const Panels& dy, const Panels& W, float* scratch, const RowRange& rows,
                               const Panel& q) const override {
        for (const Panel& p : W.panels) {
            transpose(scratch + p.from * q.width, q.width, in_panel(W.data, W.rows, p) + q.from * p.width, p.width,
                      q.used, p.width);
        }
        linear_forward(dx + rows.first * q.stride(), dy, scratch, nullptr, rows, q);
    }

    void linear_weight_backward(float* dW, const float* x, const Panel& q, const float* dy, const Panel& p,
                                std::size_t n) const override {
        kernel({q.used, p.width, n, q.stride(), p.width, p.width, true, false})(dy, x, dW);
    }

    void linear_descend(const simd::Descent& to, float* dW, bool, const float* x, const Panel& q, const float* dy,
                        const Panel& p, std::size_t n) const override {
        linear_weight_backward(dW, x, q, dy, p, n);
        simd::descend(to.new_W, to.W, dW, to.rate, q.used * p.width);
    }

private:
    Kernel kernel(const GemmShape& shape) const {
        // Odd factors, so that the sizes of a network rarely meet.
        std::size_t place =
            shape.rows * 7 + shape.columns * 31 + shape.depth * 131 + shape.a_row * 3 + (shape.onto ? 1 : 0);
        while (!(kernels_[place %= kernels_.size()].first == shape)) {
            if (kernels_[place].second == nullptr) {
                kernels_[place] = {shape, kernel_of(shape)};
                break;
            }
            ++place;
        }
        return kernels_[place].second;
    }

    // Far more places than a network has shapes.
    mutable std::array<std::pair<GemmShape, Kernel>, 4096> kernels_{};
};

}  // namespace
}  // namespace byhand::peers

extern "C" void byhand_peers(std::vector<byhand::peers::Peer>& all) {
    libxsmm_init();
    using namespace byhand;
    all.push_back({"panels", peers::on_panels, {}});
    all.push_back({"LIBXSMM", peers::in_rows, std::make_shared<peers::XsmmProducts>()});
}
