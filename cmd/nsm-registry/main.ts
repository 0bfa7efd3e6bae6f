#!/usr/bin/env node
import { loadRegistry, runProgram } from '../../pkg/daemon/index.ts'

await runProgram(await loadRegistry())
