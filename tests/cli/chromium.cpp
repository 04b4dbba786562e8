#include "cli/chromium.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdlib>

namespace cli_test {

Outcome chromium(const Folder& folder, const std::string& url, const Arguments& more) {
    static const bool kInstalled = std::system("command -v chromium >/dev/null 2>&1") == 0;  // NOLINT(cert-env33-c)
    if (!kInstalled) {
        SKIP("chromium is not installed");
    }
    const Folder profile;
    const Arguments arguments = Arguments{"-c",
                                          "exec timeout 120 chromium \"$@\"",
                                          "chromium",
                                          "--headless",
                                          "--no-sandbox",
                                          "--disable-gpu",
                                          "--hide-scrollbars",
                                          "--enable-logging=stderr",
                                          "--allow-file-access-from-files",
                                          "--user-data-dir=" + profile.path().string()} +
                                more + Arguments{"file://" + folder.file(url)};
    return Process(folder, "/bin/sh", arguments, {}).wait();
}

std::string dom(const Folder& folder, const std::string& url, const std::string& width) {
    const Outcome outcome = chromium(folder, url, {"--window-size=" + width + ",2000", "--dump-dom"});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    CHECK(outcome.err.find("CONSOLE") == std::string::npos);
    return outcome.out;
}

void check_fits(const Folder& folder, const std::vector<std::string>& urls, const std::vector<std::string>& widths) {
    // Each page in a frame of each width, and above it what that comes to.
    std::string frames = "<!DOCTYPE html><body>";
    std::string fitting;
    for (const std::string& width : widths) {
        for (const std::string& url : urls) {
            frames += "<p></p><iframe style=\"border:0;height:900px;width:";
            frames += width;
            frames += "px\" src=\"" + url +
                      "\" onload=\"const root = this.contentDocument.documentElement; "
                      "this.previousSibling.textContent = root.scrollWidth + ' of ' + root.clientWidth\"></iframe>";
            fitting += width;
            fitting += " of " + width + "\n";
        }
    }
    folder.write("frames.html", frames + "</body>");
    const std::string shown = dom(folder, "frames.html", "1600");
    std::string found;
    for (std::size_t at = shown.find("<p>"); at != std::string::npos; at = shown.find("<p>", at + 1)) {
        found += shown.substr(at + 3, shown.find("</p>", at) - at - 3) + "\n";
    }
    CHECK(found == fitting);
}

}  // namespace cli_test
