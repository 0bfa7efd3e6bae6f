// Violations for layers_test.py.
#pragma once

#include <string.h>
#include <sys/socket.h>

#include "core/thing.h"
#include "io/socket.h"
#include "core/absent.h"
