import { onBeforeUnmount, onMounted, watch, type Ref } from 'vue'

/** Calls `reached` whenever the element is within `ahead` pixels of the window, again each time `rearm` changes while it still is. */
export function useNearEnd(element: Ref<HTMLElement | null>, rearm: () => unknown, reached: () => void, ahead = 1200): void {
  const observer = new IntersectionObserver(
    (entries) => {
      // A busy page gets several at once, oldest first; only the last says how it is now.
      if (entries.at(-1)?.isIntersecting) reached()
    },
    { rootMargin: `0px 0px ${ahead}px 0px` },
  )
  const observe = (): void => {
    observer.disconnect()
    if (element.value) observer.observe(element.value)
  }
  onMounted(observe)
  watch([element, rearm], observe, { flush: 'post' })
  onBeforeUnmount(() => observer.disconnect())
}
