import { describe, expect, it } from 'vitest'
import type { DateRange } from '../api/schema'
import { chosenRange, readAmount, readPriceRange, withChosen } from './facets'

describe('withChosen', () => {
  it('keeps a chosen value that matches nothing any more', () => {
    expect(withChosen([{ value: 'a', count: 3 }], ['a', 'b'])).toEqual([{ value: 'a', count: 3 }, { value: 'b', count: 0 }])
  })
})

describe('readAmount', () => {
  it.each([['12.50', '12.50'], [' 12,5 ', '12.5'], ['۱۲٫۵', '12.5'], ['1000', '1000']])('reads %s', (text, amount) => expect(readAmount(text)).toBe(amount))
  it.each(['', 'abc', '-3', '1.2.3', '1e5', '12 34'])('refuses "%s"', (text) => expect(readAmount(text)).toBeNull())
})

describe('readPriceRange', () => {
  it('takes one end, both or none', () => {
    expect(readPriceRange('5', '12,50')).toEqual({ from: '5', to: '12.50' })
    expect(readPriceRange('', ' 7 ')).toEqual({ from: null, to: '7' })
    expect(readPriceRange('', '')).toEqual({ from: null, to: null })
    expect(readPriceRange('5', '5.00')).toEqual({ from: '5', to: '5.00' })
  })
  it('says what is wrong', () => {
    expect(readPriceRange('50', '5')).toEqual({ wrong: 'wrongWay' })
    expect(readPriceRange('cheap', '')).toEqual({ wrong: 'notAmount' })
    expect(readPriceRange('5', '-1')).toEqual({ wrong: 'notAmount' })
  })
})

describe('chosenRange', () => {
  const now = Date.parse('2026-11-21T12:34:56Z')
  const ranges: DateRange[] = [
    { value: 'day', count: 3, since: '2026-11-20T12:34:00Z', until: null },
    { value: 'year', count: 5, since: '2025-11-21T12:34:00Z', until: null },
    { value: 'older', count: 2, since: null, until: '2025-11-21T12:34:00Z' },
  ]
  it('knows the bounds of a range, also some time later', () => {
    expect(chosenRange(ranges, { since: '2026-11-20T12:34:00Z', until: null }, now)).toBe('day')
    expect(chosenRange(ranges, { since: '2026-11-20T12:04:00Z', until: null }, now)).toBe('day')
    expect(chosenRange(ranges, { since: null, until: '2025-11-19T12:34:00Z' }, now)).toBe('older')
  })
  it('knows no other bounds', () => {
    expect(chosenRange(ranges, { since: null, until: null }, now)).toBeNull()
    expect(chosenRange(ranges, { since: '2026-11-18T12:34:00Z', until: null }, now)).toBeNull()
    expect(chosenRange(ranges, { since: '2026-11-20T12:34:00Z', until: '2026-11-21T00:00:00Z' }, now)).toBeNull()
  })
})
