import { onBeforeUnmount, onMounted, ref, type Ref } from 'vue'

/** The content width of an element, 0 before it is shown. */
export function useElementWidth(element: Ref<HTMLElement | null>): Ref<number> {
  const width = ref(0)
  const observer = new ResizeObserver(([entry]) => {
    if (entry) width.value = entry.contentRect.width
  })
  onMounted(() => {
    if (!element.value) return
    width.value = element.value.clientWidth
    observer.observe(element.value)
  })
  onBeforeUnmount(() => observer.disconnect())
  return width
}
