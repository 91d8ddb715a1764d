// The style sheet of all pages, and the frame of one.
#pragma once
#include <string>
#include <string_view>

#include "report/markup.hpp"

namespace halfstep::internal::report {

// A whole HTML file that needs nothing from elsewhere.
std::string page(std::string_view title, const Markup& body, std::string_view foot);

}  // namespace halfstep::internal::report
