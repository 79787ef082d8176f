import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { cards, eventually, goto, hitIds, kBase, results, shown, useBrowser } from './support/browser'

useBrowser()

const focused = (page: Page) => page.evaluate(() => document.activeElement?.getAttribute('href') ?? document.activeElement?.getAttribute('type') ?? document.activeElement?.id ?? '')

async function tabTo(page: Page, matches: (name: string) => boolean): Promise<void> {
  for (let step = 0; step < 150; step += 1) {
    await page.keyboard.press('Tab')
    if (matches(await focused(page))) return
  }
  throw new Error('not reached by the tab key')
}

describe('by keyboard alone', () => {
  it('searches, walks the grid, opens a picture and comes back', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    await page.keyboard.press('/')
    expect(await focused(page)).toBe('search')
    await page.keyboard.type('penguin')
    await page.keyboard.press('Enter')
    await shown(results(page).getByRole('img', { name: /penguin/i }).first())
    const ids = await hitIds(page)

    await tabTo(page, (name) => name === `/picture/${ids[0]}`)
    await page.keyboard.press('ArrowRight')
    await eventually(async () => expect(await focused(page)).toBe(`/picture/${ids[1]}`))
    await page.keyboard.press('ArrowLeft')
    await eventually(async () => expect(await focused(page)).toBe(`/picture/${ids[0]}`))
    await page.keyboard.press('End')
    await eventually(async () => expect(await focused(page)).toBe(`/picture/${ids.at(-1)}`))
    await page.keyboard.press('Home')
    await page.keyboard.press('Enter')
    await page.waitForURL(`${kBase}/picture/${ids[0]}`)
    await shown(page.getByRole('heading', { level: 1 }))
    await page.keyboard.press('Escape')
    await page.waitForURL(/q=penguin/)
    await shown(cards(page).first())
  })
  it('moves by rows', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    await results(page).getByRole('link').first().focus()
    const top = () => page.evaluate(() => document.activeElement?.getBoundingClientRect().top ?? 0)
    const before = await top()
    await page.keyboard.press('ArrowDown')
    await eventually(async () => expect(await top()).toBeGreaterThan(before + 50))
    await page.keyboard.press('ArrowUp')
    const ids = await hitIds(page)
    await eventually(async () => expect(await focused(page)).toBe(`/picture/${ids[0]}`))
  })
  it('asks for look-alikes of the picture it stands on', async () => {
    const page = await goto('/?q=horse')
    await shown(cards(page).first())
    await results(page).getByRole('link').first().focus()
    const ids = await hitIds(page)
    await page.keyboard.press('l')
    await page.waitForURL(`${kBase}/?like=${ids[0]}`)
  })
  it('skips to the results', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    await page.keyboard.press('Tab')
    expect(await page.evaluate(() => document.activeElement?.textContent?.trim())).toBe('Skip to the results')
    await page.keyboard.press('Enter')
    expect(await focused(page)).toBe('main')
  })
  it('is one stop in the grid, and shows where the focus is', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    expect(await results(page).locator('[tabindex="0"]').count()).toBe(1)
    await page.keyboard.press('/')
    await page.keyboard.press('Escape')
    await tabTo(page, (name) => name.startsWith('/picture/'))
    expect(await page.evaluate(() => getComputedStyle(document.activeElement as Element).outlineStyle)).toBe('solid')
  })
  it('does not take the slash away from a field', async () => {
    const page = await goto('/crawl')
    const field = page.getByLabel('Addresses to begin from, one a line')
    await field.focus()
    await page.keyboard.type('https://a.test/b')
    expect(await field.inputValue()).toBe('https://a.test/b')
  })
})
