import { afterEach, describe, expect, it, vi } from 'vitest'
import { cancelJob, getImage, ProblemError, searchByPicture, toQueryString } from './client'

afterEach(() => vi.unstubAllGlobals())

describe('toQueryString', () => {
  it('repeats the key of a list and leaves out what is empty', () => {
    expect(toQueryString({ q: 'a&b', shop: ['x', 'y'], brand: [], since: undefined, currency: '', limit: 0 })).toBe('?q=a%26b&shop=x&shop=y&limit=0')
    expect(toQueryString({})).toBe('')
  })
})

describe('a request', () => {
  it('throws the problem the server tells', async () => {
    vi.stubGlobal('fetch', vi.fn().mockResolvedValue(new Response('{"title":"Not Found","status":404,"code":"image_not_found","detail":"no picture has the id 7"}', { status: 404 })))
    const error = await getImage(7).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(ProblemError)
    expect(error).toMatchObject({ code: 'image_not_found', message: 'no picture has the id 7' })
  })
  it('lets an abort pass as it is', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new DOMException('gone', 'AbortError')))
    await expect(getImage(7)).rejects.toMatchObject({ name: 'AbortError' })
  })
  it('sends a picture as it is, with the filters in the address', async () => {
    const fetch = vi.fn().mockResolvedValue(new Response('{}'))
    vi.stubGlobal('fetch', fetch)
    const picture = new Blob(['x'], { type: 'image/png' })
    await searchByPicture(picture, { q: 'horse' })
    expect(fetch).toHaveBeenCalledWith('/api/v1/search?q=horse', expect.objectContaining({ method: 'POST', body: picture, headers: expect.objectContaining({ 'Content-Type': 'image/png' }) }))
  })
  it('that changes something is JSON, even without content', async () => {
    const fetch = vi.fn().mockResolvedValue(new Response('{}'))
    vi.stubGlobal('fetch', fetch)
    await cancelJob(3)
    expect(fetch).toHaveBeenCalledWith('/api/v1/jobs/3/cancel', expect.objectContaining({ body: '{}', headers: expect.objectContaining({ 'Content-Type': 'application/json' }) }))
  })
})
