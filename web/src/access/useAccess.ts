import { shallowRef } from 'vue'
import { closeSession, getSession, onRefused, openSession, ProblemError } from '../api/client'
import type { Session } from '../api/schema'
import { keyIn } from './accessKey'

/** Why the server asks for a key, as it says it; null while it does not. One for the whole app. */
const asked = shallowRef<string | null>(null)
/** Whose key this browser has. */
const session = shallowRef<Session | null>(null)
onRefused((problem) => { asked.value = problem.code })

export function useAccess() {
  /** True when the server takes the key: then the page is to be loaded anew, with pictures and all. `remember`: on this device for 90 days; else until the browser is closed. */
  async function unlock(text: string, remember: boolean): Promise<boolean> {
    const key = keyIn(text)
    if (key === null) {
      asked.value = 'key_unknown'
      return false
    }
    try {
      session.value = await openSession({ key, remember })
      return true
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      asked.value = error.code
      return false
    }
  }
  /** Has the browser forget the key. True when it has: then the page is to be loaded anew. */
  async function leave(): Promise<boolean> {
    try {
      session.value = await closeSession()
      return true
    } catch {
      return false
    }
  }
  async function load(): Promise<void> {
    try {
      session.value = await getSession()
    } catch {
      session.value = null // the dialog asks, where the key is no good
    }
  }
  const dismiss = (): void => { asked.value = null }
  return { asked, session, unlock, leave, load, dismiss }
}
