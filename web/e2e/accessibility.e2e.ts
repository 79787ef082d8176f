import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { ask, cards, goto, kPhone, shown, useBrowser } from './support/browser'

useBrowser()

interface Finding {
  rule: string
  impact: string
  where: string[]
}
/** What axe finds against WCAG 2.2 A and AA, serious and critical. */
async function findings(page: Page): Promise<Finding[]> {
  await page.waitForTimeout(600) // fades are over: a half-faded text has no contrast
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const run = (window as unknown as { axe: typeof import('axe-core') }).axe.run
    const { violations } = await run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .map(({ id, impact, nodes }) => ({ rule: id, impact: impact ?? '', where: nodes.map(({ html }) => html.slice(0, 160)) }))
  })
}

describe.each([
  ['desktop, light', {}],
  ['desktop, dark', { colorScheme: 'dark' as const }],
  ['phone, light', kPhone],
  ['phone, dark', { ...kPhone, colorScheme: 'dark' as const }],
])('no serious barrier: %s', (_name, options) => {
  it('results', async () => {
    const page = await goto('/?q=horse', options)
    await shown(cards(page).first())
    expect(await findings(page)).toEqual([])
  })
  it('everything, with filters', async () => {
    const page = await goto('/?colour=brown', options)
    await shown(cards(page).first())
    expect(await findings(page)).toEqual([])
  })
  it('picture', async () => {
    const page = await goto(`/picture/${(await ask('q=horse&limit=1')).hits[0]?.image_id}`, options)
    await shown(page.getByRole('list', { name: 'Look-alikes' }))
    expect(await findings(page)).toEqual([])
  })
  it('crawl', async () => {
    const page = await goto('/crawl', options)
    await shown(page.getByRole('heading', { name: 'The whole collection' }))
    expect(await findings(page)).toEqual([])
  })
  it('shops', async () => {
    const page = await goto('/shops', options)
    await shown(page.getByRole('heading', { name: 'No shop yet' }))
    expect(await findings(page)).toEqual([])
  })
  it('copies', async () => {
    const page = await goto('/copies', options)
    await shown(page.getByRole('region', { name: 'Groups of copies' }))
    expect(await findings(page)).toEqual([])
  })
  it('nothing found', async () => {
    const page = await goto('/?q=xyzzyplugh', options)
    await shown(page.getByRole('heading', { name: 'Nothing relevant found' }))
    expect(await findings(page)).toEqual([])
  })
})

describe('more barriers', () => {
  it('none in the filter sheet', async () => {
    const page = await goto('/', kPhone)
    await shown(cards(page).first())
    await page.getByRole('button', { name: 'Filters' }).click()
    await shown(page.getByRole('dialog', { name: 'Filters' }))
    expect(await findings(page)).toEqual([])
  })
  it('none from right to left', async () => {
    const page = await goto('/', { locale: 'fa-IR' })
    await shown(page.getByRole('list', { name: 'نتیجه‌ها' }).getByRole('listitem').first())
    expect(await findings(page)).toEqual([])
  })
  it('nothing moves for who wants it still', async () => {
    const page = await goto('/?q=horse', { reducedMotion: 'reduce' })
    await shown(cards(page).first())
    const longest = await page.evaluate(() => Math.max(...[...document.querySelectorAll('*')].map((element) => Number.parseFloat(getComputedStyle(element).transitionDuration) || 0)))
    expect(longest).toBeLessThanOrEqual(0.001)
  })
})
