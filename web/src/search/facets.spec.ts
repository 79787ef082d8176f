import { describe, expect, it } from 'vitest'
import { periodOf, periodStart, readAmount, withChosen } from './facets'

describe('withChosen', () => {
  it('keeps a chosen value that matches nothing any more', () => {
    expect(withChosen([{ value: 'a', count: 3 }], ['a', 'b'])).toEqual([{ value: 'a', count: 3 }, { value: 'b', count: 0 }])
  })
})

describe('readAmount', () => {
  it.each([['12.50', '12.50'], [' 12,5 ', '12.5'], ['۱۲٫۵', '12.5'], ['1000', '1000']])('reads %s', (text, amount) => expect(readAmount(text)).toBe(amount))
  it.each(['', 'abc', '-3', '1.2.3', '1e5', '12 34'])('refuses "%s"', (text) => expect(readAmount(text)).toBeNull())
})

describe('periods', () => {
  const now = Date.parse('2026-11-21T12:34:56Z')
  it('begin at a full minute', () => {
    expect(periodStart('hour', now)).toBe('2026-11-21T11:34:00Z')
    expect(periodStart('week', now)).toBe('2026-11-14T12:34:00Z')
  })
  it.each(['hour', 'day', 'week'] as const)('recognise their own beginning: %s', (period) => {
    expect(periodOf(periodStart(period, now), now)).toBe(period)
  })
  it('do not recognise another time', () => {
    expect(periodOf('2020-01-01T00:00:00Z', now)).toBeNull()
    expect(periodOf(null, now)).toBeNull()
  })
})
