// Which member of a struct, as a value: one function then serves several figures.
#pragma once

namespace byhand {

template <class Struct, class T>
using Member = T Struct::*;

}  // namespace byhand
