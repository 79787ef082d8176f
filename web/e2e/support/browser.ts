// One Chromium per file, one fresh context per test. A page error or a breach of the content security policy fails its test.
import { chromium, type Browser, type BrowserContextOptions, type Locator, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { Hit, Job, SearchAnswer } from '../../src/api/schema'

export const kBase = process.env['MAGPIE_URL'] ?? 'http://127.0.0.1:8080'
const kWaitMs = 30_000
const kFlags = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync',
]

let browser: Browser
const open: { page: Page; complaints: string[] }[] = []

export function useBrowser(): void {
  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: process.env['MAGPIE_CHROMIUM'] ?? '/usr/bin/chromium', args: kFlags })
  })
  afterEach(async () => {
    const finished = open.splice(0)
    await Promise.all(finished.map(({ page }) => page.context().close()))
    expect(finished.flatMap(({ complaints }) => complaints)).toEqual([])
  })
  afterAll(async () => {
    await browser.close()
  })
}

export const kPhone: BrowserContextOptions = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }

export async function newPage(options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ baseURL: kBase, locale: 'en-US', viewport: { width: 1280, height: 800 }, ...options })
  context.setDefaultTimeout(kWaitMs)
  const page = await context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy|\[Vue warn\]/.test(message.text())) complaints.push(message.text())
  })
  open.push({ page, complaints })
  return page
}

export async function goto(path: string, options?: BrowserContextOptions): Promise<Page> {
  const page = await newPage(options)
  await page.goto(path)
  return page
}

export const results = (page: Page): Locator => page.getByRole('list', { name: 'Results' })
export const cards = (page: Page): Locator => results(page).getByRole('listitem')
export const heading = (page: Page): Locator => page.getByRole('heading', { level: 1 })

export async function shown(locator: Locator): Promise<void> {
  await locator.waitFor({ state: 'visible' })
}

/** Asks again until it holds, for as long as a person would wait. */
export async function eventually(check: () => Promise<void>, within = kWaitMs): Promise<void> {
  const end = Date.now() + within
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (Date.now() > end) throw error
      await new Promise((done) => setTimeout(done, 100))
    }
  }
}

export async function hitIds(page: Page): Promise<number[]> {
  const links = await cards(page).getByRole('link').evaluateAll((all) => all.map((link) => link.getAttribute('href') ?? ''))
  return links.map((href) => Number(href.split('/').at(-1)))
}

/** The number of pictures that the heading states. */
export async function statedTotal(page: Page): Promise<number> {
  const text = (await heading(page).textContent()) ?? ''
  return /No pictures/.test(text) ? 0 : Number(/([\d,]+) pictures?/.exec(text)?.[1]?.replaceAll(',', '') ?? NaN)
}

export async function ask(query: string): Promise<SearchAnswer> {
  const response = await fetch(`${kBase}/api/v1/search?${query}`)
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}

export interface Picture {
  hit: Hit
  bytes: Buffer
  type: string
}
/** A picture of the collection with its original bytes. */
export async function pictureOf(query: string): Promise<Picture> {
  const hit = (await ask(`${query}&limit=1`)).hits[0]
  if (!hit) throw new Error(`the collection has nothing for ${query}`)
  const response = await fetch(`${kBase}/api/v1/images/${hit.image_id}/original`)
  expect(response.status).toBe(200)
  return { hit, bytes: Buffer.from(await response.arrayBuffer()), type: response.headers.get('content-type') ?? 'image/png' }
}

/** Crawls the site and waits until that has ended. */
export async function crawl(url: string): Promise<void> {
  const started = await fetch(`${kBase}/api/v1/jobs`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ seeds: [url], options: { delay_ms: 0 } }) })
  expect(started.status).toBe(201)
  const { job_id } = (await started.json()) as Job
  await eventually(async () => {
    const job = (await (await fetch(`${kBase}/api/v1/jobs/${job_id}`)).json()) as Job
    expect(job.state).toBe('finished')
  }, 80_000)
}

/** Cancels whatever crawl is under way, and waits until none is. */
export async function stopCrawls(): Promise<void> {
  await eventually(async () => {
    const { jobs } = (await (await fetch(`${kBase}/api/v1/jobs?limit=50`)).json()) as { jobs: Job[] }
    const underway = jobs.filter((job) => ['queued', 'running', 'cancelling'].includes(job.state))
    await Promise.all(underway.map((job) => fetch(`${kBase}/api/v1/jobs/${job.job_id}/cancel`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{}' })))
    expect(underway).toEqual([])
  }, 80_000)
}
