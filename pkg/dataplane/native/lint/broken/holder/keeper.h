// A violation for layers_test.py.
#pragma once

#include "protocol/message.h"
#include "io/socket.h"
