import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { ask, cards, crawl, eventually, goto, heading, hitIds, kBase, kPhone, pictureOf, shown, statedTotal, useBrowser, type Picture } from './support/browser'
import { startFamily } from './support/site'

useBrowser()

const chip = (page: Page) => page.getByRole('group', { name: 'Your picture' })

async function expectsFound(page: Page, { hit }: Picture): Promise<void> {
  await page.waitForURL(/[?&]like=[\w-]{16,}/)
  await shown(chip(page))
  await shown(cards(page).first())
  expect((await hitIds(page)).slice(0, 5)).toContain(hit.image_id)
}

/** Gives the page a file as dropping or pasting would, with the events a browser sends. */
async function give(page: Page, picture: Picture, how: 'drop' | 'paste'): Promise<void> {
  await page.evaluate(({ data, type, kind }) => {
    const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0))
    const transfer = new DataTransfer()
    transfer.items.add(new File([bytes], 'photo', { type }))
    if (kind === 'paste') {
      document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: transfer, bubbles: true, cancelable: true }))
      return
    }
    for (const name of ['dragenter', 'dragover', 'drop']) document.body.dispatchEvent(new DragEvent(name, { dataTransfer: transfer, bubbles: true, cancelable: true }))
  }, { data: picture.bytes.toString('base64'), type: picture.type, kind: how })
}

describe('searching by picture', () => {
  it('finds a chosen file', async () => {
    const picture = await pictureOf('q=horse')
    const page = await goto('/')
    await page.getByLabel('Search with a picture').setInputFiles({ name: 'photo', mimeType: picture.type, buffer: picture.bytes })
    await expectsFound(page, picture)
  })
  it('finds a dropped picture, on any page', async () => {
    const picture = await pictureOf('q=penguin')
    const page = await goto('/crawl')
    await shown(heading(page))
    await give(page, picture, 'drop')
    await expectsFound(page, picture)
  })
  it('finds a pasted picture', async () => {
    const picture = await pictureOf('q=horse')
    const page = await goto('/')
    await shown(cards(page).first())
    await give(page, picture, 'paste')
    await expectsFound(page, picture)
  })
  it('says where a dragged picture may be dropped', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    await page.evaluate(() => {
      const transfer = new DataTransfer()
      transfer.items.add(new File(['x'], 'photo.png', { type: 'image/png' }))
      document.body.dispatchEvent(new DragEvent('dragenter', { dataTransfer: transfer, bubbles: true, cancelable: true }))
    })
    await shown(page.getByText('Drop the picture'))
  })
  it('keeps the picture while filters and words are added, and after a reload', async () => {
    const picture = await pictureOf('q=horse')
    const page = await goto('/')
    await page.getByLabel('Search with a picture').setInputFiles({ name: 'photo', mimeType: picture.type, buffer: picture.bytes })
    await expectsFound(page, picture)
    await page.getByRole('complementary').getByRole('checkbox').first().check()
    await page.waitForURL(/like=.*category=|category=.*like=|shop=/)
    await page.reload()
    await shown(chip(page).getByRole('img', { name: 'Your picture' }))
    await page.getByRole('searchbox').fill('horse')
    await page.keyboard.press('Enter')
    await page.waitForURL(/q=horse/)
    expect(new URL(page.url()).searchParams.get('like')).toBeTruthy()
    await shown(cards(page).first())
  })
  it('lets the picture go again', async () => {
    const picture = await pictureOf('q=horse')
    const { total } = await ask('limit=0')
    const page = await goto('/')
    await page.getByLabel('Search with a picture').setInputFiles({ name: 'photo', mimeType: picture.type, buffer: picture.bytes })
    await expectsFound(page, picture)
    await page.getByRole('button', { name: 'Remove the picture' }).click()
    await eventually(async () => expect(await statedTotal(page)).toBe(total))
    expect(await chip(page).count()).toBe(0)
  })
  it('sends a large photo smaller', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    const sent = page.waitForRequest((request) => request.method() === 'POST' && request.url().includes('/api/v1/search'))
    await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(3000, 2000)
      const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D
      for (let at = 0; at < 400; at += 1) {
        context.fillStyle = `hsl(${(at * 47) % 360} 70% 50%)`
        context.fillRect((at * 331) % 3000, (at * 197) % 2000, 160, 120)
      }
      const transfer = new DataTransfer()
      transfer.items.add(new File([await canvas.convertToBlob()], 'photo.png', { type: 'image/png' }))
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }))
    })
    const request = await sent
    expect(request.headers()['content-type']).toBe('image/jpeg')
    expect((await request.response())?.status()).toBe(200)
  })
  it('says what is wrong with a file that is no picture', async () => {
    const page = await goto('/')
    await page.getByLabel('Search with a picture').setInputFiles({ name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('these are words, not a picture') })
    await shown(page.getByRole('alert').getByText('The picture could not be searched with'))
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await page.getByRole('alert').waitFor({ state: 'hidden' })
  })
  it('asks for the picture again when the server has forgotten it', async () => {
    const page = await goto('/?like=aTokenThatNeverWasOne')
    await shown(page.getByRole('heading', { name: 'Your picture is no longer kept' }))
    const picture = await pictureOf('q=horse')
    await page.getByLabel('Choose a picture').setInputFiles({ name: 'photo', mimeType: picture.type, buffer: picture.bytes })
    await expectsFound(page, picture)
  })
  it('sends the picture again by itself while the page still has it', async () => {
    const picture = await pictureOf('q=horse')
    const page = await goto('/')
    await page.getByLabel('Search with a picture').setInputFiles({ name: 'photo', mimeType: picture.type, buffer: picture.bytes })
    await expectsFound(page, picture)
    const token = new URL(page.url()).searchParams.get('like') ?? ''
    const forgotten = JSON.stringify({ title: 'Gone', status: 410, code: 'picture_expired', detail: 'Upload it again.' })
    await page.route((url) => url.searchParams.get('like') === token && url.pathname === '/api/v1/search', (route) => route.fulfill({ status: 410, contentType: 'application/problem+json', body: forgotten }))
    await page.getByRole('combobox', { name: 'Sort by' }).selectOption('newest')
    await eventually(async () => expect(new URL(page.url()).searchParams.get('like')).not.toBe(token))
    await shown(cards(page).first())
  })
})

describe('the page of a picture', () => {
  it('shows the picture large, what it costs and where, and what looks like it', async () => {
    const { hits } = await ask('q=horse')
    const hit = hits.find((one) => one.price) ?? hits[0]
    if (!hit) throw new Error('no horse')
    const page = await goto('/?q=horse')
    await cards(page).locator(`a[href="/picture/${hit.image_id}"]`).click()
    await page.waitForURL(`${kBase}/picture/${hit.image_id}`)
    await shown(heading(page))
    await eventually(async () => expect(await page.getByRole('figure').getByRole('img').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0))
    if (hit.price) {
      const offers = page.getByRole('list', { name: 'Offers' })
      await shown(offers.getByText(new RegExp(hit.price.amount.replace(/\.?0+$/, '').replace('.', '\\.').replace(/^(\d+)(\d{3})/, '$1,?$2'))).first())
      expect(await offers.getByRole('link').first().getAttribute('href')).toMatch(/^https?:\/\//)
    }
    await shown(page.getByRole('list', { name: 'Look-alikes' }).getByRole('listitem').first())
    expect(await page.title()).toContain('Magpie')
  })
  it('leads on: a look-alike to its own page, and from there back', async () => {
    const { hits } = await ask('q=horse&limit=1')
    const page = await goto(`/picture/${hits[0]?.image_id}`)
    const first = page.getByRole('list', { name: 'Look-alikes' }).getByRole('link').first()
    const target = await first.getAttribute('href')
    expect(target).not.toBe(`/picture/${hits[0]?.image_id}`)
    await first.click()
    await page.waitForURL(`${kBase}${target}`)
    await page.getByRole('button', { name: 'Back to the results' }).click()
    await page.waitForURL(`${kBase}/picture/${hits[0]?.image_id}`)
  })
  it('searches its look-alikes, without itself', async () => {
    const { hits } = await ask('q=horse&limit=1')
    const page = await goto(`/picture/${hits[0]?.image_id}`)
    await page.getByRole('link', { name: 'Search look-alikes' }).click()
    await page.waitForURL(`${kBase}/?like=${hits[0]?.image_id}`)
    await shown(page.getByRole('group', { name: 'A picture of the collection' }))
    await shown(cards(page).first())
    expect(await hitIds(page)).not.toContain(hits[0]?.image_id)
  })
  it('says when there is no such picture', async () => {
    const page = await goto('/picture/4000000000')
    await shown(page.getByRole('heading', { name: 'There is no such picture' }))
  })
  it('tells how the picture came here', async () => {
    const { hits } = await ask('q=horse&limit=1')
    const page = await goto(`/picture/${hits[0]?.image_id}`)
    await shown(page.getByRole('heading', { name: 'Where it was found' }))
    await shown(page.getByRole('heading', { name: 'About this picture' }))
    await shown(page.getByText(`${hits[0]?.width.toLocaleString('en')} × ${hits[0]?.height.toLocaleString('en')}`).first())
  })
})

describe('what is known of a picture', () => {
  it('tells an animation by its frames and length, and words that a picture has from its look-alikes', { timeout: 150_000 }, async () => {
    const family = await startFamily()
    try {
      await crawl(family.url)
      const moving = (await ask(`q=moving+${family.word}&limit=1`)).hits[0]!
      const page = await goto(`/picture/${moving.image_id}`)
      await shown(page.getByText(/^PNG · .* · animated, 6 frames, 1\.2 sec$/))

      const named = new Set<number>()
      let without = 0
      await eventually(async () => {
        const { hits } = await ask(`q=${family.word}&why=true&limit=20`)
        for (const hit of hits) if (hit.alt.includes(family.word)) named.add(hit.image_id)
        without = hits.find((hit) => !named.has(hit.image_id))?.image_id ?? 0
        expect(without).toBeGreaterThan(0)
      }, 60_000)
      await page.goto(`/picture/${without}`)
      const words = page.getByRole('list', { name: 'Words from pictures that look like it' })
      const word = words.getByRole('link', { name: family.word })
      await shown(word)
      expect(await word.getAttribute('title')).toMatch(/^\d+% of its look-alikes say so\. See one that does$/)
      await word.click()
      await page.waitForURL(new RegExp(`/picture/(${[...named].join('|')})$`))
      await shown(heading(page).getByText(new RegExp(family.word)))
    } finally {
      await family.close()
    }
  })
  it('has neither line where there is nothing to say', async () => {
    const { hits } = await ask('q=horse&limit=1')
    const page = await goto(`/picture/${hits[0]?.image_id}`)
    await shown(page.getByRole('heading', { name: 'About this picture' }))
    expect(await page.getByText(/animated|\d frames/).count()).toBe(0)
  })
})

describe('things in a picture', () => {
  it('are boxes that search for what is like them, among things of their class', async () => {
    const { facets } = await ask('facets=true&limit=0')
    const common = facets?.class.find(({ count }) => count > 1)
    if (!common) throw new Error('the shop has no two pictures of things of one class')
    const hit = (await ask(`class=${encodeURIComponent(common.value)}&limit=1`)).hits[0]!
    const page = await goto(`/picture/${hit.image_id}`)
    const box = page.getByRole('navigation', { name: 'Things in the picture' }).getByRole('link', { name: new RegExp(`^${common.value}:`) }).first()
    await shown(box)
    const [inside, picture] = await Promise.all([box.boundingBox(), page.locator('figure .mat').boundingBox()])
    expect(inside!.x).toBeGreaterThanOrEqual(picture!.x)
    expect(inside!.x + inside!.width).toBeLessThanOrEqual(picture!.x + picture!.width + 1)
    await box.focus()
    await page.keyboard.press('Enter')
    await page.waitForURL(/like=\d+\.\d/)
    const only = page.getByLabel('Only things of its class')
    expect(await only.isChecked()).toBe(true)
    await only.uncheck()
    await page.waitForURL(/same_class=false/)
    expect(await only.isChecked()).toBe(false)
  })
})

describe('a part of a picture', () => {
  const box = (page: Page) => page.getByRole('dialog', { name: 'Which part?' }).getByRole('application')
  const crop = (page: Page) => page.getByRole('search').getByRole('img', { name: 'A part of a picture' })

  it('is what one draws on it with the mouse', async () => {
    const { hit } = await pictureOf('q=horse')
    const page = await goto(`/picture/${hit.image_id}`)
    const picture = page.locator('figure .fit').first()
    await shown(picture)
    const { x, y, width, height } = (await picture.boundingBox())!
    await page.mouse.move(x + width * 0.2, y + height * 0.1)
    await page.mouse.down()
    await page.mouse.move(x + width * 0.4, y + height * 0.4)
    await page.mouse.move(x + width * 0.7, y + height * 0.6)
    await page.mouse.up()
    await page.waitForURL(/like=/)
    const [left, top, wide, high] = (new URL(page.url()).searchParams.get('like') ?? '').replace(/^\d+@/, '').split(',').map(Number)
    for (const [found, drawn] of [[left, 0.2], [top, 0.1], [wide, 0.5], [high, 0.5]] as const) expect(found).toBeCloseTo(drawn, 1)
    await shown(crop(page))
    await shown(heading(page).getByText('that look like this one'))
  })
  it('can be drawn with a finger', async () => {
    const { hit } = await pictureOf('q=horse')
    const page = await goto(`/picture/${hit.image_id}`, kPhone)
    await page.getByRole('button', { name: 'Search a part' }).click()
    await shown(box(page))
    const picture = page.getByRole('dialog', { name: 'Which part?' }).getByRole('img')
    await eventually(async () => expect((await picture.boundingBox())!.width).toBeGreaterThan(100))
    const { x, y, width, height } = (await picture.boundingBox())!
    const touch = await page.context().newCDPSession(page)
    const at = (type: 'touchStart' | 'touchMove' | 'touchEnd', left: number, top: number) =>
      touch.send('Input.dispatchTouchEvent', { type, touchPoints: type === 'touchEnd' ? [] : [{ x: x + width * left, y: y + height * top }] })
    await at('touchStart', 0.5, 0.5)
    await at('touchMove', 0.7, 0.7)
    await at('touchMove', 0.9, 0.8)
    await at('touchEnd', 0.9, 0.8)
    // A tap right behind a swipe may only end that.
    await eventually(async () => {
      if (!page.url().includes('like=')) await page.getByRole('button', { name: 'Search this part' }).tap({ timeout: 2_000 })
      await page.waitForURL(/like=/, { timeout: 2_000 })
    })
    expect(new URL(page.url()).searchParams.get('like')).toMatch(/^\d+@0\.(49|5)\d*,0\.(49|5)\d*,0\.(39|4)\d*,0\.(29|3)\d*$/)
    await shown(crop(page))
  })
  it('of an upload is sent alone, chosen by keys', async () => {
    const picture = await pictureOf('q=horse')
    const page = await goto('/')
    await page.getByLabel('Search with a picture').setInputFiles({ name: 'photo', mimeType: picture.type, buffer: picture.bytes })
    await expectsFound(page, picture)
    const whole = new URL(page.url()).searchParams.get('like')
    const asked = page.waitForRequest((request) => request.method() === 'POST' && request.url().includes('box='))
    await page.getByRole('button', { name: 'Search a part' }).click()
    await box(page).focus()
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('Shift+ArrowDown')
    await page.getByRole('button', { name: 'Search this part' }).click()
    expect(new URL((await asked).url()).searchParams.get('box')).toBe('0.23,0.25,0.5,0.52')
    await eventually(async () => expect(new URL(page.url()).searchParams.get('like')).not.toBe(whole))
    await shown(chip(page))
    await page.getByRole('button', { name: 'Search a part' }).click()
    expect(await box(page).getAttribute('aria-label')).toContain('23')
  })
})
