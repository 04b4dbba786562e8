// The style sheet of every page, style.css, which the build embeds in the program.
#pragma once

namespace byhand::report {

extern const char* const kStyle;

}  // namespace byhand::report
