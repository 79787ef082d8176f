import { computed, type ComputedRef } from 'vue'
import { useRoute, useRouter } from 'vue-router'
import { parseQuery, toLocation, type SearchQuery } from './query'

/** The query in the address bar; empty on other pages than the search. Changing it is a step one can go back from. */
export function useSearchQuery(): { query: ComputedRef<SearchQuery>; go(query: SearchQuery): Promise<void>; replace(query: SearchQuery): Promise<void> } {
  const route = useRoute()
  const router = useRouter()
  const query = computed(() => parseQuery(route.name === 'search' ? route.query : {}))
  return {
    query,
    async go(next) {
      await router.push({ name: 'search', query: toLocation(next) })
    },
    async replace(next) {
      await router.replace({ name: 'search', query: toLocation(next) })
    },
  }
}
