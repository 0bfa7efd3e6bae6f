import { spawn } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { readArguments } from './arguments.ts'
import { cpuSeconds, processCpuSeconds, processTimes, startCpuMeter } from './cpu.ts'
import { fractionalSeconds, wholeSeconds } from './durations.ts'
import { EFFORTS } from './effort.ts'
import { faultOf } from './figures.ts'
import { carriedRate } from './metrics/udp.ts'
import { picture } from './picture.ts'
import { median, quantile } from './quantile.ts'
import {
  formatFigure,
  jsonLines,
  type Results,
  readJsonLines,
  readVersionLines,
  report,
  versionLines,
} from './report.ts'
import { highestRate } from './search.ts'
import { reached } from './targets.ts'

const SEARCH = { start: 1_000, step: 2, precision: 1.03, least: 10, most: 1_000_000 }
const RESULTS: Results = new Map([
  [
    'tcp_1_gbps',
    new Map([
      ['nsmesh-aes', [7, 9, 8]],
      ['wireguard-go', [0.5, 0.4, 0.6]],
    ]),
  ],
])

describe('highestRate', () => {
  test.each([3_333, 999, 100, 64_001, 12])('finds %i within its precision', async (limit) => {
    const found = await highestRate(async (rate) => (rate <= limit ? rate : 0), SEARCH)
    expect(found).toBeLessThanOrEqual(limit)
    expect(found * SEARCH.precision).toBeGreaterThanOrEqual(limit)
  })
  test('is 0 for a path that carries nothing', async () => {
    expect(await highestRate(async () => 0, SEARCH)).toBe(0)
  })
  test('looks past one bad rate', async () => {
    const carries = async (rate: number) => (rate === 4_000 || rate > 20_000 ? 0 : rate)
    expect(await highestRate(carries, SEARCH)).toBeGreaterThan(19_000)
  })
  test('gives a rate a second chance', async () => {
    const tried = new Set<number>()
    const carries = async (rate: number) => (tried.has(rate) ? Math.min(rate, 8_000) : tried.add(rate) && 0)
    expect(await highestRate(carries, SEARCH)).toBe(8_000)
  })
  test('ends when the sender cannot go faster', async () => {
    expect(await highestRate(async (rate) => Math.min(rate, 5_500), SEARCH)).toBe(5_500)
  })
})

describe('carriedRate', () => {
  const trial = { sent: 10_000, lost: 10, sendSeconds: 0.5, receiveSeconds: 0.5 }
  test('is what was sent a second when at most one in a thousand is lost', () => {
    expect(carriedRate(trial)).toBe(20_000)
    expect(carriedRate({ ...trial, lost: 11 })).toBe(0)
  })
  test('is 0 when a queue filled up and emptied late', () => {
    expect(carriedRate({ ...trial, receiveSeconds: 0.6 })).toBe(0)
  })
})

describe('report', () => {
  test('json lines give medians and rounds, and are read back', () => {
    const text = jsonLines(RESULTS)
    expect(text.split('\n').map((line) => JSON.parse(line))).toEqual([
      { metric: 'tcp_1_gbps', system: 'nsmesh-aes', median: 8, rounds: [7, 9, 8] },
      { metric: 'tcp_1_gbps', system: 'wireguard-go', median: 0.5, rounds: [0.5, 0.4, 0.6] },
    ])
    expect(readJsonLines(text)).toEqual(RESULTS)
  })
  test('json lines of versions stand beside those of figures', () => {
    const versions = new Map([['nebula', 'v1.10.3']])
    const text = `${jsonLines(RESULTS)}\n${versionLines(versions)}\n`
    expect(readVersionLines(text)).toEqual(versions)
    expect(readJsonLines(text)).toEqual(RESULTS)
  })
  test('shows ratios to wireguard-go and whether targets are met', () => {
    const text = report(RESULTS, [{ name: 'tcp_1_gbps', unit: 'Gb/s' }], ['nsmesh-aes', 'wireguard-go'])
    expect(text).toContain('8.0 (16.0x)')
    expect(text).toMatch(/met +tcp_1_gbps nsmesh-aes against wireguard-go: 16.0 times, target >= 3/)
  })
  test.each([
    [0.5, '0.50'],
    [8.04, '8.0'],
    [35.12, '35.1'],
    [3999.6, '4000'],
    [66_121, '66 k'],
    [2_345_678, '2.35 M'],
  ])('formats %d as %s', (value, text) => {
    expect(formatFigure(value)).toBe(text)
  })
})

describe('reached', () => {
  const target = { metric: 'tcp_1_gbps', system: 'nsmesh-aes', against: 'wireguard-go' }
  test.each([
    [{ least: 16 }, true],
    [{ least: 16.1 }, false],
    [{ most: 16 }, true],
    [{ most: 15.9 }, false],
  ])('a ratio of 16 against %o: %s', (bound, isMet) => {
    expect(reached(RESULTS, [{ ...target, bound }])).toEqual([{ target: { ...target, bound }, value: 16, isMet }])
  })
  test('says nothing of what was not measured', () => {
    expect(reached(RESULTS, [{ ...target, against: 'nebula', bound: { least: 1 } }])).toEqual([])
  })
})

test('median and quantile', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(median([])).toBeNaN()
  expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5)
})

test('CPU time leaves out what was idle, waited for disks, or stolen', () => {
  expect(cpuSeconds('cpu  100 20 300 9999 888 40 500 777 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n')).toBeCloseTo(9.6)
})

test('CPU time of a process is read whatever its name holds, and that of its ended children apart', () => {
  const stat = '7 (a) b (c) S 1 7 7 0 -1 4194560 900 100 0 0 150 50 30 20 20 0 1 0 9000 1000 100'
  expect(processTimes(stat)).toEqual({ isKernelThread: false, ownSeconds: 2, endedSeconds: 0.5 })
  expect(processTimes('2 (kthreadd) S 0 0 0 0 -1 2129984 0 0 0 0 3 4 0 0 20 0 1')).toMatchObject({
    isKernelThread: true,
  })
})

describe('a figure that cannot be true is a fault', () => {
  const cost = { name: 'cpu_s_per_gbit', unit: 's/Gb', most: 8 }
  test.each([
    [-0.3, 'it must be more than 0'],
    [0, 'it must be more than 0'],
    [Number.NaN, 'that is no number'],
    [Number.POSITIVE_INFINITY, 'that is no number'],
    [8.1, 'no more than 8 is possible'],
  ])('%d', (value, why) => {
    expect(faultOf(cost, value)).toBe(`cpu_s_per_gbit is ${value} s/Gb: ${why}`)
  })
  test('others are none', () => {
    expect([0.01, 8].map((value) => faultOf(cost, value))).toEqual([undefined, undefined])
  })
})

describe('durations', () => {
  test.each([0.8, 0, -1, 1.5, Number.NaN, 86_401])('iperf3 cannot be told %d s', (seconds) => {
    expect(() => wholeSeconds(seconds)).toThrow(RangeError)
  })
  test.each([0, -1, Number.NaN, 3_601])('a load tool cannot be told %d s', (seconds) => {
    expect(() => fractionalSeconds(seconds)).toThrow(RangeError)
  })
  test.each(Object.entries(EFFORTS))('all of the effort %s can be told', (_, { bulkSeconds, trialSeconds }) => {
    expect(wholeSeconds(bulkSeconds)).toBe(`${bulkSeconds}`)
    expect(Number(fractionalSeconds(trialSeconds / 2))).toBe(trialSeconds / 2)
  })
})

test('arguments name what there is instead of what there is not', () => {
  const known = { metrics: ['tcp_1_gbps'], systems: ['veth'] }
  expect(readArguments(['dataplane', '--quick', '--system', 'veth'], known)).toEqual({
    effort: 'quick',
    isJson: false,
    metrics: [],
    systems: ['veth'],
  })
  expect(readArguments(['--smoke'], known)).toMatchObject({ effort: 'smoke' })
  expect(readArguments([], known)).toMatchObject({ effort: 'whole' })
  expect(() => readArguments(['--metric', 'speed'], known)).toThrow('there is no metric speed; there are tcp_1_gbps')
  expect(() => readArguments(['disk'], known)).toThrow('there is no bench disk')
})

test('the picture has one bar a figure, as long as its share of the longest', () => {
  const svg = picture(RESULTS, [{ metric: 'tcp_1_gbps', title: 'TCP, Gb/s' }], ['nsmesh-aes', 'wireguard-go'])
  const widths = [...svg.matchAll(/<rect class="\w+" [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width))
  expect(widths).toHaveLength(2)
  expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeCloseTo(16, 0)
  expect(svg).toContain('16.0x')
})

test('the meter counts what our programs spend, and no more for those of others', async () => {
  const busy = spawn('sh', ['-c', 'while :; do :; done'])
  const pid = busy.pid ?? 0
  try {
    const [withIt, withoutIt] = [startCpuMeter((of) => of === pid), startCpuMeter(() => false)]
    const before = processCpuSeconds(pid)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const difference = withIt() - withoutIt()
    expect(Math.abs(difference - (processCpuSeconds(pid) - before))).toBeLessThan(0.1)
  } finally {
    busy.kill('SIGKILL')
  }
})
