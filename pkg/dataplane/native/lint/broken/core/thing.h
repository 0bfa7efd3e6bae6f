// Violations for layers_test.py.
#pragma once

#include <atomic>
#include <mutex>

#include "pipeline/stage.h"
#include "thing.h"
