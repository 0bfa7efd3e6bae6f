#!/usr/bin/env node
import { loadNode, runProgram } from '../../pkg/daemon/index.ts'

await runProgram(await loadNode())
