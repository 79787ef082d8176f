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
  let isGone = false

  async function handled(ask: () => Promise<Preview>): Promise<void> {
    try {
      const answer = await ask()
      if (isGone) return
      preview.value = answer
      problem.value = null
      clearTimeout(timer)
      if (!hasEnded(answer)) timer = setTimeout(() => void handled(() => getPreview(answer.preview_id)), kEveryMs)
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      problem.value = error.problem
    }
  }
  const isUnderway = computed(() => !!preview.value && !hasEnded(preview.value))

  async function start(wish: NewPreview): Promise<void> {
    close()
    isGone = false
    problem.value = null
    isStarting.value = true
    await handled(() => startPreview(wish))
    isStarting.value = false
  }
  async function stop(): Promise<void> {
    const shown = preview.value
    if (shown && isUnderway.value) await handled(() => cancelPreview(shown.preview_id))
  }
  /** Nothing is shown any more, and one under way is stopped. */
  function close(): void {
    clearTimeout(timer)
    if (preview.value && isUnderway.value) void cancelPreview(preview.value.preview_id).catch(() => undefined)
    isGone = true
    preview.value = null
  }
  onBeforeUnmount(close)
  return { preview, problem, isStarting, isUnderway, start, stop, close }
}
