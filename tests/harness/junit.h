// JUnit's XML, read back and checked.
#pragma once

#include <string>
#include <string_view>

#include "harness/xml.h"

namespace byhand::test {

// The report, whose every suite is checked.
Element read_junit(const std::string& text);

const Element& case_of(const Element& suite, std::string_view classname, std::string_view name);

}  // namespace byhand::test
