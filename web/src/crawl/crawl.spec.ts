import { describe, expect, it } from 'vitest'
import type { Hit, Job, Progress } from '../api/schema'
import { siteName } from './names'
import { kEmptyForm, newJob } from './seeds'
import { withImage, withJob, withProgress } from './useCrawl'

describe('the form', () => {
  it('takes addresses one a line, each once', () => {
    expect(newJob({ ...kEmptyForm, seeds: ' https://a.test \n\nb.test\nhttps://a.test' })).toEqual({ seeds: ['https://a.test', 'b.test'] })
  })
  it('gives options in the units of the interface', () => {
    expect(newJob({ seeds: 'a.test', delaySeconds: '0,5', pagesMax: '100', minutesMax: '2' })?.options).toEqual({ delay_ms: 500, pages_per_host_max: 100, seconds_max: 120 })
  })
  it('takes no pause at its word and leaves out what is no number', () => {
    expect(newJob({ seeds: 'a.test', delaySeconds: '0', pagesMax: 'many', minutesMax: '-1' })?.options).toEqual({ delay_ms: 0 })
  })
  it('is nothing without an address', () => {
    expect(newJob({ ...kEmptyForm, seeds: ' \n ' })).toBeNull()
  })
})

describe('a crawl is named by its sites', () => {
  it.each([[['https://a.test/x', 'https://a.test/y'], 'a.test'], [['https://a.test', 'http://b.test:81'], 'a.test +1'], [['not an address'], 'not an address'], [[], '']])('%j', (seeds, name) => {
    expect(siteName(seeds)).toBe(name)
  })
})

const progress = (id: number, pages: number): Progress => ({
  job_id: id, state: 'running', pages_fetched: pages, images_fetched: 0, images_analysed: 0, products_found: 0, products_new: 0, queued: 0, failed: 0, bytes: 0, pages_per_second: 0, images_per_second: 0,
  seconds_left: null, failures: [], hosts: [], hosts_total: 0,
})
const job = (id: number): Job => ({ job_id: id, state: 'queued', seeds: [], options: {}, created_at: '', started_at: null, finished_at: null, message: null, progress: progress(id, 0) })

describe('events', () => {
  it('put a new job first and a known one in its place', () => {
    expect(withJob([job(1)], job(2)).map((one) => one.job_id)).toEqual([2, 1])
    expect(withJob([job(2), job(1)], { ...job(1), state: 'failed' }).map((one) => one.state)).toEqual(['queued', 'failed'])
  })
  it('bring progress and state to their own job', () => {
    expect(withProgress([job(2), job(1)], progress(1, 7)).map((one) => [one.state, one.progress.pages_fetched])).toEqual([['queued', 0], ['running', 7]])
  })
  it('keep the newest pictures, each once', () => {
    const hits = Array.from({ length: 40 }, (_, at) => ({ image_id: at }) as Hit)
    const newest = [...hits, hits[39] as Hit].reduce<Hit[]>((kept, one) => withImage(kept, one), [])
    expect(newest).toHaveLength(36)
    expect(newest[0]?.image_id).toBe(39)
  })
})
