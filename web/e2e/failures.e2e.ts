import { describe, expect, it } from 'vitest'
import { cards, eventually, goto, hitIds, newPage, shown, statedTotal, useBrowser } from './support/browser'

useBrowser()

const kSearch = '**/api/v1/search?**'
const problem = (status: number, code: string, detail: string) => ({ status, contentType: 'application/problem+json', body: JSON.stringify({ title: 'Problem', status, code, detail }) })

describe('when the server', () => {
  it('fails, its own words are shown and one can try again', async () => {
    const page = await newPage()
    await page.route(kSearch, (route) => route.fulfill(problem(503, 'overloaded', 'The index is being opened; ask again in a moment.')))
    await page.goto('/?q=horse')
    await shown(page.getByRole('alert').getByText('The index is being opened; ask again in a moment.'))
    await page.unroute(kSearch)
    await page.getByRole('button', { name: 'Try again' }).click()
    await shown(cards(page).first())
  })
  it('cannot be reached, that is said', async () => {
    const page = await newPage()
    await page.route(kSearch, (route) => route.abort())
    await page.goto('/?q=horse')
    await shown(page.getByRole('heading', { name: 'The search failed' }))
    await shown(page.getByText('The server did not answer.'))
  })
  it('answers with something else, that is said', async () => {
    const page = await newPage()
    await page.route(kSearch, (route) => route.fulfill({ status: 502, contentType: 'text/html', body: '<h1>Bad gateway</h1>' }))
    await page.goto('/?q=horse')
    await shown(page.getByRole('heading', { name: 'The search failed' }))
    await shown(page.getByText(/502/))
  })
  it('is slow, places are kept and it is said after a while', async () => {
    const page = await newPage()
    await page.route(kSearch, async (route) => {
      await new Promise((done) => setTimeout(done, 4500))
      await route.continue()
    })
    await page.goto('/?q=horse')
    await shown(page.locator('.shimmer').first())
    await shown(page.getByText('This takes longer than usual. Still searching…'))
    await page.setViewportSize({ width: 390, height: 844 })
    expect(await page.getByRole('button', { name: 'Filters' }).isDisabled()).toBe(true)
    await page.setViewportSize({ width: 1280, height: 800 })
    await shown(cards(page).first())
    expect(await page.getByText('This takes longer than usual').count()).toBe(0)
  })
  it('answers an old question late, the new answer stays', async () => {
    const page = await newPage()
    await page.route('**/api/v1/search?q=horse&**', async (route) => {
      await new Promise((done) => setTimeout(done, 2500))
      await route.continue().catch(() => undefined)
    })
    await page.goto('/?q=horse')
    await page.getByRole('searchbox').fill('penguin')
    await page.keyboard.press('Enter')
    await shown(cards(page).first())
    const ids = await hitIds(page)
    await page.waitForTimeout(3000)
    expect(await hitIds(page)).toEqual(ids)
    expect(page.url()).toContain('q=penguin')
  })
  it('fails on a later page, what is there stays and one can go on', async () => {
    const page = await newPage()
    let isBroken = true
    await page.route('**/api/v1/search?*offset=60*', (route) => (isBroken ? route.fulfill(problem(500, 'internal', 'Something broke.')) : route.continue()))
    await page.goto('/')
    await shown(cards(page).first())
    await page.mouse.wheel(0, 20_000)
    await shown(page.getByText('The next pictures could not be loaded.'))
    const count = await cards(page).count()
    expect(count).toBeGreaterThan(30)
    isBroken = false
    await page.getByRole('button', { name: 'Try again' }).click()
    await eventually(async () => expect(await cards(page).count()).toBeGreaterThan(count))
  })
  it('has nothing yet, the way to a crawl is shown', async () => {
    const page = await newPage()
    await page.route(kSearch, (route) => route.fulfill({ json: { total: 0, total_is_exact: true, offset: 0, limit: 60, took_ms: 0.1, query: { sort: 'relevance' }, hits: [], facets: { shop: [], category: [], brand: [], colour: [], price: [] } } }))
    await page.goto('/')
    await shown(page.getByRole('heading', { name: 'This collection is still empty' }))
    expect(await page.getByRole('combobox', { name: 'Sort by' }).count()).toBe(0)
    await page.getByRole('link', { name: 'Start a crawl' }).click()
    await shown(page.getByRole('heading', { name: 'Crawl', exact: true }))
  })
})

describe('a picture that does not come', () => {
  it('leaves its title and place', async () => {
    const page = await newPage()
    await page.route('**/api/v1/images/*/thumbnail', (route) => route.abort())
    await page.goto('/?q=horse')
    await shown(cards(page).first().getByText('Picture not available'))
    expect(await statedTotal(page)).toBeGreaterThan(0)
  })
})

describe('an address of ours that is none', () => {
  it('says so', async () => {
    const page = await goto('/no/such/page')
    await shown(page.getByRole('heading', { name: 'There is no such page', level: 1 }))
  })
  it('with values that are none shows everything', async () => {
    const page = await goto('/?like=abc&colour=mauve&sort=x&price_min=-1')
    await shown(cards(page).first())
  })
})
