import type { Page } from 'playwright-core'
import { afterEach, describe, expect, it } from 'vitest'
import { cards, eventually, goto, kPhone, newPage, shown, stopCrawls, useBrowser } from './support/browser'
import { startGallery } from './support/site'

useBrowser()
// One crawl runs at a time; one that a test left behind would make the next one wait.
afterEach(stopCrawls, 90_000)

async function start(page: Page, address: string, pauseSeconds: string): Promise<void> {
  await page.getByLabel('Addresses to begin from, one a line').fill(address)
  await page.getByText('Options').click()
  await page.getByLabel('Pause between requests, in seconds').fill(pauseSeconds)
  await page.getByRole('button', { name: 'Start the crawl' }).click()
}
const panel = (page: Page) => page.getByRole('region', { name: /^Crawl \d+$/ })
/** The number itself: while a crawl runs, its rate stands right behind it. */
const counter = async (page: Page, name: string): Promise<number> => {
  const dd = panel(page).locator('dl > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd')
  return Number((await dd.evaluate((node) => node.firstChild?.textContent ?? ''))?.replaceAll(',', '').trim() || NaN)
}

describe('a crawl', () => {
  it('is followed live, and its pictures can be found while it runs', { timeout: 120_000 }, async () => {
    const gallery = await startGallery({ size: 8, delayMs: 30 })
    try {
      const page = await goto('/crawl')
      await shown(page.getByText('Live', { exact: true }))
      await start(page, gallery.url, '0.1')
      await shown(panel(page).getByRole('heading', { name: new URL(gallery.url).host }))
      await shown(panel(page).getByText(/^(Running|Finished)$/))
      await eventually(async () => expect(await counter(page, 'Pages')).toBeGreaterThan(2), 30_000)
      await shown(page.getByRole('list', { name: 'Just found' }).getByRole('img', { name: new RegExp(gallery.word) }).first())
      await eventually(async () => expect(await counter(page, 'Findable')).toBeGreaterThan(0), 30_000)
      await shown(panel(page).getByRole('rowheader', { name: new URL(gallery.url).host }))

      await page.getByRole('searchbox').fill(gallery.word)
      await page.keyboard.press('Enter')
      await shown(cards(page).getByRole('img', { name: new RegExp(gallery.word) }).first())

      await page.goBack()
      await eventually(async () => expect(await panel(page).getByText('Finished', { exact: true }).count()).toBe(1), 40_000)
      await eventually(async () => expect(await counter(page, 'Pages')).toBe(9), 10_000)
      expect(await counter(page, 'Pictures')).toBe(8)
      expect(await counter(page, 'Findable')).toBe(8)
    } finally {
      await gallery.close()
    }
  })
  it('can be stopped', async () => {
    const gallery = await startGallery({ size: 200, delayMs: 250 })
    try {
      const page = await goto('/crawl')
      await start(page, gallery.url, '0.3')
      await shown(panel(page).getByText('Running', { exact: true }))
      await panel(page).getByRole('button', { name: 'Stop this crawl' }).click()
      await eventually(async () => expect(await panel(page).getByText('Stopped', { exact: true }).count()).toBe(1), 30_000)
      expect(await panel(page).getByRole('button', { name: 'Stop this crawl' }).count()).toBe(0)
    } finally {
      await gallery.close()
    }
  })
  it('needs an address', async () => {
    const page = await goto('/crawl')
    await page.getByRole('button', { name: 'Start the crawl' }).click()
    await shown(page.getByRole('alert').getByText('Give at least one address.'))
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('seeds')
  })
  it('of what is no web address is refused with the reason', async () => {
    const page = await goto('/crawl')
    await start(page, 'ftp://shop.example/', '1')
    await shown(page.getByRole('alert').getByText(/The crawl could not be started: .*ftp/))
  })
  it('says when the live connection is lost, and finds it again', async () => {
    const page = await newPage()
    await page.route('**/api/v1/events', (route) => route.abort())
    await page.goto('/crawl')
    await shown(page.getByText('Connection lost. Trying again…'))
    await page.unroute('**/api/v1/events')
    await shown(page.getByText('Live', { exact: true }))
  })
  it('shows what the collection holds, on a phone too', async () => {
    const page = await goto('/crawl', kPhone)
    await shown(page.getByRole('heading', { name: 'The whole collection' }))
  })
})
