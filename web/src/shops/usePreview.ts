// One preview at a time: begun, asked for again until it has ended, and stopped when nobody looks any more.
import { computed, onBeforeUnmount, ref, shallowRef } from 'vue'
import { cancelPreview, getPreview, ProblemError, startPreview } from '../api/client'
import type { NewPreview, Preview, Problem } from '../api/schema'

const kEveryMs = 800

export const hasEnded = (preview: Preview): boolean => ['finished', 'cancelled', 'failed'].includes(preview.state)

export function usePreview() {
  const preview = shallowRef<Preview | null>(null)
  const problem = shallowRef<Problem | null>(null)
  const isStarting = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  /** Of the preview that is looked at; answers about an earlier one come to nothing. */
  let current = 0

  async function handled(ask: () => Promise<Preview>, of: number): Promise<void> {
    try {
      const answer = await ask()
      if (of !== current) {
        if (!hasEnded(answer)) void cancelPreview(answer.preview_id).catch(() => undefined)
        return
      }
      preview.value = answer
      problem.value = null
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      if (of !== current) return
      problem.value = error.problem
      if (error.problem.status === 404 && preview.value) preview.value = { ...preview.value, state: 'failed' }
    }
    clearTimeout(timer)
    const shown = preview.value
    if (shown && !hasEnded(shown)) timer = setTimeout(() => void handled(() => getPreview(shown.preview_id), of), kEveryMs)
  }
  const isUnderway = computed(() => !!preview.value && !hasEnded(preview.value))

  async function start(wish: NewPreview): Promise<void> {
    close()
    const mine = current
    problem.value = null
    isStarting.value = true
    await handled(() => startPreview(wish), mine)
    if (mine === current) isStarting.value = false
  }
  async function stop(): Promise<void> {
    const shown = preview.value
    if (shown && isUnderway.value) await handled(() => cancelPreview(shown.preview_id), current)
  }
  /** Nothing is shown any more, and one under way is stopped. */
  function close(): void {
    clearTimeout(timer)
    if (preview.value && isUnderway.value) void cancelPreview(preview.value.preview_id).catch(() => undefined)
    ++current
    isStarting.value = false
    preview.value = null
  }
  onBeforeUnmount(close)
  return { preview, problem, isStarting, isUnderway, start, stop, close }
}
