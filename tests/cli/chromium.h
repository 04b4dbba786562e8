// Pages as a browser shows them. Each of these skips the test where Chromium is not installed.
#pragma once

#include <string>
#include <vector>

#include "cli/program.h"

namespace cli_test {

// Chromium without a window, at the page of that name in the folder.
Outcome chromium(const Folder& folder, const std::string& url, const Arguments& more);

// The page as it stands after it was loaded, in a window of that width. Checks that the browser had nothing to say.
std::string dom(const Folder& folder, const std::string& url, const std::string& width);

// Checks that none of the pages is wider than its window, at each of these widths.
void check_fits(const Folder& folder, const std::vector<std::string>& urls, const std::vector<std::string>& widths);

}  // namespace cli_test
