#include "checks/faults/mistakes.h"

#include <algorithm>
#include <iterator>

#include "checks/faults/planting.h"

namespace byhand {

const std::vector<Mistake>& mistakes() {
    using namespace planting;
    static const std::vector<Mistake> all = [] {
        std::vector<Mistake> list;
        for (auto part : {batchnorm_mistakes(),
                          cross_entropy_mistakes(),
                          embedding_mistakes(),
                          linear_mistakes(),
                          tanh_mistakes(),
                          activation_mistakes(),
                          row_norm_mistakes(),
                          residual_mistakes(),
                          dropout_mistakes(),
                          update_mistakes(),
                          optimizer_mistakes(),
                          memory_mistakes(),
                          cross_entropy_data_mistakes(),
                          embedding_data_mistakes(),
                          linear_data_mistakes(),
                          tanh_data_mistakes(),
                          activation_data_mistakes(),
                          row_norm_data_mistakes(),
                          residual_data_mistakes(),
                          dropout_data_mistakes(),
                          batchnorm_data_mistakes(),
                          update_data_mistakes(),
                          optimizer_data_mistakes(),
                          rank_mistakes()}) {
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
