import { expect, it } from 'vitest'
import { goalOf, isReached } from './goals.ts'

const measured = new Map([
  ['request_near_p50_ms_0_packed', 5],
  ['request_near_p50_ms_500_packed', 7],
  ['request_far_p50_ms_0_packed', 20],
])

it.each([
  ['request_near_p50_ms_0_packed', { bound: 'most', value: 8 }],
  ['request_near_p50_ms_500_packed', { bound: 'most', value: 6.5 }], // 1.3 times what it takes with none
  ['request_far_p50_ms_500_packed', { bound: 'most', value: 12 }],
  ['request_near_p50_ms_500_spread', { bound: 'most', value: 8 }],
  ['request_near_p99_ms_500_packed', { bound: 'most', value: 21 }],
  ['request_near_p99_ms_500_spread', undefined],
  ['request_far_per_s_0_spread', { bound: 'least', value: 100 }],
  ['opened_per_s_to_1000_packed', { bound: 'least', value: 200 }],
  ['nsmd_heap_kib_a_wire_1000_packed', { bound: 'most', value: 16 }],
  ['adoption_s_3000', { bound: 'most', value: 3 }],
  ['adoption_cpu_s_3000', undefined],
  ['find_16_p50_ms', { bound: 'most', value: 60 }],
  ['register_p50_ms', undefined],
])('the goal of %s', (figure, goal) => {
  expect(goalOf(figure, measured)).toEqual(goal)
})

it('a goal is reached at its bound', () => {
  expect(isReached({ bound: 'most', value: 8 }, 8)).toBe(true)
  expect(isReached({ bound: 'most', value: 8 }, 8.1)).toBe(false)
  expect(isReached({ bound: 'least', value: 200 }, 199)).toBe(false)
})
