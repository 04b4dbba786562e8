#include "byhand/report.h"

#include "report/document.h"
#include "report/writers.h"

namespace byhand {

Report::Report(Document document) : document_(std::make_shared<const Document>(std::move(document))) {}

bool Report::agrees() const {
    return document_->agrees;
}

std::string Report::text() const {
    std::string text;
    for (const Block& block : document_->blocks) {
        if (const auto* words = std::get_if<Text>(&block)) {
            text += words->lead + words->words + "\n";
        }
    }
    return text;
}

std::string Report::json() const {
    return readable_text(document_->data) + "\n";
}

std::string Report::junit() const {
    return report::junit(document_->suites);
}

std::string Report::html() const {
    return to_html(*document_);
}

}  // namespace byhand
