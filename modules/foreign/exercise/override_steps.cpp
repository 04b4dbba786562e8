#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/nearest.h"
#include "base/tensors.h"
#include "foreign/exercise/functions.h"

namespace byhand::exercise {
namespace {

struct Named {
    std::string name;
    Shape shape;
};

// The conventions of the norm that the step belongs to.
Norm norm_of(const Graph& network, const Step& step) {
    const Operation operation = operation_of(network, step);
    const NormConfig& norm = operation.norm;
    if (operation.op != op::kBatchnorm) {
        return {
            .epsilon = norm.epsilon, .divisor = static_cast<double>(operation.layer.outputs), .epsilon_inside = true};
    }
    const std::size_t n = network.rows * operation.positions;
    return {.epsilon = norm.epsilon,
            .divisor = static_cast<double>(norm.batch_divisor == Divisor::n ? n : n - 1),
            .epsilon_inside = norm.epsilon_place == EpsilonPlace::inside};
}

template <class T>
Read<T> read(const Named& what, const Operand<T>& operand) {
    if (const auto* indices = std::get_if<const std::int64_t*>(&operand)) {
        return Indices(what.name.c_str(), extents_of(what.shape), *indices);
    }
    return Tensor<const T>(what.name.c_str(), extents_of(what.shape), std::get<const T*>(operand));
}

// The step's function.
template <class T>
auto bound(const Function<T>& function, const Named& makes, const std::vector<Named>& reads, const Norm& norm) {
    return [=](T* out, Reads<T> operands) {
        if (function.reads != operands.size()) {
            throw Fault("takes " + std::to_string(function.reads) + " tensors, where its step reads " +
                        std::to_string(operands.size()));
        }
        std::vector<Read<T>> tensors;
        tensors.reserve(operands.size());
        for (std::size_t i = 0; i < operands.size(); ++i) {
            tensors.push_back(read<T>(reads[i], operands[i]));
        }
        function.run(Tensor<T>(makes.name.c_str(), extents_of(makes.shape), out), tensors, norm);
    };
}

// The function that computes `name`, or null.
template <class T>
const Function<T>* function_for(const std::string& name, const std::vector<Function<T>>& functions) {
    const Function<T>* found = nullptr;
    for (const Function<T>& function : functions) {
        if (function.makes == name) {
            if (found != nullptr) {
                throw InputError("two functions compute " + name + "; leave one of them out of byhand_steps");
            }
            found = &function;
        }
    }
    return found;
}

}  // namespace

template <class T>
std::vector<std::string> override_steps(Graph& network, const std::vector<Function<T>>& functions) {
    const std::map<std::string, Shape> shapes = shapes_of(network);
    std::vector<std::string> known, taken;
    for (StepList* list : {&network.forward, &network.backward, &network.update}) {
        for (Step& step : *list) {
            known.push_back(step.makes);
            const Function<T>* function = function_for(step.makes, functions);
            if (function == nullptr) {
                continue;
            }
            std::vector<Named> reads;
            reads.reserve(step.reads.size());
            for (const std::string& name : step.reads) {
                reads.push_back({name, shapes.at(name)});
            }
            step.in<T>() = {function->label(),
                            bound(*function, Named{step.makes, step.shape}, reads, norm_of(network, step))};
            taken.push_back(step.makes);
        }
    }
    for (const Function<T>& function : functions) {
        if (std::ranges::find(known, function.makes) == known.end()) {
            throw InputError("a function makes " + function.makes + ", which is no step of this network" +
                             the_nearest(function.makes, known));
        }
    }
    return taken;
}

template std::vector<std::string> override_steps(Graph&, const std::vector<Function<float>>&);
template std::vector<std::string> override_steps(Graph&, const std::vector<Function<double>>&);

}  // namespace byhand::exercise
