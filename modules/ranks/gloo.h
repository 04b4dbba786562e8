// The entry of the module byhand_gloo.so.
#pragma once

#include <cstddef>

#include "base/group.h"
#include "ranks/world.h"

// As ranks/connect.h says. The caller owns the group.
extern "C" byhand::Group* byhand_gloo(const byhand::distributed::World& world, std::size_t timeout);
