#pragma once

#include <span>
#include <string_view>

#include "admin/http.h"

namespace bascule::admin {

/// A file of admin/dashboard/, which became part of the program when it was built.
struct DashboardFile {
  std::string_view name;  ///< Without folder.
  std::string_view content_type;
  std::string_view content;
};

/// In order of their names; with `index.html`.
[[nodiscard]] std::span<const DashboardFile> dashboard_files();

///   GET /                 the page
///   GET /dashboard/NAME   what it loads
///   GET /v1/access        who asks and as what: {name, role}
/// The files are public: they hold nothing, everything is asked for with the token of whoever
/// looks. A browser runs nothing that is not one of them, and asks nobody but this process.
void add_dashboard(Router& router);

}  // namespace bascule::admin
