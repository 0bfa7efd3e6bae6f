#!/usr/bin/env node
import { loadClient, runProgram } from '../../pkg/daemon/index.ts'

await runProgram(await loadClient())
