// Shops as the server has them, asked for again every few seconds: their files may be changed by commands and editors, too.
import { onBeforeUnmount, ref, shallowRef } from 'vue'
import { listShops, ProblemError } from '../api/client'
import type { Problem, Shop, ShopList } from '../api/schema'

const kEveryMs = 3000

/** In its place, or where its name belongs. */
export function withShop(shops: readonly Shop[], shop: Shop): Shop[] {
  return [...shops.filter((other) => other.name !== shop.name), shop].sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function useShops() {
  const shops = shallowRef<readonly Shop[]>([])
  const profiles = shallowRef<ShopList['profiles']>([])
  const unreadable = shallowRef<readonly string[]>([])
  const problem = shallowRef<Problem | null>(null)
  const isLoaded = ref(false)
  let timer: ReturnType<typeof setTimeout> | undefined
  let changes = 0
  let isGone = false

  async function refresh(): Promise<void> {
    clearTimeout(timer)
    const before = changes
    try {
      const list = await listShops()
      // An answer from before a change would show for a moment what is no longer so.
      if (before === changes) shops.value = list.shops
      profiles.value = list.profiles
      unreadable.value = list.problems
      problem.value = null
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      problem.value = error.problem
    } finally {
      isLoaded.value = true
      clearTimeout(timer)
      if (!isGone) timer = setTimeout(() => void (document.hidden ? wait() : refresh()), kEveryMs)
    }
  }
  function wait(): void {
    document.addEventListener('visibilitychange', () => void refresh(), { once: true })
  }
  void refresh()
  onBeforeUnmount(() => {
    isGone = true
    clearTimeout(timer)
  })

  return {
    shops, profiles, unreadable, problem, isLoaded, refresh,
    put(shop: Shop): void {
      changes += 1
      shops.value = withShop(shops.value, shop)
    },
    drop(name: string): void {
      changes += 1
      shops.value = shops.value.filter((shop) => shop.name !== name)
    },
  }
}
