import type { Page } from 'playwright-core'
import { afterEach, describe, expect, it } from 'vitest'
import type { ShopList } from '../src/api/schema'
import { eventually, goto, kBase, kPhone, shown, stopCrawls, useBrowser } from './support/browser'

useBrowser()
const kShop = new URL(process.env['MAGPIE_SHOP_URL'] ?? 'http://127.0.0.1:18090')
// A name of its own for the example shop: no crawl of another test has its address as its only beginning.
const kAddress = `http://127.0.0.2:${kShop.port}/`
const kName = `127.0.0.2_${kShop.port}`

const post = (path: string, body: object) => fetch(`${kBase}/api/v1/${path}`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
async function removeShops(): Promise<void> {
  const { shops } = (await (await fetch(`${kBase}/api/v1/shops`)).json()) as ShopList
  await Promise.all(shops.map(({ name }) => post(`shops/${name}/remove`, {})))
  await stopCrawls()
}
afterEach(removeShops, 90_000)

async function fill(page: Page, address: string): Promise<void> {
  await page.getByLabel('Address of the shop').fill(address)
  await page.getByText('Limits').click()
  await page.getByLabel('Pause between requests, in seconds').fill('0')
}
const card = (page: Page) => page.getByRole('article', { name: kName })

describe('a shop', () => {
  it('is looked at, added and crawled, shows what it brought, and is removed', { timeout: 180_000 }, async () => {
    const page = await goto('/shops')
    await shown(page.getByRole('heading', { name: 'No shop yet' }))
    await fill(page, kAddress)
    await page.getByLabel('At most so many pages a crawl').fill('20')
    await page.getByRole('button', { name: 'Show what it would bring' }).click()
    const preview = page.getByRole('region', { name: `Preview of 127.0.0.2:${kShop.port}` })
    await shown(preview.getByText(/^\d+ products, pages read: \d+$/))
    const products = preview.getByRole('list', { name: 'Products of the preview' }).getByRole('listitem')
    expect(await products.count()).toBe(10)
    await shown(products.first().getByText(/€[\d.,]+/))
    await eventually(async () => expect(await products.first().locator('img').evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBeGreaterThan(50))

    await preview.getByRole('button', { name: 'Add and crawl it' }).click()
    await shown(page.getByText(`${kName} was added.`))
    await shown(card(page).getByText('Active', { exact: true }))
    await shown(card(page).getByText(/^Being crawled|^Waits for its turn|^Crawled/))
    await shown(card(page).getByText(/Next crawl in/))
    await shown(card(page).getByText('With a price'))
    await shown(card(page).getByText(/^\d+ products$/))

    await card(page).getByLabel('When').selectOption('weekly')
    await eventually(async () => expect(((await (await fetch(`${kBase}/api/v1/shops/${kName}`)).json()) as ShopList['shops'][number]).schedule).toEqual({ every: '7d' }))
    await card(page).getByRole('button', { name: 'Pause' }).click()
    await shown(card(page).getByText('Paused', { exact: true }))
    await shown(card(page).getByRole('button', { name: 'Activate' }))

    await card(page).getByRole('button', { name: 'Remove' }).click()
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Keep it')
    await card(page).getByRole('button', { name: 'Keep it' }).click()
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Remove')
    expect(await card(page).count()).toBe(1)
    await card(page).getByRole('button', { name: 'Remove' }).click()
    await card(page).getByRole('button', { name: 'Yes, remove it' }).click()
    await shown(page.getByRole('heading', { name: 'No shop yet' }))
  })
  it('that a command changes is seen', async () => {
    const page = await goto('/shops', kPhone)
    await shown(page.getByRole('heading', { name: 'No shop yet' }))
    await post('shops', { address: kAddress, schedule: { at: ['06:00'] } })
    await shown(card(page).getByText('Not activated'))
    expect(await card(page).getByLabel('When').locator('option:checked').textContent()).toBe('at 06:00')
  })
  it('is refused in the words of the server, and needs an address', async () => {
    const page = await goto('/shops')
    await page.getByRole('button', { name: 'Show what it would bring' }).click()
    await shown(page.getByRole('alert').getByText('Give the address of the shop.'))
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('shop-address')
    await fill(page, 'ftp://shop.example/')
    await page.getByRole('button', { name: 'Add without looking' }).click()
    await shown(page.getByRole('alert').getByText("'ftp://shop.example/' is no http or https address"))
  })
})
