// A violation for layers_test.py.
#pragma once

#include "core/thing.h"
