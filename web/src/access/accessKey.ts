// The key to a server that asks for one. This page hands it in and keeps it nowhere: the server sets it as a cookie that no script can read,
// since pictures and the event stream of a page cannot carry a header.

/** What a person pastes, without what came along; nothing when it cannot be a key. */
export function keyIn(text: string): string | null {
  const key = text.trim().replace(/^bearer\s+/i, '')
  return /^[\w.~+/-]{8,512}$/.test(key) ? key : null
}
