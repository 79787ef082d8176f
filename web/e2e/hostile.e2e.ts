import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { Image } from '../src/api/schema'
import { ask, cards, crawl, kBase, newPage, shown, useBrowser } from './support/browser'
import { startHostile } from './support/site'

useBrowser()

/** Whether a script of the crawled site ran in any frame; dialogs count. */
async function watched(): Promise<{ page: Page; ran: string[] }> {
  const page = await newPage()
  const ran: string[] = []
  await page.context().exposeFunction('pwned', () => { ran.push(page.url()) })
  page.on('dialog', (dialog) => {
    ran.push(dialog.message())
    void dialog.dismiss()
  })
  return { page, ran }
}

/** Points at everything that can be pointed at and focuses what takes the focus. */
async function provoke(page: Page): Promise<void> {
  await page.evaluate(() => {
    for (const element of document.querySelectorAll<HTMLElement>('main *')) {
      element.dispatchEvent(new MouseEvent('mouseover', { bubbles: true }))
      element.focus({ preventScroll: true })
    }
  })
}

describe('what a crawled site says', () => {
  it('runs on no page, and is no address that a script could hide in', { timeout: 180_000 }, async () => {
    const site = await startHostile()
    try {
      await crawl(site.url)
      const { hits } = await ask(`q=${site.word}&limit=50`)
      expect(hits.length).toBeGreaterThanOrEqual(7)
      const { page, ran } = await watched()
      const places = ['/', `/?q=${site.word}`, `/?shop=${encodeURIComponent(new URL(site.url).host)}`, ...hits.map((hit) => `/picture/${hit.image_id}`), '/crawl', '/shops', '/copies']
      for (const place of places) {
        await page.goto(place)
        await shown(page.getByRole('heading').first())
        await page.waitForTimeout(400) // for what comes behind the heading; pages with live events are never idle
        await provoke(page)
        const addresses = await page.locator('[href], [src]').evaluateAll((all) => all.map((one) => one.getAttribute('href') ?? one.getAttribute('src') ?? ''))
        expect(addresses.filter((address) => /^\s*(javascript|vbscript|data:text)/i.test(address)), place).toEqual([])
      }
      await page.goto(`/?q=${site.word}`)
      await cards(page).first().getByRole('button', { name: 'Why?' }).click({ force: true })
      await shown(page.getByRole('dialog'))
      expect(ran).toEqual([])
    } finally {
      await site.close()
    }
  })
  it('runs in no file of its own, either', { timeout: 120_000 }, async () => {
    const site = await startHostile()
    try {
      await crawl(site.url)
      const drawing = (await ask(`q=drawing+${site.word}&limit=1`)).hits[0]!
      const image = (await (await fetch(`${kBase}/api/v1/images/${drawing.image_id}`)).json()) as Image
      expect(image.format).toBe('svg')
      const original = await fetch(`${kBase}${image.variants.original}`)
      expect(original.headers.get('content-security-policy')).toContain('sandbox')
      const { page, ran } = await watched()
      // As a page of its own, which is worse than as a picture; beside the one whose complaints about refused scripts would fail the test.
      const alone = await page.context().newPage()
      await alone.goto(image.variants.original)
      expect(await alone.evaluate(() => document.documentElement.tagName)).toBe('svg')
      await alone.waitForTimeout(500)
      expect(ran).toEqual([])
    } finally {
      await site.close()
    }
  })
})
