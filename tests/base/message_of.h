// The message with which a call is refused.
#pragma once

#include <string>

#include "base/error.h"

namespace byhand::test {

// Of the InputError that it throws; "" if it returns.
template <class Call>
std::string message_of(const Call& call) {
    try {
        call();
    } catch (const InputError& error) {
        return error.what();
    }
    return "";
}

}  // namespace byhand::test
