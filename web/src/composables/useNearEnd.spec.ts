import { mount } from '@vue/test-utils'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { defineComponent, h, nextTick, ref } from 'vue'
import { useNearEnd } from './useNearEnd'

let deliver: (entries: { isIntersecting: boolean }[]) => void
const observe = vi.fn()
beforeEach(() => {
  observe.mockClear()
  vi.stubGlobal('IntersectionObserver', class {
    constructor(callback: typeof deliver) {
      deliver = callback
    }
    observe = observe
    disconnect = vi.fn()
  })
})
afterEach(() => vi.unstubAllGlobals())

function mounted() {
  const reached = vi.fn()
  const count = ref(0)
  const wrapper = mount(defineComponent(() => {
    const end = ref<HTMLElement | null>(null)
    useNearEnd(end, () => count.value, reached)
    return () => h('div', { ref: end })
  }))
  return { reached, count, wrapper }
}

it('goes by the latest of several reports', () => {
  const { reached } = mounted()
  deliver([{ isIntersecting: false }, { isIntersecting: true }])
  expect(reached).toHaveBeenCalledTimes(1)
  deliver([{ isIntersecting: true }, { isIntersecting: false }])
  expect(reached).toHaveBeenCalledTimes(1)
})

it('asks anew after each page, in case the end is still near', async () => {
  const { count } = mounted()
  expect(observe).toHaveBeenCalledTimes(1)
  count.value = 60
  await nextTick()
  expect(observe).toHaveBeenCalledTimes(2)
})
