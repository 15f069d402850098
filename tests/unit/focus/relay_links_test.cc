#include "focus/relay_links.h"
