import { useI18n } from 'vue-i18n'
import type { Price } from '../api/schema'

const kUnits: readonly [Intl.RelativeTimeFormatUnit, number][] = [['year', 31_536_000], ['month', 2_592_000], ['day', 86_400], ['hour', 3600], ['minute', 60], ['second', 1]]

/** Numbers, money and times as the chosen language writes them. */
export function useFormat() {
  const { locale } = useI18n()
  const number = (value: number, options?: Intl.NumberFormatOptions): string => new Intl.NumberFormat(locale.value, options).format(value)
  return {
    number,
    percent: (share: number): string => number(share, { style: 'percent', maximumFractionDigits: 0 }),
    compact: (value: number): string => number(value, { notation: 'compact', maximumFractionDigits: 1 }),
    rate: (value: number): string => number(value, { maximumFractionDigits: value < 10 ? 1 : 0 }),
    price({ amount, currency }: Price): string {
      const whole = !/\.\d*[1-9]/.test(amount)
      return number(Number(amount), { style: 'currency', currency, ...(whole && { minimumFractionDigits: 0 }) })
    },
    bytes(value: number): string {
      const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
      const step = Math.min(units.length - 1, value > 0 ? Math.floor(Math.log10(value) / 3) : 0)
      return number(value / 1000 ** step, { style: 'unit', unit: units[step] ?? 'byte', unitDisplay: 'short', maximumSignificantDigits: 3 })
    },
    dateTime: (time: string): string => new Intl.DateTimeFormat(locale.value, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(time)),
    ago(time: string): string {
      const seconds = (Date.parse(time) - Date.now()) / 1000
      const [unit, size] = kUnits.find(([, length]) => Math.abs(seconds) >= length) ?? ['second', 1]
      return new Intl.RelativeTimeFormat(locale.value, { numeric: 'auto' }).format(Math.round(seconds / size), unit)
    },
    duration(seconds: number): string {
      const [unit, size] = kUnits.slice(2).find(([, length]) => seconds >= length) ?? ['second', 1]
      return number(Math.ceil(seconds / size), { style: 'unit', unit, unitDisplay: 'long' })
    },
    /** A short time, as a film's length: "2.0 sec". */
    seconds: (value: number): string => number(value, { style: 'unit', unit: 'second', unitDisplay: 'short', minimumFractionDigits: 1, maximumFractionDigits: 1 }),
    list: (values: string[]): string => new Intl.ListFormat(locale.value, { type: 'unit' }).format(values),
    language(tag: string): string {
      try {
        return new Intl.DisplayNames([locale.value], { type: 'language' }).of(tag) ?? tag
      } catch {
        return tag
      }
    },
  }
}
