#include "foreign/subprocess_model.h"

#include <cstring>
#include <utility>

namespace byhand {
namespace {

std::size_t bytes_of(const View& view) {
    return count(view.shape) * size_of(view.dtype);
}

// Calls visit(view, offset) for each view, aligned for all types of numbers; returns the total size.
template <class Visit>
std::size_t lay_out(std::vector<View>& views, Visit visit) {
    constexpr std::size_t kAlignment = 64;
    std::size_t offset = 0;
    for (View& view : views) {  // NOLINT(misc-const-correctness): some visitors write to it
        visit(view, offset);
        offset += (bytes_of(view) + kAlignment - 1) / kAlignment * kAlignment;
    }
    return offset;
}

}  // namespace

SubprocessModel::SubprocessModel(const std::function<std::unique_ptr<Model>(const Announce& announce)>& make,
                                 std::set<std::string> names, CallLimits limits)
    : journal_(std::make_shared<Journal*>(nullptr)),
      implementation_(make([journal = journal_](const std::string& label) {
          if (*journal != nullptr) {
              end_if_a_process_was_started(**journal);
              (*journal)->restart_clock();
              (*journal)->begin(0, label);
          }
      })),
      names_(std::move(names)),
      limits_(std::move(limits)) {}

void SubprocessModel::load(const Tensors<float>& state) {
    implementation_->load(state);
}

void SubprocessModel::run(const Batch& batch, float rate) {
    std::vector<View> table = views_of_names();
    const GuardedPages& values =
        values_.emplace(lay_out(table, [](const View&, std::size_t) {}), GuardedPages::Sharing::shared);
    const SubprocessEnd end = run_in_subprocess(limits_, [&](Journal& journal) {
        *journal_ = &journal;
        implementation_->run(batch, rate);
        end_if_a_process_was_started(journal);
        std::vector<View> views = views_of_names();
        lay_out(views, [&](const View& view, std::size_t offset) {
            std::memcpy(values.begin() + offset, view.data, bytes_of(view));
        });
    });
    if (!end.fault.empty()) {
        throw ExternalFault(end);
    }
}

std::vector<View> SubprocessModel::views_of_names() const {
    std::vector<View> views = implementation_->views();
    std::erase_if(views, [this](const View& view) { return !names_.contains(view.name); });
    return views;
}

std::vector<View> SubprocessModel::views() const {
    std::vector<View> views = views_of_names();
    if (values_) {
        lay_out(views, [&](View& view, std::size_t offset) { view.data = values_->begin() + offset; });
    }
    return views;
}

}  // namespace byhand
