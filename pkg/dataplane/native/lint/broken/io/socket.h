// A violation for layers_test.py.
#pragma once

#include <sys/socket.h>

#include "core/thing.h"
#include "pipeline/stage.h"
#include "protocol/message.h"
#include "holder/keeper.h"
