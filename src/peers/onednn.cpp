// oneDNN's matmul. In the forward pass the weights are in a layout of its choice; in the backward pass they are in
// rows.
#include <dnnl.hpp>

#include "peers/peers.h"
#include "peers/rows.h"

namespace byhand::peers {
namespace {

using dnnl::memory;
using Tag = memory::format_tag;

struct Matmul {
    RowOperands rows;
    dnnl::engine engine{dnnl::engine::kind::cpu, 0};
    dnnl::stream stream{engine};
    memory a, b, bias, c, packed_b;
    dnnl::primitive product;

    explicit Matmul(const OperationInput& input) : rows(input) {
        const auto& [operation, n, in, out, has_bias, activation] = rows.shape;
        switch (operation) {
            case TimedOperation::linear_forward:
                prepare({n, in, out}, rows.x, Tag::ab, rows.W, Tag::ab, has_bias, Tag::any);
                break;
            case TimedOperation::linear_weight_backward:
                prepare({in, n, out}, rows.x, Tag::ba, rows.dy, Tag::ab, false, Tag::ab);
                break;
            default:
                prepare({n, out, in}, rows.dy, Tag::ab, rows.W, Tag::ba, false, Tag::ba);
        }
    }

    struct Sizes {
        std::size_t rows, depth, columns;
    };
    void prepare(const Sizes& sizes, AlignedVector<float>& a_values, Tag a_tag, AlignedVector<float>& b_values,
                 Tag b_tag, bool has_bias, Tag layout_of_b) {
        const auto rows_of_c = static_cast<memory::dim>(sizes.rows), depth = static_cast<memory::dim>(sizes.depth),
                   columns = static_cast<memory::dim>(sizes.columns);
        const auto type = memory::data_type::f32;
        const memory::desc a_desc({rows_of_c, depth}, type, a_tag), b_desc({depth, columns}, type, b_tag);
        const memory::desc c_desc({rows_of_c, columns}, type, Tag::ab), bias_desc({1, columns}, type, Tag::ab);
        const memory::desc b_wanted({depth, columns}, type, layout_of_b);
#if DNNL_VERSION_MAJOR >= 3
        const dnnl::matmul::primitive_desc all(engine, a_desc, b_wanted, has_bias ? bias_desc : memory::desc(), c_desc);
#else
        const dnnl::matmul::desc what = has_bias ? dnnl::matmul::desc(a_desc, b_wanted, bias_desc, c_desc)
                                                 : dnnl::matmul::desc(a_desc, b_wanted, c_desc);
        const dnnl::matmul::primitive_desc all(what, engine);
#endif
        a = memory(a_desc, engine, a_values.data());
        b = memory(b_desc, engine, b_values.data());
        c = memory(c_desc, engine, rows.result.data());
        packed_b = b;
        if (all.weights_desc() != b_desc) {
            packed_b = memory(all.weights_desc(), engine);
            dnnl::reorder(b, packed_b).execute(stream, b, packed_b);
        }
        if (has_bias) {
            bias = memory(bias_desc, engine, rows.bias.data());
        }
        product = dnnl::matmul(all);
    }

    void run() {
        std::unordered_map<int, memory> arguments = {
            {DNNL_ARG_SRC, a}, {DNNL_ARG_WEIGHTS, packed_b}, {DNNL_ARG_DST, c}};
        if (bias) {
            arguments.emplace(DNNL_ARG_BIAS, bias);
        }
        product.execute(stream, arguments);
        stream.wait();
    }
};

PreparedOperation matmul(const OperationInput& input) {
    const auto all = std::make_shared<Matmul>(input);
    return {[all] { all->run(); },
            [all] {
                all->run();
                return std::vector<float>(all->rows.result.begin(), all->rows.result.end());
            }};
}

}  // namespace
}  // namespace byhand::peers

extern "C" void byhand_peers(std::vector<byhand::peers::Peer>& all) {
    all.push_back({"oneDNN", byhand::peers::matmul, {}});
}
