import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Hit, SearchAnswer } from '../api/schema'
import { load, newList, ResultCache } from './results'

const hit = (id: number): Hit => ({
  image_id: id, product_id: null, score: 0.5, page_url: 'http://a.test/', shop: 'a.test', title: `Picture ${id}`, alt: '', width: 4, height: 3,
  thumbnail: `/api/v1/images/${id}/thumbnail`, colour: '#000000', price: null, brand: null, category: null, copies: 0, by_looks: false, region: null, more_of_shop: 0, more_of_brand: 0, fetched_at: '2026-11-21T00:00:00Z',
})
const answer = (offset: number, ids: number[], total: number): SearchAnswer => ({
  total, listed: total, total_is_exact: true, any_word: false, meant: [], offset, limit: 60, took_ms: 1, query: { sort: 'relevance' }, hits: ids.map(hit),
  ...(offset === 0 && { facets: { shop: [], category: [], brand: [], colour: [], class: [], size: [], language: [], label: [], licence: [], price: [], date: [] } }),
})
function serverAnswers(...answers: (SearchAnswer | number)[]): ReturnType<typeof vi.fn> {
  const fetch = vi.fn(async (_path: string) => {
    const next = answers.shift()
    if (typeof next === 'number') return new Response(JSON.stringify({ title: 'x', status: next, code: 'overloaded', detail: 'Ask later.' }), { status: next })
    return new Response(JSON.stringify(next))
  })
  vi.stubGlobal('fetch', fetch)
  return fetch
}
afterEach(() => vi.unstubAllGlobals())

describe('a list of results', () => {
  it('asks for the next page where the server left off, and for facets once', async () => {
    const fetch = serverAnswers(answer(0, [1, 2, 3], 5), answer(3, [4, 5], 5))
    const list = newList({ q: 'horse' })
    await load(list)
    expect(list).toMatchObject({ phase: 'ready', total: 5, ended: false })
    await load(list)
    expect(list.hits.map((one) => one.image_id)).toEqual([1, 2, 3, 4, 5])
    expect(list).toMatchObject({ ended: true, facets: expect.anything() })
    expect(fetch.mock.calls.map(([path]) => path)).toEqual(['/api/v1/search?q=horse&offset=0&limit=60&facets=true', '/api/v1/search?q=horse&offset=3&limit=60'])
  })
  it('shows a picture once though the index grew between two pages', async () => {
    serverAnswers(answer(0, [9, 8], 4), answer(2, [8, 7], 5), answer(4, [6], 5))
    const list = newList({})
    await load(list)
    await load(list)
    await load(list)
    expect(list.hits.map((one) => one.image_id)).toEqual([9, 8, 7, 6])
    expect(list).toMatchObject({ ended: true, total: 5 })
  })
  it('ends on an empty page, whatever the total says', async () => {
    serverAnswers(answer(0, [1], 9), answer(1, [], 9))
    const list = newList({})
    await load(list)
    await load(list)
    expect(list.ended).toBe(true)
  })
  it('asks for one page at a time', async () => {
    const fetch = serverAnswers(answer(0, [1], 3), answer(1, [2], 3))
    const list = newList({})
    await load(list)
    await Promise.all([load(list), load(list)])
    expect(fetch).toHaveBeenCalledTimes(2)
  })
  it('keeps what it has when a later page fails, and can try again', async () => {
    serverAnswers(answer(0, [1], 2), 503, answer(1, [2], 2))
    const list = newList({})
    await load(list)
    await load(list)
    expect(list).toMatchObject({ phase: 'more-failed', problem: { code: 'overloaded', detail: 'Ask later.' } })
    await load(list)
    expect(list.hits).toHaveLength(2)
    expect(list.problem).toBeNull()
  })
  it('says so when no answer came', async () => {
    vi.stubGlobal('fetch', vi.fn().mockRejectedValue(new TypeError('failed to fetch')))
    const list = newList({})
    await load(list)
    expect(list).toMatchObject({ phase: 'failed', problem: { code: 'unreachable' } })
  })
  it('says so when the answer is not the interface\'s', async () => {
    vi.stubGlobal('fetch', vi.fn().mockResolvedValue(new Response('<html>', { status: 502, statusText: 'Bad Gateway' })))
    const list = newList({})
    await load(list)
    expect(list.problem).toMatchObject({ code: 'answer_unreadable', detail: '502 Bad Gateway' })
  })
})

describe('the cache', () => {
  it('drops the list that was not used for longest', () => {
    const cache = new ResultCache(2)
    cache.put('a', newList({}))
    cache.put('b', newList({}))
    cache.get('a')
    cache.put('c', newList({}))
    expect([cache.get('a'), cache.get('b'), cache.get('c')].map(Boolean)).toEqual([true, false, true])
  })
})
