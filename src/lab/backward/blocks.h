// The parts of the experiment `backward`.
#pragma once

#include <string>

#include "base/network.h"
#include "lab/backward/backward.h"
#include "lab/setting.h"
#include "report/document.h"

namespace byhand::lab {

// Each adds its text, tables, plots and data.
void tell_differences(Document& document, const BackwardOptions& options, const Setting& setting);
void tell_accuracy(Document& document, const BackwardOptions& options, const Setting& setting);
void tell_path(Document& document, const BackwardOptions& options, const Setting& setting);
void tell_speed(Document& document, const BackwardOptions& options, const Setting& setting);

inline constexpr Divisor kDivisors[] = {Divisor::n, Divisor::n_minus_1};

inline NormConfig norm_with(Divisor divisor, double epsilon) {
    NormConfig norm;
    norm.batch_divisor = divisor;
    norm.epsilon = epsilon;
    return norm;
}

inline const char* key_of(Divisor divisor) {
    return divisor == Divisor::n ? "n" : "n-1";
}
inline const char* words_of(Divisor divisor) {
    return divisor == Divisor::n ? "divisor n" : "divisor n − 1";
}

template <class T>
const char* type_name() {
    return sizeof(T) == sizeof(float) ? "float" : "double";
}

}  // namespace byhand::lab
