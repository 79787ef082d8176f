import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { defineComponent } from 'vue'
import type { Preview } from '../api/schema'
import { usePreview } from './usePreview'

const asked: string[] = []
const preview = (state: Preview['state'], pages: number): Preview => ({
  preview_id: 7, state, pages, failed: 0, message: null, created_at: '2026-11-22T12:00:00Z', picture_side_min: 500, products: [], yield: null,
  shop: { name: null, address: 'https://shop.test/', profile: 'any', state: 'queued', schedule: null, render: null, delay: null, max_pages: null },
})
let answers: Record<string, () => { status: number; body: unknown }> = {}

function used() {
  let preview!: ReturnType<typeof usePreview>
  const wrapper = mount(defineComponent({ setup: () => ((preview = usePreview()), () => null) }))
  return { wrapper, ...preview }
}

beforeEach(() => {
  vi.useFakeTimers()
  asked.length = 0
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path)
    const { status, body } = answers[path]?.() ?? { status: 404, body: { title: '', status: 404, code: 'preview_not_found', detail: `nothing at ${path}` } }
    return Promise.resolve(new Response(JSON.stringify(body), { status }))
  })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

describe('a preview', () => {
  it('is asked for again until it has ended, and then no more', async () => {
    let pages = 0
    answers = {
      '/api/v1/previews': () => ({ status: 201, body: preview('running', 0) }),
      '/api/v1/previews/7': () => ({ status: 200, body: preview(++pages === 3 ? 'finished' : 'running', pages) }),
    }
    const { start, preview: shown, isUnderway } = used()
    await start({ address: 'shop.test', count: 10 })
    expect(isUnderway.value).toBe(true)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(shown.value?.pages).toBe(3)
    expect(isUnderway.value).toBe(false)
    expect(asked).toHaveLength(4)
  })
  it('goes on after an answer that failed, and ends when the server knows it no more', async () => {
    let asks = 0
    const trouble = { status: 503, body: { title: '', status: 503, code: 'overloaded', detail: 'later' } }
    answers = {
      '/api/v1/previews': () => ({ status: 201, body: preview('running', 0) }),
      '/api/v1/previews/7': () => ++asks === 1 ? trouble : asks < 4 ? { status: 200, body: preview('running', asks) } : { status: 404, body: { title: '', status: 404, code: 'preview_not_found', detail: 'gone' } },
    }
    const { start, preview: shown, isUnderway } = used()
    await start({ address: 'shop.test', count: 10 })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(shown.value?.pages).toBe(3)
    expect(isUnderway.value).toBe(false)
    expect(asks).toBe(4)
  })
  it('that begins after it was closed is stopped', async () => {
    answers = { '/api/v1/previews': () => ({ status: 201, body: preview('running', 0) }) }
    const { start, close, preview: shown } = used()
    const begun = start({ address: 'shop.test', count: 10 })
    close()
    await begun
    await vi.advanceTimersByTimeAsync(10_000)
    expect(shown.value).toBeNull()
    expect(asked).toEqual(['/api/v1/previews', '/api/v1/previews/7/cancel'])
  })
  it('is stopped when nobody looks any more', async () => {
    answers = { '/api/v1/previews': () => ({ status: 201, body: preview('running', 0) }) }
    const { start, wrapper } = used()
    await start({ address: 'shop.test', count: 10 })
    wrapper.unmount()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toEqual(['/api/v1/previews', '/api/v1/previews/7/cancel'])
  })
  it('that is refused says why', async () => {
    answers = { '/api/v1/previews': () => ({ status: 409, body: { title: '', status: 409, code: 'shop_busy', detail: 'the host is being crawled' } }) }
    const { start, preview: shown, problem, isStarting } = used()
    await start({ address: 'shop.test', count: 10 })
    expect([shown.value, problem.value?.detail, isStarting.value]).toEqual([null, 'the host is being crawled', false])
  })
})
