import { shallowRef } from 'vue'
import { getStats, onRefused, ProblemError } from '../api/client'
import { dropKey, keepKey, keyIn } from './accessKey'

/** Why the server asks for a key, as it says it; null while it does not. One for the whole app. */
const asked = shallowRef<string | null>(null)
onRefused((problem) => { asked.value = problem.code })

export function useAccess() {
  /** True when the server takes the key: then the page is to be loaded anew, with pictures and all. */
  async function unlock(text: string, remember: boolean): Promise<boolean> {
    const key = keyIn(text)
    if (key === null) {
      asked.value = 'key_unknown'
      return false
    }
    keepKey(key, remember)
    try {
      await getStats()
      return true
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      dropKey()
      asked.value = error.code
      return false
    }
  }
  const dismiss = (): void => { asked.value = null }
  return { asked, unlock, dismiss }
}
