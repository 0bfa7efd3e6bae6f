#!/usr/bin/env -S node --max-semi-space-size=4
import { gateProgram, runProgram } from '../../pkg/daemon/index.ts'

await runProgram(gateProgram)
