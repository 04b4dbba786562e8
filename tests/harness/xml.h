// XML read strictly, as far as reports use it: elements, attributes, text, entities. Throws where it is not
// well-formed.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace byhand::test {

struct Element {
    std::string name, text;  // its own text, without that of its children
    std::map<std::string, std::string> attributes;
    std::vector<Element> children;
};

class XmlReader {
public:
    static Element document(const std::string& text) {
        XmlReader reader(text);
        reader.take("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
        reader.skip_space();
        Element root = reader.element();
        reader.skip_space();
        reader.need(reader.left_.empty(), "text after the root");
        return root;
    }

private:
    explicit XmlReader(const std::string& text) : left_(text) {
        for (const char c : text) {
            const auto byte = static_cast<unsigned char>(c);
            need((byte >= 0x20 && byte != 0x7f) || c == '\n', "a control character");
        }
    }

    static void need(bool holds, const std::string& what) {
        if (!holds) {
            throw std::runtime_error("not well-formed: " + what);
        }
    }

    void take(std::string_view what) {
        need(left_.starts_with(what), "no " + std::string(what));
        left_.remove_prefix(what.size());
    }

    void skip_space() { left_.remove_prefix(std::min(left_.find_first_not_of(" \n"), left_.size())); }

    std::string name() {
        const std::size_t end = left_.find_first_of(" \n=/>");
        need(end != 0 && end != std::string_view::npos, "no name");
        std::string found(left_.substr(0, end));
        need(found.find_first_of("<&\"'") == std::string::npos, "a name like " + found);
        left_.remove_prefix(end);
        return found;
    }

    // Up to but without `end`.
    std::string characters(char end) {
        static const std::map<std::string, std::string> kEntities = {
            {"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&#10;", "\n"}};
        std::string text;
        while (true) {
            need(!left_.empty(), "an end too soon");
            if (left_.front() == end) {
                return text;
            }
            need(left_.front() != '<' && left_.front() != '>', "a bare < or >");
            if (left_.front() == '&') {
                const std::string entity(left_.substr(0, left_.find(';') + 1));
                need(kEntities.contains(entity), "the entity " + entity);
                text += kEntities.at(entity);
                left_.remove_prefix(entity.size());
            } else {
                text += left_.front();
                left_.remove_prefix(1);
            }
        }
    }

    Element element() {
        Element e;
        take("<");
        e.name = name();
        skip_space();
        while (!left_.starts_with("/>") && !left_.starts_with(">")) {
            const std::string key = name();
            take("=\"");
            need(e.attributes.emplace(key, characters('"')).second, key + " twice");
            take("\"");
            skip_space();
        }
        if (left_.starts_with("/>")) {
            take("/>");
            return e;
        }
        take(">");
        while (true) {
            e.text += characters('<');
            if (left_.starts_with("</")) {
                take("</" + e.name + ">");
                return e;
            }
            e.children.push_back(element());
        }
    }

    std::string_view left_;
};

}  // namespace byhand::test
