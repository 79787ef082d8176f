import { describe, expect, it } from 'vitest'
import type { Shop } from '../api/schema'
import { choiceOf, hostOf, isCrawled, kEmptyForm, newShop, previewOf, scheduleOf } from './form'
import { withShop } from './useShops'

describe('the form', () => {
  it('gives what a shop file has', () => {
    expect(newShop({ address: ' shop.test ', profile: 'fashion', schedule: '12h', delaySeconds: '0,5', pagesMax: '500' }))
      .toEqual({ address: 'shop.test', profile: 'fashion', schedule: { every: '12h' }, delay: '500ms', max_pages: 500 })
  })
  it('leaves out what is empty or no number', () => {
    expect(newShop({ ...kEmptyForm, address: 'shop.test', schedule: 'once', delaySeconds: 'soon', pagesMax: '-3' })).toEqual({ address: 'shop.test', profile: 'any', schedule: null })
  })
  it('takes no pause at its word', () => {
    expect(newShop({ ...kEmptyForm, address: 'shop.test', delaySeconds: '0' })?.delay).toBe('0ms')
  })
  it('is nothing without an address', () => {
    expect(newShop({ ...kEmptyForm, address: ' ' })).toBeNull()
  })
})

describe('a preview', () => {
  it('is as the shop would be, but of its own size', () => {
    expect(previewOf({ address: 'shop.test', profile: 'art', schedule: { every: '1d' }, delay: '2s', max_pages: 9000 })).toEqual({ address: 'shop.test', count: 10, profile: 'art', delay: '2s' })
  })
})

describe('a schedule', () => {
  it.each([['once', null], ['6h', { every: '6h' }], ['7d', { every: '7d' }]] as const)('%s is chosen and shown', (choice, schedule) => {
    expect(scheduleOf(choice)).toEqual(schedule)
    expect(choiceOf(schedule)).toBe(choice)
  })
  it.each([[{ every: '90m' }], [{ at: ['06:00'] }]])('%j of a file is none of the choices', (schedule) => {
    expect(choiceOf(schedule)).toBeNull()
  })
})

const shop = (name: string, more: Partial<Shop> = {}): Shop => ({
  name, address: `https://${name}/`, profile: 'any', state: 'queued', schedule: null, render: null, delay: null, max_pages: null, next_at: null, picture_side_min: 500, yield: null, job: null, ...more,
})

describe('the list', () => {
  it('keeps a changed shop in its place, and takes a new one where its name belongs', () => {
    const shops = [shop('a.test'), shop('c.test')]
    expect(withShop(shops, shop('a.test', { state: 'active' })).map(({ name, state }) => `${name} ${state}`)).toEqual(['a.test active', 'c.test queued'])
    expect(withShop(shops, shop('b.test')).map(({ name }) => name)).toEqual(['a.test', 'b.test', 'c.test'])
  })
  it.each([['queued', true], ['running', true], ['cancelling', true], ['finished', false], ['failed', false]])('a shop whose crawl is %s is being crawled: %s', (state, is) => {
    expect(isCrawled(shop('a.test', { job: { state } as Shop['job'] }))).toBe(is)
  })
  it('without a crawl it is not', () => {
    expect(isCrawled(shop('a.test'))).toBe(false)
  })
  it.each([['https://shop.test:81/de', 'shop.test:81'], ['nothing', 'nothing']])('%s is shown as %s', (address, host) => {
    expect(hostOf(address)).toBe(host)
  })
})
