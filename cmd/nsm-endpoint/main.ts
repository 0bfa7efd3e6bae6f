#!/usr/bin/env -S node --max-semi-space-size=4
import { loadEndpoint, runProgram } from '../../pkg/daemon/index.ts'

await runProgram(await loadEndpoint())
