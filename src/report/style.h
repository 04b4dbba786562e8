// The style sheet of every page, style.css, which the build puts into the program.
#pragma once

namespace byhand::report {

extern const char* const kStyle;

}  // namespace byhand::report
