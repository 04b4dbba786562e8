// The entry of the module byhand_gloo.so.
#pragma once

#include <cstddef>

#include "base/group.h"
#include "distributed/world.h"

// As distributed/connect.h says. The caller owns the group.
extern "C" byhand::Group* byhand_gloo(const byhand::distributed::World& world, std::size_t timeout);
