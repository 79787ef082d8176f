import { afterEach, describe, expect, it, vi } from 'vitest'
import { keyIn } from './accessKey'
import { useAccess } from './useAccess'

const answer = (status: number, body: object): Response => new Response(JSON.stringify(body), { status })
const refusal = (status: number, code: string): Response => answer(status, { title: 'Refused', status, code, detail: 'words' })
const ofReader = { key: 'reader', scope: 'search', expires_at: null }

afterEach(() => { vi.unstubAllGlobals() })

describe('a key', () => {
  it('is taken out of what was pasted', () => {
    expect(keyIn('  Bearer mgp_0123456789abcdef \n')).toBe('mgp_0123456789abcdef')
    expect(keyIn('mgp_012345; Path=/')).toBeNull()
    expect(keyIn('short')).toBeNull()
  })
})

describe('a server that asks for a key', () => {
  it('says why until it gets one it knows, and it alone keeps it', async () => {
    const fetch = vi.fn().mockResolvedValueOnce(refusal(401, 'key_unknown')).mockResolvedValueOnce(answer(200, ofReader))
    vi.stubGlobal('fetch', fetch)
    const { asked, session, unlock } = useAccess()
    expect(await unlock('not a key', false)).toBe(false)
    expect(fetch).not.toHaveBeenCalled()
    expect(await unlock('mgp_wrongwrong', false)).toBe(false)
    expect(asked.value).toBe('key_unknown')
    expect(await unlock('mgp_0123456789abcdef', true)).toBe(true)
    expect(fetch).toHaveBeenLastCalledWith('/api/v1/session', expect.objectContaining({ method: 'POST', body: '{"key":"mgp_0123456789abcdef","remember":true}' }))
    expect(session.value).toEqual(ofReader)
    expect(document.cookie).toBe('')
  })
  it('forgets it when asked to', async () => {
    const fetch = vi.fn().mockResolvedValueOnce(answer(200, ofReader)).mockResolvedValueOnce(refusal(503, 'overloaded')).mockResolvedValueOnce(answer(200, { key: null, scope: null, expires_at: null }))
    vi.stubGlobal('fetch', fetch)
    const { session, leave, load } = useAccess()
    await load()
    expect(session.value).toEqual(ofReader)
    expect(await leave()).toBe(false)
    expect(session.value).toEqual(ofReader)
    expect(await leave()).toBe(true)
    expect(fetch).toHaveBeenLastCalledWith('/api/v1/session', expect.objectContaining({ method: 'DELETE' }))
    expect(session.value?.key).toBeNull()
  })
})
