import type { DateRange, FacetValue } from '../api/schema'

/** A chosen value stays in the list, with 0, when nothing matches it any more; else one could not take it back there. */
export function withChosen(values: readonly FacetValue[], chosen: readonly string[]): FacetValue[] {
  const missing = chosen.filter((name) => !values.some(({ value }) => value === name))
  return [...values, ...missing.map((value) => ({ value, count: 0 }))]
}

/** Whether bounds of time are those of the range, or nearly so: they were chosen a while ago. */
function isNearly(range: DateRange, bounds: Pick<DateRange, 'since' | 'until'>, now: number): boolean {
  const isNear = (asked: string | null, own: string | null): boolean => {
    if (!asked || !own) return asked === own
    return Math.abs(Date.parse(asked) - Date.parse(own)) < (now - Date.parse(own)) * 0.05 + 60_000
  }
  return isNear(bounds.since, range.since) && isNear(bounds.until, range.until)
}
/** The range that was chosen; null where none was, or where the bounds are others. */
export function chosenRange(ranges: readonly DateRange[], bounds: Pick<DateRange, 'since' | 'until'>, now: number): DateRange['value'] | null {
  return ranges.find((range) => isNearly(range, bounds, now))?.value ?? null
}

/** The ends of a price range as the interface writes them, null where none is given; or what is wrong with what was typed. */
export function readPriceRange(min: string, max: string): { from: string | null; to: string | null } | { wrong: 'notAmount' | 'wrongWay' } {
  const from = readAmount(min)
  const to = readAmount(max)
  if ((min.trim() && from === null) || (max.trim() && to === null)) return { wrong: 'notAmount' }
  return from !== null && to !== null && Number(from) > Number(to) ? { wrong: 'wrongWay' } : { from, to }
}

/** "12,50" or " 12.5 " as the interface writes it; null for what is no amount. */
export function readAmount(text: string): string | null {
  const plain = text.trim().replace(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - 0x06f0)).replace(/[,٫]/, '.')
  return /^\d{1,15}(\.\d{1,4})?$/.test(plain) ? plain : null
}
