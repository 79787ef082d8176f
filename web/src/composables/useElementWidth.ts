import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** The width of an element without padding, in whole pixels rounded down so that what is fitted into it never wraps; 0 before it is shown. */
export function useElementWidth(element: Ref<HTMLElement | null>): Ref<number> {
  const width = ref(0)
  const observer = new ResizeObserver(([entry]) => {
    if (entry) width.value = Math.floor(entry.contentRect.width)
  })
  onMounted(() => {
    if (!element.value) return
    width.value = Math.floor(element.value.getBoundingClientRect().width)
    observer.observe(element.value)
  })
  onBeforeUnmount(() => observer.disconnect())
  return width
}
