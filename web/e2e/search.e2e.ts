import { describe, expect, it } from 'vitest'
import { ask, cards, eventually, goto, heading, hitIds, kPhone, results, shown, statedTotal, useBrowser } from './support/browser'

useBrowser()

describe('searching by words', () => {
  it('shows pictures of what was asked for, and keeps the words in the address', async () => {
    const page = await goto('/')
    await page.getByRole('searchbox').fill('horse')
    await page.keyboard.press('Enter')
    await shown(results(page).getByRole('img', { name: /horse/i }).first())
    expect(page.url()).toMatch(/\?q=horse$/)
    expect(await page.title()).toBe('horse · Magpie')
    expect(await statedTotal(page)).toBe((await ask('q=horse')).total)
  })
  it('replaces the old results by those of a new query, and goes back to them', async () => {
    const page = await goto('/?q=horse')
    await shown(cards(page).first())
    const before = await hitIds(page)
    await page.getByRole('searchbox').fill('penguin')
    await page.keyboard.press('Enter')
    await shown(results(page).getByRole('img', { name: /penguin/i }).first())
    await page.goBack()
    await eventually(async () => expect(await hitIds(page)).toEqual(before))
    expect(await page.getByRole('searchbox').inputValue()).toBe('horse')
  })
  it('says when nothing is relevant', async () => {
    const page = await goto('/?q=xyzzyplugh')
    await shown(page.getByRole('heading', { name: 'Nothing relevant found' }))
    expect(await statedTotal(page)).toBe(0)
  })
  it('can be shared: the address alone gives the same pictures', async () => {
    const first = await goto('/?q=horse')
    await shown(cards(first).first())
    const second = await goto('/?q=horse')
    await shown(cards(second).first())
    expect(await hitIds(second)).toEqual(await hitIds(first))
  })
})

describe('the grid', () => {
  it('loads as one scrolls, shows each picture once, and moves none that is there', async () => {
    const { total } = await ask('limit=1')
    expect(total).toBeGreaterThan(150)
    const page = await goto('/')
    await shown(cards(page).first())
    const place = () => cards(page).nth(5).evaluate((card) => card.getBoundingClientRect().top + window.scrollY)
    const before = await place()
    await eventually(async () => {
      await page.mouse.wheel(0, 4000)
      expect(await cards(page).count()).toBeGreaterThan(150)
    }, 40_000)
    const ids = await hitIds(page)
    expect(new Set(ids).size).toBe(ids.length)
    expect(await place()).toBe(before)
  })
  it('ends with a line when there are no more relevant pictures', async () => {
    const page = await goto('/?q=horse')
    await shown(page.getByText('No more relevant pictures.'))
    expect(await cards(page).count()).toBe(await statedTotal(page))
  })
  it('does not shift while pictures come in', async () => {
    const page = await goto('/')
    await page.evaluate(() => {
      const shifts: number[] = []
      Object.assign(window, { shifts })
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) if (!entry.hadRecentInput) shifts.push(entry.value)
      }).observe({ type: 'layout-shift', buffered: true })
    })
    await shown(cards(page).first())
    await page.mouse.wheel(0, 3000)
    await page.waitForTimeout(1000)
    const sum = await page.evaluate(() => (window as unknown as { shifts: number[] }).shifts.reduce((all, one) => all + one, 0))
    expect(sum).toBeLessThan(0.1)
  })
  it('returns to the same place after looking at a picture', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    await eventually(async () => {
      await page.mouse.wheel(0, 2500)
      expect(await cards(page).count()).toBeGreaterThan(80)
    })
    const link = cards(page).nth(70).getByRole('link')
    await link.scrollIntoViewIfNeeded()
    const before = await page.evaluate(() => window.scrollY)
    await link.click()
    await shown(page.getByRole('button', { name: 'Back to the results' }))
    await page.goBack()
    await eventually(async () => expect(Math.abs((await page.evaluate(() => window.scrollY)) - before)).toBeLessThan(60))
  })
})

describe('filters', () => {
  it('have true counts: choosing a value leaves exactly as many pictures', async () => {
    const { facets } = await ask('facets=true&limit=0')
    const category = facets?.category.find(({ count }) => count > 3)
    if (!category) throw new Error('the collection has no categories')
    const page = await goto('/')
    await page.getByRole('complementary').getByRole('checkbox', { name: new RegExp(`^${category.value} `) }).check()
    await eventually(async () => expect(await statedTotal(page)).toBe(category.count))
    expect(new URL(page.url()).searchParams.get('category')).toBe(category.value)
  })
  it('of one kind widen, of two kinds narrow', async () => {
    const { facets } = await ask('facets=true&limit=0')
    const [first, second] = facets?.category ?? []
    if (!first || !second) throw new Error('the collection needs two categories')
    const page = await goto(`/?category=${encodeURIComponent(first.value)}&category=${encodeURIComponent(second.value)}`)
    await eventually(async () => expect(await statedTotal(page)).toBe(first.count + second.count))
    await page.getByRole('complementary').getByRole('checkbox', { name: /^(Brown|White|Black|Grey|Red)/ }).first().check()
    await eventually(async () => expect(await statedTotal(page)).toBeLessThan(first.count + second.count))
  })
  it('are chips that take them away again', async () => {
    const { facets, total } = await ask('facets=true&limit=0')
    const shop = facets?.shop[0]?.value ?? ''
    const page = await goto(`/?shop=${encodeURIComponent(shop)}&colour=red`)
    await page.getByRole('button', { name: 'Remove filter Red' }).click()
    await page.getByRole('button', { name: `Remove filter ${shop}` }).click()
    await eventually(async () => expect(await statedTotal(page)).toBe(total))
    expect(new URL(page.url()).search).toBe('')
  })
  it('by price keep prices within, and sorting puts the cheapest first', async () => {
    const { facets } = await ask('facets=true&limit=0')
    const price = facets?.price[0]
    if (!price) throw new Error('the collection has no prices')
    const page = await goto(`/?currency=${price.currency}&sort=price`)
    await eventually(async () => expect(await statedTotal(page)).toBe(price.count))
    const { hits } = await ask(`currency=${price.currency}&sort=price&limit=200`)
    const amounts = hits.map((hit) => Number(hit.price?.amount))
    expect(amounts).toEqual([...amounts].sort((a, b) => a - b))
    expect((await hitIds(page)).slice(0, 10)).toEqual(hits.slice(0, 10).map((hit) => hit.image_id))
    const side = page.getByRole('complementary')
    await side.getByRole('textbox', { name: 'To', exact: true }).fill(price.min)
    await side.getByRole('button', { name: 'Apply' }).click()
    await eventually(async () => expect(await statedTotal(page)).toBeLessThanOrEqual(price.count))
    expect(new URL(page.url()).searchParams.get('price_max')).toBe(price.min)
    expect(await statedTotal(page)).toBe((await ask(`currency=${price.currency}&price_max=${price.min}&limit=0`)).total)
  })
  it('open as a sheet on a phone', async () => {
    const page = await goto('/', kPhone)
    await shown(cards(page).first())
    expect(await page.getByRole('complementary').isVisible()).toBe(false)
    await page.getByRole('button', { name: 'Filters' }).click()
    const sheet = page.getByRole('dialog', { name: 'Filters' })
    await shown(sheet)
    const before = await statedTotal(page)
    await sheet.getByRole('checkbox').first().check()
    await eventually(async () => expect(await sheet.getByRole('button', { name: /^Show [\d,]+ pictures?$/ }).textContent()).not.toContain(before.toLocaleString('en')))
    await sheet.getByRole('button', { name: /^Show [\d,]+ pictures?$/ }).click()
    await sheet.waitFor({ state: 'hidden' })
    expect(await statedTotal(page)).toBeLessThan(before)
  })
})

describe('on a phone', () => {
  it('nothing is wider than the screen', async () => {
    for (const path of ['/', '/?q=horse&colour=brown', '/crawl', `/picture/${(await ask('q=horse&limit=1')).hits[0]?.image_id}`]) {
      const page = await goto(path, kPhone)
      await shown(heading(page).first())
      await page.waitForTimeout(300)
      expect([path, await page.evaluate(() => document.documentElement.scrollWidth)]).toEqual([path, 390])
    }
  })
})

describe('settings', () => {
  it('follow the system into the dark, and can be turned by hand, for good', async () => {
    const page = await goto('/', { colorScheme: 'dark' })
    const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    const dark = await ground()
    await page.getByRole('button', { name: /^Appearance/ }).click()
    await eventually(async () => expect(await ground()).not.toBe(dark))
    const light = await ground()
    await page.reload()
    expect(await ground()).toBe(light)
  })
  it('speak German, and Persian from right to left', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    await page.getByRole('combobox', { name: 'Language' }).selectOption('fa')
    await eventually(async () => expect(await page.evaluate(() => document.documentElement.dir)).toBe('rtl'))
    await shown(page.getByRole('list', { name: 'نتیجه‌ها' }))
    await page.reload()
    await shown(page.getByRole('list', { name: 'نتیجه‌ها' }))
    await page.getByRole('combobox', { name: 'زبان' }).selectOption('de')
    await shown(page.getByRole('list', { name: 'Treffer' }))
    expect(await page.evaluate(() => document.documentElement.dir)).toBe('ltr')
  })
})
