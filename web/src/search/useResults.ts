import { computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import type { SearchParameters } from '../api/client'
import { load, newList, resultCache, type ResultList } from './results'

const kSlowAfterMs = 3000

export interface Results {
  /** What to show: the list asked for, or the one before while that is under way. Null at the very first. */
  shown: ComputedRef<ResultList | null>
  /** A newer list than the shown one is under way. */
  isReplacing: ComputedRef<boolean>
  isSlow: Ref<boolean>
  more(): void
  retry(): void
}

/** Follows the parameters; null means that there is nothing to ask yet. */
export function useResults(parameters: () => SearchParameters | null): Results {
  const current = shallowRef<ResultList | null>(null)
  const before = shallowRef<ResultList | null>(null)
  const isSlow = ref(false)
  let abort: AbortController | undefined
  let slowTimer: ReturnType<typeof setTimeout> | undefined

  async function begin(list: ResultList): Promise<void> {
    abort = new AbortController()
    const mine = abort
    slowTimer = setTimeout(() => (isSlow.value = true), kSlowAfterMs)
    await load(list, mine.signal)
    if (abort === mine) stopWaiting()
  }
  function stopWaiting(): void {
    clearTimeout(slowTimer)
    isSlow.value = false
  }
  function follow(next: SearchParameters | null): void {
    abort?.abort()
    abort = undefined
    stopWaiting()
    if (current.value?.phase === 'ready' || current.value?.phase === 'more') before.value = current.value
    if (!next) {
      current.value = null
      return
    }
    const key = JSON.stringify(next)
    const kept = resultCache.get(key)
    // A list whose first page never came (the reader left, or it failed) is asked for anew.
    if (kept && kept.next > 0) {
      if (kept.phase === 'more') kept.phase = 'ready'
      current.value = kept
      return
    }
    const list = newList(next)
    resultCache.put(key, list)
    current.value = list
    void begin(list)
  }

  watch(() => JSON.stringify(parameters()), () => follow(parameters()), { immediate: true })
  onScopeDispose(() => {
    abort?.abort()
    stopWaiting()
  })

  const shown = computed(() => {
    const list = current.value
    return list && list.phase === 'loading' && before.value ? before.value : list
  })
  return {
    shown,
    isReplacing: computed(() => shown.value !== current.value),
    isSlow,
    more() {
      const list = current.value
      if (list && (list.phase === 'ready' || list.phase === 'more-failed') && !list.ended) void load(list, abort?.signal)
    },
    retry() {
      if (current.value) void begin(current.value)
    },
  }
}
