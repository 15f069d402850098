#pragma once

#include "stats/sqlite/json.h"

namespace bascule::ctl {

// The JSON of stats/sqlite/json.h and of the REST interface as text for people, on stdout.

void print_health(const stats::sqlite::Json& health);
void print_check(const stats::sqlite::Json& check);
void print_backup(const stats::sqlite::Json& backup);
void print_history(const stats::sqlite::Json& history);
void print_rebuild(const stats::sqlite::Json& rebuild);

}  // namespace bascule::ctl
