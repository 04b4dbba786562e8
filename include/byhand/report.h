// The result of a check.
#pragma once

#include <memory>
#include <string>

namespace byhand {

struct Document;

class Report {
public:
    explicit Report(Document document);

    // Whether everything that was checked is right, as far as rounding allows to tell, and something was.
    bool agrees() const;

    // The verdict, and for what is wrong the element, both values, the limit, and a hint at the cause.
    std::string text() const;
    // All figures: for programs, for CI systems, and as a page for a browser.
    std::string json() const;
    std::string junit() const;
    std::string html() const;

private:
    std::shared_ptr<const Document> document_;
};

}  // namespace byhand
