#!/usr/bin/env node
import { text } from 'node:stream/consumers'
import { systemClock } from '../../pkg/base/index.ts'
import { lazyMesh, runCli } from '../../pkg/cli/index.ts'
import { nsmctlConfig } from '../../pkg/config/index.ts'

const stop = new AbortController()
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort())
// When the reader of a pipe has left, as `head` does, that is not an error.
process.stdout.on('error', () => process.exit(0))

const terminal = {
  print: (line: string) => void process.stdout.write(`${line}\n`),
  read: () => text(process.stdin),
  signal: stop.signal,
  isColoured: process.stdout.isTTY === true,
}
const mesh = lazyMesh({ config: nsmctlConfig.read(), clock: systemClock, signal: stop.signal })
const printError = (line: string) => void process.stderr.write(`${line}\n`)
process.exitCode = await runCli(process.argv.slice(2), { mesh, terminal, clock: systemClock, printError })
