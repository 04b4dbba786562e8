// JUnit's XML, read back and checked.
#pragma once

#include <string>

#include "harness/xml.h"

namespace byhand::test {

// The report, whose every suite is checked.
Element read_junit(const std::string& text);

const Element& case_of(const Element& suite, const std::string& classname, const std::string& name);

}  // namespace byhand::test
