// The key to a server that asks for one. It is kept as a cookie and nowhere else: pictures and the event stream of a page cannot carry a header, and
// so they need no other way. Strict: no other site's page can use it. It goes to this server only, over TLS where the page came that way.
const name = 'magpie_key'
const rememberedSeconds = 90 * 24 * 3600

/** `remember`: on this device for 90 days; else until the browser is closed. */
export function keepKey(key: string, remember: boolean): void {
  const secure = location.protocol === 'https:' ? '; Secure' : ''
  document.cookie = `${name}=${key}; Path=/; SameSite=Strict${secure}${remember ? `; Max-Age=${rememberedSeconds}` : ''}`
}

export function dropKey(): void {
  document.cookie = `${name}=; Path=/; SameSite=Strict; Max-Age=0`
}

/** What a person pastes, without what came along; nothing when it cannot be a key. */
export function keyIn(text: string): string | null {
  const key = text.trim().replace(/^bearer\s+/i, '')
  return /^[\w.~+/-]{8,512}$/.test(key) ? key : null
}
