import type { JobOptions, NewJob } from '../api/schema'

/** The form as typed; empty fields follow the server's settings. */
export interface CrawlForm {
  seeds: string
  delaySeconds: string
  pagesMax: string
  minutesMax: string
}
export const kEmptyForm: Readonly<CrawlForm> = { seeds: '', delaySeconds: '', pagesMax: '', minutesMax: '' }

function positive(text: string, scale = 1): number | null {
  const value = Number(text.trim().replace(',', '.'))
  return text.trim() !== '' && Number.isFinite(value) && value >= 0 ? Math.round(value * scale) : null
}

/** Null when there is no address to begin from. */
export function newJob(form: CrawlForm): NewJob | null {
  const seeds = [...new Set(form.seeds.split(/\s+/).filter(Boolean))]
  if (seeds.length === 0) return null
  const delay = positive(form.delaySeconds, 1000)
  const pages = positive(form.pagesMax)
  const seconds = positive(form.minutesMax, 60)
  const options: JobOptions = {
    ...(delay !== null && { delay_ms: delay }),
    ...(pages && { pages_per_host_max: pages }),
    ...(seconds && { seconds_max: seconds }),
  }
  return { seeds, ...(Object.keys(options).length > 0 && { options }) }
}
