import type { NewPreview, NewShop, Shop, ShopSchedule } from '../api/schema'

/** The form as typed; empty fields follow the server's settings. */
export interface ShopForm {
  address: string
  profile: string
  schedule: ScheduleChoice
  delaySeconds: string
  pagesMax: string
}
export const kSchedules = ['once', '6h', '12h', '1d', '7d'] as const
export type ScheduleChoice = (typeof kSchedules)[number]
export const kEmptyForm: Readonly<ShopForm> = { address: '', profile: 'any', schedule: '1d', delaySeconds: '', pagesMax: '' }

export const scheduleOf = (choice: ScheduleChoice): ShopSchedule | null => (choice === 'once' ? null : { every: choice })
/** Null for a schedule of another kind, which only the shop's file has. */
export function choiceOf(schedule: ShopSchedule | null): ScheduleChoice | null {
  if (!schedule) return 'once'
  return kSchedules.find((choice) => choice === schedule.every) ?? null
}

function decimal(text: string): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() !== '' && Number.isFinite(value) && value >= 0 ? value : null
}

/** Null when there is no address. */
export function newShop(form: ShopForm): NewShop | null {
  const address = form.address.trim()
  if (address === '') return null
  const delay = decimal(form.delaySeconds)
  const pages = decimal(form.pagesMax)
  return {
    address, profile: form.profile, schedule: scheduleOf(form.schedule),
    ...(delay !== null && { delay: `${Math.round(delay * 1000)}ms` }),
    ...(pages && { max_pages: Math.round(pages) }),
  }
}

export const kProductsShown = 10
/** What of a shop a preview needs to know. */
export function previewOf(shop: NewShop): NewPreview {
  const { address, profile, delay } = shop
  return { address, count: kProductsShown, ...(profile && { profile }), ...(delay && { delay }) }
}

export const hostOf = (address: string): string => {
  try {
    return new URL(address).host
  } catch {
    return address
  }
}

export const isCrawled = (shop: Shop): boolean => !!shop.job && ['queued', 'running', 'cancelling'].includes(shop.job.state)
