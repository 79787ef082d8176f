import { afterEach, describe, expect, it, vi } from 'vitest'
import { dropKey, keepKey, keyIn } from './accessKey'
import { useAccess } from './useAccess'

const answer = (status: number, body: object): Response => new Response(JSON.stringify(body), { status })
const refusal = (status: number, code: string): Response => answer(status, { title: 'Refused', status, code, detail: 'words' })

afterEach(() => {
  vi.unstubAllGlobals()
  dropKey()
})

describe('a key', () => {
  it('is taken out of what was pasted', () => {
    expect(keyIn('  Bearer mgp_0123456789abcdef \n')).toBe('mgp_0123456789abcdef')
    expect(keyIn('mgp_012345; Path=/')).toBeNull()
    expect(keyIn('short')).toBeNull()
  })
  it('is kept as a cookie until it is dropped', () => {
    keepKey('mgp_0123456789abcdef', false)
    expect(document.cookie).toContain('magpie_key=mgp_0123456789abcdef')
    dropKey()
    expect(document.cookie).not.toContain('mgp_')
  })
})

describe('a server that asks for a key', () => {
  it('says why until it gets one it knows', async () => {
    const fetch = vi.fn().mockResolvedValueOnce(refusal(401, 'key_unknown')).mockResolvedValueOnce(answer(200, {}))
    vi.stubGlobal('fetch', fetch)
    const { asked, unlock } = useAccess()
    expect(await unlock('mgp_wrongwrong', false)).toBe(false)
    expect(asked.value).toBe('key_unknown')
    expect(document.cookie).not.toContain('mgp_')
    expect(await unlock('mgp_0123456789abcdef', true)).toBe(true)
    expect(document.cookie).toContain('mgp_0123456789abcdef')
  })
})
