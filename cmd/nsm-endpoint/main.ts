#!/usr/bin/env node
import { loadEndpoint, runProgram } from '../../pkg/daemon/index.ts'

await runProgram(await loadEndpoint())
