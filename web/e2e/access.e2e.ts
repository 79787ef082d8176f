import { describe, expect, it } from 'vitest'
import { cards, goto, newPage, shown, useBrowser } from './support/browser'

useBrowser()

const kKey = process.env['MAGPIE_E2E_KEY'] ?? ''
const kCookie = 'magpie_key'

/** On loopback no key is needed, so the first answers are a locked server's; the key itself is handed in to the real one. */
async function locked() {
  const page = await newPage()
  const refusal = JSON.stringify({ title: 'Unauthorized', status: 401, code: 'key_missing', detail: 'send a key' })
  await page.route('**/api/v1/search?**', (route) => route.fulfill({ status: 401, contentType: 'application/problem+json', body: refusal }))
  await page.goto('/')
  const dialog = page.getByRole('dialog', { name: 'This server asks for a key' })
  await shown(dialog)
  return { page, dialog }
}

describe('a server that asks for a key', () => {
  it('refuses a wrong one with its reason, and keeps a right one where no script can read it', async () => {
    const { page, dialog } = await locked()
    expect(await page.evaluate(() => document.activeElement?.getAttribute('type'))).toBe('password')
    await page.keyboard.type('mgp_0000000000000000')
    await page.keyboard.press('Enter')
    await shown(dialog.getByRole('alert').getByText('The server does not know this key.'))
    expect(await page.context().cookies()).toEqual([])

    await page.unroute('**/api/v1/search?**')
    expect(kKey).not.toBe('')
    await dialog.getByLabel('Key', { exact: true }).fill(`  ${kKey} `)
    await dialog.getByLabel('Remember it on this device').check()
    await dialog.getByRole('button', { name: 'Unlock' }).click()
    await shown(cards(page).first())
    const [cookie] = await page.context().cookies()
    expect(cookie).toMatchObject({ name: kCookie, value: kKey, httpOnly: true, sameSite: 'Strict', path: '/' })
    expect(cookie!.expires).toBeGreaterThan(Date.now() / 1000 + 80 * 24 * 3600)
    expect(await page.evaluate(() => document.cookie)).toBe('')

    await page.getByRole('button', { name: 'Forget the key “e2e” in this browser' }).click()
    await page.getByRole('button', { name: 'Forget the key “e2e” in this browser' }).waitFor({ state: 'hidden' })
    await shown(cards(page).first())
    expect(await page.context().cookies()).toEqual([])
  })
  it('can be left alone: Escape closes the question', async () => {
    const { page, dialog } = await locked()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
  })
})

describe('a server that asks for none', () => {
  it('shows nothing of keys', async () => {
    const page = await goto('/')
    await shown(cards(page).first())
    expect(await page.getByRole('button', { name: /key/i }).count()).toBe(0)
  })
})
