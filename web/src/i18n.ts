// Languages. English is part of the program, the others are loaded when chosen; each must have every message (satisfies Messages).
import { createI18n } from 'vue-i18n'
import en from './locales/en'

type Texts<Tree> = { [Key in keyof Tree]: Tree[Key] extends string ? string : Texts<Tree[Key]> }
export type Messages = Texts<typeof en>

export const kLanguages = { en: 'English', de: 'Deutsch', fa: 'فارسی' } as const
export type Language = keyof typeof kLanguages
const kStorageKey = 'magpie.language'

const loaders: Record<Exclude<Language, 'en'>, () => Promise<{ default: Messages }>> = {
  de: () => import('./locales/de'),
  fa: () => import('./locales/fa'),
}

export const i18n = createI18n({ legacy: false, locale: 'en' as string, fallbackLocale: 'en', messages: { en } as Record<string, Messages> })

const isLanguage = (name: string | null | undefined): name is Language => !!name && name in kLanguages

export function preferredLanguage(): Language {
  try {
    const stored = localStorage.getItem(kStorageKey)
    if (isLanguage(stored)) return stored
  } catch {
    // Storage may be forbidden.
  }
  const own = navigator.languages.map((tag) => tag.slice(0, 2)).find(isLanguage)
  return own ?? 'en'
}

export async function useLanguage(language: Language): Promise<void> {
  if (language !== 'en' && !i18n.global.availableLocales.includes(language)) {
    i18n.global.setLocaleMessage(language, (await loaders[language]()).default)
  }
  i18n.global.locale.value = language
  document.documentElement.lang = language
  document.documentElement.dir = language === 'fa' ? 'rtl' : 'ltr'
}

export function chooseLanguage(language: Language): Promise<void> {
  try {
    localStorage.setItem(kStorageKey, language)
  } catch {
    // It then lasts as long as the page.
  }
  return useLanguage(language)
}
