#include "report/run_page.hpp"

#include "report/run_sections.hpp"
#include "report/style.hpp"

namespace halfstep::internal::report {

std::string run_page(const RunReport& r) {
  const Markup body = head_of(r) + networks_of(r) + curves_of(r) + ledger_of(r) + quality_of(r) + columns_of(r) +
                      worst_of(r) + storage_of(r) + settings_of(r);
  return page("halfstep: " + r.data, body,
              "halfstep " + r.version + ". This page is complete in itself: it loads and runs nothing.");
}

}  // namespace halfstep::internal::report
