import type { FacetValue } from '../api/schema'

/** A chosen value stays in the list, with 0, when nothing matches it any more; else one could not take it back there. */
export function withChosen(values: readonly FacetValue[], chosen: readonly string[]): FacetValue[] {
  const missing = chosen.filter((name) => !values.some(({ value }) => value === name))
  return [...values, ...missing.map((value) => ({ value, count: 0 }))]
}

export type Period = 'hour' | 'day' | 'week'
const kPeriodMs: Record<Period, number> = { hour: 3_600_000, day: 86_400_000, week: 604_800_000 }

/** The beginning of a period that ends now, to the minute, so that equal choices make equal addresses. */
export function periodStart(period: Period, now: number): string {
  const minute = 60_000
  return new Date(Math.floor((now - kPeriodMs[period]) / minute) * minute).toISOString().replace('.000Z', 'Z')
}

/** The period such a time once was the beginning of, if it still nearly is. */
export function periodOf(since: string | null, now: number): Period | null {
  if (!since) return null
  const age = now - Date.parse(since)
  const near = (Object.keys(kPeriodMs) as Period[]).find((period) => Math.abs(age - kPeriodMs[period]) < kPeriodMs[period] * 0.05 + 60_000)
  return near ?? null
}

/** "12,50" or " 12.5 " as the interface writes it; null for what is no amount. */
export function readAmount(text: string): string | null {
  const plain = text.trim().replace(/[۰-۹]/g, (digit) => String(digit.charCodeAt(0) - 0x06f0)).replace(/[,٫]/, '.')
  return /^\d{1,15}(\.\d{1,4})?$/.test(plain) ? plain : null
}
