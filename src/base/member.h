// A pointer to a struct's member as a value, so that one function serves several members.
#pragma once

namespace byhand {

template <class Struct, class T>
using Member = T Struct::*;

}  // namespace byhand
