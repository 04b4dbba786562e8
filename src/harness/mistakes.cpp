#include "harness/mistakes.h"

#include <algorithm>
#include <iterator>

#include "harness/planting.h"

namespace byhand {

const std::vector<Mistake>& mistakes() {
    static const std::vector<Mistake> all = [] {
        std::vector<Mistake> list;
        for (auto part : {planting::norm_mistakes(), planting::softmax_mistakes(), planting::layer_mistakes(),
                          planting::update_mistakes(), planting::memory_mistakes(), planting::data_mistakes(),
                          planting::layer_data_mistakes()}) {
            std::ranges::move(part, std::back_inserter(list));
        }
        return list;
    }();
    return all;
}

const Mistake* find_mistake(const std::string& name) {
    const auto found = std::ranges::find(mistakes(), name, &Mistake::name);
    return found != mistakes().end() ? &*found : nullptr;
}

}  // namespace byhand
