#include "documents/page.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <utility>

#include "documents/compare.h"
#include "report/writers.h"

namespace byhand::test {
namespace {

// Of network V 4, T 3, E 2, H 5: what leads to the loss, and some of what leads back.
Graph network() {
    Graph network;
    const auto add = [](StepList& list, const std::string& makes, const std::vector<std::string>& reads) {
        Step& step = list.emplace_back();
        step.makes = makes;
        step.reads = reads;
        step.in_float.name = "function_of_" + makes;
    };
    add(network.forward, "emb", {"C", "X"});
    add(network.forward, "embcat", {"emb"});
    add(network.forward, "hpreact", {"embcat", "W1"});
    add(network.forward, "h", {"hpreact"});
    add(network.forward, "logits", {"h", "W2"});
    add(network.forward, "loss", {"logits", "Y"});
    add(network.backward, "dlogits", {"loss"});
    add(network.backward, "dh", {"dlogits", "W2"});
    add(network.backward, "dhpreact", {"dh", "h"});
    add(network.backward, "dW1", {"embcat", "dhpreact"});
    add(network.update, "new_W1", {"W1", "dW1"});
    return network;
}

}  // namespace

std::string html(std::vector<ComparedStep> steps, const Presentation& how, const std::set<Verdict>& allowed,
                 const Text& next) {
    const Graph graph = network();
    for (ComparedStep& step : steps) {
        for (ModelReport& model : step.models) {
            for (ValueReport& value : model.values) {
                if (const Step* made_by = find_step(graph, value.name)) {
                    value.function = made_by->in_float.name;
                    value.reads = made_by->reads;
                }
            }
        }
    }
    return to_html(compare_page(how, summary_of(steps, allowed), steps, graph, next));
}

Element read(const std::string& page) {
    REQUIRE(page.starts_with("<!DOCTYPE html>\n"));
    return XmlReader::document("<?xml version=\"1.0\" encoding=\"UTF-8\"?>" + page.substr(page.find('\n')));
}

void visit(const Element& element, const std::function<void(const Element&)>& see) {
    see(element);
    for (const Element& child : element.children) {
        visit(child, see);
    }
}

bool has_class(const Element& element, const std::string& name) {
    const auto found = element.attributes.find("class");
    return found != element.attributes.end() && (" " + found->second + " ").find(" " + name + " ") != std::string::npos;
}

Elements all(const Element& root, const std::string& name, const std::string& style) {
    Elements found;
    visit(root, [&](const Element& element) {
        if (element.name == name && (style.empty() || has_class(element, style))) {
            found.push_back(&element);
        }
    });
    return found;
}

std::string text_of(const Element& root) {
    std::string text;
    visit(root, [&](const Element& element) { text += element.name == "style" ? "" : element.text + " "; });
    return text;
}

std::set<std::string> classes(const Element& root, const std::vector<std::string>& names) {
    std::set<std::string> found;
    for (const std::string& name : names) {
        for (const Element* element : all(root, name)) {
            found.insert(element->attributes.at("class"));
        }
    }
    return found;
}

namespace {

template <class Predicate>
const Element& first_of(const Elements& elements, const std::string& what, Predicate is_it) {
    const auto found = std::ranges::find_if(elements, [&](const Element* element) { return is_it(*element); });
    INFO(what);
    REQUIRE(found != elements.end());
    return **found;
}

}  // namespace

const Element& row_of(const Element& page, std::string_view name) {
    return first_of(all(page, "tbody", "opens"), "row of " + std::string(name),
                    [&](const Element& body) { return body.children.at(0).children.at(0).text == name; });
}

const Element& table_of(const Element& part, std::string_view caption) {
    return first_of(all(part, "table"), "table " + std::string(caption), [&](const Element& table) {
        return text_of(table.children.at(0)).find(caption) != std::string::npos;
    });
}

const Element& box_of(const Element& page, std::string_view id) {
    return first_of(all(page, "a", "box"), "box of " + std::string(id),
                    [&](const Element& link) { return link.attributes.at("href") == "#" + std::string(id); });
}

ValueReport& add_drawn(ComparedStep& step, const std::string& name, double share) {
    Picture picture;
    picture.rows = 2;
    picture.columns = 3;
    picture.shares = {0.0F, 0.005F, 0.05F, 0.2F, 0.7F, static_cast<float>(share)};
    picture.bins[0] = 1;
    picture.bins[8] = 4;
    picture.bins[share > 1 ? 18 : 9] = 1;
    picture.worst = {{{5, 0.5, 0.125, 0.25}, share * 1e-6, share}, {{4, 1, 3, 2}, 7e-7, 0.7}};
    picture.torch_share = 0.3;
    ValueReport& value = add_finding(step, within(name, {2, 3}, share * 1e-6, 1e-6));
    value.picture = std::make_shared<const Picture>(picture);
    return value;
}

ComparedStep with_culprit() {
    ComparedStep step = step_of(3, {exact("C", {4, 2}), exact("W1", {6, 5}), within("h", {2, 3}, 1e-7, 1e-6)});
    for (const auto& [name, share] : std::vector<std::pair<std::string, double>>{
             {"dlogits", 0.25}, {"dh", 3e4}, {"dhpreact", 900}, {"dW1", 70}, {"new_W1", 8}}) {
        add_drawn(step, name, share);
    }
    Trial off = trial(1e4);
    off.hint = "twice the right answer";
    return with_isolated(std::move(step), {isolated("dlogits", trial(0.25), trial(0.5)), isolated("dh", off, off)},
                         {{"dhpreact", "dh"}, {"dW1", "dh"}, {"new_W1", "dh"}});
}

}  // namespace byhand::test
