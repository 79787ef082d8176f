import { ref } from 'vue'

export const kThemes = ['system', 'light', 'dark'] as const
export type Theme = (typeof kThemes)[number]
const kStorageKey = 'magpie.theme' // also in public/first-paint.js

function stored(): Theme {
  const own = document.documentElement.dataset['theme']
  return own === 'light' || own === 'dark' ? own : 'system'
}
const theme = ref<Theme>(stored())

export function useTheme() {
  return {
    theme,
    choose(next: Theme): void {
      theme.value = next
      if (next === 'system') delete document.documentElement.dataset['theme']
      else document.documentElement.dataset['theme'] = next
      try {
        localStorage.setItem(kStorageKey, next)
      } catch {
        // It then lasts as long as the page.
      }
    },
  }
}
