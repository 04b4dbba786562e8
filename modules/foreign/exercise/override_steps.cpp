#include <algorithm>
#include <map>
#include <variant>

#include "base/error.h"
#include "base/nearest.h"
#include "base/value.h"
#include "foreign/exercise/functions.h"
#include "foreign/kernel_function.h"

namespace byhand::exercise {
namespace {

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

// One call: the tensors that the function is given, made of the operands' memory.
template <class T>
class FunctionCall {
public:
    FunctionCall(const Binding& binding, const void* const* inputs) : norm_(binding.norm) {
        reads_.reserve(binding.reads.size());
        for (const TensorSpec& read : binding.reads) {
            const char* name = read.name.c_str();
            const void* data = *inputs++;
            if (is_index(read.name)) {
                reads_.emplace_back(Indices(name, extents_of(read.shape), static_cast<const std::int64_t*>(data)));
            } else {
                reads_.emplace_back(Tensor<const T>(name, extents_of(read.shape), static_cast<const T*>(data)));
            }
        }
    }

    void run(const ExternalFunction::Version& version, Tensor<T> out) {
        const auto norms = static_cast<std::size_t>(std::ranges::count(version.takes, Kind::norm));
        if (version.takes.size() - norms != reads_.size()) {
            throw Fault("takes " + std::to_string(version.takes.size() - norms) + " tensors, where its step reads " +
                        std::to_string(reads_.size()));
        }
        std::vector<void*> arguments;
        arguments.reserve(version.takes.size());
        for (const Kind kind : version.takes) {
            arguments.push_back(kind == Kind::norm ? &norm_ : next_tensor(kind));
        }
        version.call(version.function, &out, arguments.data());
    }

private:
    void* next_tensor(Kind kind) {
        Read& read = reads_[next_++];
        void* tensor = kind == Kind::indices ? static_cast<void*>(std::get_if<Indices>(&read))
                                             : static_cast<void*>(std::get_if<Tensor<const T>>(&read));
        if (tensor == nullptr) {
            throw Fault("takes another type as its " + std::to_string(next_) +
                        ". tensor: " + std::visit([](const auto& one) { return one.name(); }, read) + " comes there");
        }
        return tensor;
    }

    using Read = std::variant<Tensor<const T>, Indices>;
    std::vector<Read> reads_;
    std::size_t next_ = 0;
    Norm norm_;
};

template <class T>
KernelFunction on_type(const ExternalFunction& function, const Binding& binding, const CallWrapper& wrapper) {
    KernelFunction made{.type = dtype_for<T>};
    for (const TensorSpec& read : binding.reads) {
        made.inputs.push_back(is_index(read.name) ? DType::int64 : dtype_for<T>.value());
    }
    made.run = [version = function.in<T>(), label = function.label(), binding, wrapper](
                   void* const* results, const void* const* inputs, const std::size_t* /*sizes*/) {
        const auto call = [&] {
            const Extents extents = extents_of(binding.makes.shape);
            FunctionCall<T>(binding, inputs)
                .run(version, {binding.makes.name.c_str(), extents, static_cast<T*>(*results)});
        };
        if (wrapper) {
            wrapper(label, call);
        } else {
            call();
        }
    };
    return made;
}

// The function that computes `name`, or null.
const ExternalFunction* function_for(const std::string& name, const ExternalFunctions& functions) {
    const auto makes = [&](const ExternalFunction& function) { return function.makes == name; };
    const auto found = std::ranges::find_if(functions, makes);
    if (std::ranges::count_if(functions, makes) > 1) {
        throw InputError("two functions compute " + name + "; leave one of them out of byhand_steps");
    }
    return found == functions.end() ? nullptr : &*found;
}

}  // namespace

Kernel kernel_of(const ExternalFunction& function, const Binding& binding, const CallWrapper& wrapper) {
    Kernel kernel{.named = function.label(), .results = 1, .inputs = binding.reads.size()};
    if (function.in_float.call != nullptr) {
        kernel.functions.push_back(on_type<float>(function, binding, wrapper));
    }
    if (function.in_double.call != nullptr) {
        kernel.functions.push_back(on_type<double>(function, binding, wrapper));
    }
    return kernel;
}

std::vector<std::string> override_steps(Graph& network, const ExternalFunctions& functions,
                                        const CallWrapper& wrapper) {
    const std::map<std::string, Shape> shapes = shapes_of(network);
    std::vector<std::string> known, taken;
    for (StepList* list : {&network.forward, &network.backward, &network.update}) {
        for (Step& step : *list) {
            known.push_back(step.makes);
            const ExternalFunction* function = function_for(step.makes, functions);
            if (function == nullptr) {
                continue;
            }
            Binding binding{{step.makes, step.shape}, {}, norm_of(network, step)};
            KernelCall call{.results = {step.shape}, .reads = {}};
            for (const std::string& name : step.reads) {
                binding.reads.push_back({name, shapes.at(name)});
                call.reads.push_back(shapes.at(name));
            }
            const Kernel kernel = kernel_of(*function, binding, wrapper);
            for (const KernelFunction& one : kernel.functions) {
                set_function(step, kernel, one, call);
            }
            taken.push_back(step.makes);
        }
    }
    for (const ExternalFunction& function : functions) {
        if (std::ranges::find(known, function.makes) == known.end()) {
            throw InputError("a function makes " + function.makes + ", which is no step of this network" +
                             the_nearest(function.makes, known));
        }
    }
    return taken;
}

}  // namespace byhand::exercise
