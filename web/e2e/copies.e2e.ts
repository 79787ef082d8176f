import type { Locator, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { CopyGroups } from '../src/api/schema'
import { eventually, goto, kBase, kPhone, shown, useBrowser } from './support/browser'

useBrowser()
const groupsOf = async (query: string): Promise<CopyGroups> => (await (await fetch(`${kBase}/api/v1/copies?${query}`)).json()) as CopyGroups
const cards = (page: Page): Locator => page.getByRole('region', { name: 'Groups of copies' }).getByRole('article')
const pictures = (card: Locator): Locator => card.getByRole('listitem')
const undo = (page: Page): Promise<void> => page.getByRole('status').getByRole('button', { name: 'Undo' }).click()

describe('the copies page', () => {
  it('shows groups a page at a time, with how each picture was found', { timeout: 60_000 }, async () => {
    const page = await goto('/copies')
    await shown(cards(page).first())
    expect(await cards(page).count()).toBe(20)
    const first = (await groupsOf('limit=1&unreviewed=true')).groups[0]
    expect(await pictures(cards(page).first()).count()).toBe(first?.images.length)
    await page.getByRole('button', { name: 'Show more groups' }).click()
    await eventually(async () => expect(await cards(page).count()).toBe(40))
  })

  it('takes a picture out of a group, and puts it back', { timeout: 60_000 }, async () => {
    const page = await goto('/copies')
    const group = async (place: number) => (await groupsOf('limit=20&unreviewed=true')).groups[place]
    const place = (await groupsOf('limit=20&unreviewed=true')).groups.findIndex((one) => one.images_total > 2)
    expect(place).toBeGreaterThanOrEqual(0)
    const before = (await group(place))?.images_total ?? 0
    const card = cards(page).nth(place)
    await pictures(card).last().getByRole('button', { name: 'Not a copy' }).click()
    await eventually(async () => expect(await pictures(card).count()).toBe(before - 1))
    expect((await group(place))?.images_total).toBe(before - 1)
    await undo(page)
    await eventually(async () => expect(await pictures(card).count()).toBe(before))
  })

  it('keeps a group, which is then no longer among those to look at', { timeout: 60_000 }, async () => {
    const page = await goto('/copies')
    const id = (await groupsOf('limit=1&unreviewed=true')).groups[0]?.group_id
    await cards(page).first().getByRole('button', { name: 'Right as it is' }).click()
    await eventually(async () => expect((await groupsOf('limit=1&unreviewed=true')).groups[0]?.group_id).not.toBe(id))
    await page.getByLabel('Only groups that nobody has kept').uncheck()
    await shown(cards(page).first().getByText('Kept', { exact: true }))
    await undo(page)
    await shown(cards(page).first().getByRole('button', { name: 'Right as it is' }))
    expect((await groupsOf('limit=1&unreviewed=true')).groups[0]?.group_id).toBe(id)
  })

  it('joins chosen groups', { timeout: 60_000 }, async () => {
    const page = await goto('/copies')
    const two = (await groupsOf('limit=2&unreviewed=true')).groups
    await cards(page).nth(0).getByLabel('Choose to join').check()
    expect(await page.getByRole('button', { name: 'Join the chosen groups' }).count()).toBe(0)
    await cards(page).nth(1).getByLabel('Choose to join').check()
    await page.getByRole('button', { name: 'Join the chosen groups' }).click()
    const together = two.reduce((sum, group) => sum + group.images_total, 0)
    await eventually(async () => expect((await groupsOf('limit=1&unreviewed=true')).groups[0]?.images_total).toBe(together))
    await eventually(async () => expect(await pictures(cards(page).first()).count()).toBe(together))
    await undo(page)
    await eventually(async () => expect((await groupsOf('limit=2&unreviewed=true')).groups.map((group) => group.images_total)).toEqual(two.map((group) => group.images_total)))
  })

  it('fits a phone', async () => {
    const page = await goto('/copies', kPhone)
    await shown(cards(page).first())
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390)
  })
})
