import { describe, expect, it } from 'vitest'
import { createI18n } from 'vue-i18n'
import de from './locales/de'
import en from './locales/en'
import fa from './locales/fa'

function flat(tree: object, prefix = ''): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]) => (typeof value === 'string' ? [[prefix + key, value]] : flat(value as object, `${prefix}${key}.`)) as [string, string][])
}
const holes = (text: string): string[] => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort()

describe.each([['de', de], ['fa', fa]])('the messages in %s', (_name, messages) => {
  const english = new Map(flat(en))
  it('are the same set, none empty', () => {
    expect(flat(messages).map(([key]) => key).sort()).toEqual([...english.keys()].sort())
    expect(flat(messages).filter(([, text]) => text.trim() === '')).toEqual([])
  })
  it('have the same holes to fill', () => {
    const different = flat(messages).filter(([key, text]) => holes(text).join() !== holes(english.get(key) ?? '').join())
    expect(different).toEqual([])
  })
  it('compile, plurals and special characters included', () => {
    const { t } = createI18n({ legacy: false, locale: 'x', messages: { x: messages } }).global
    expect(t('search.total', { n: '1.204' }, 1204)).toContain('1.204')
    expect(t('search.forWords', { words: 'a|b {c}' })).toContain('a|b {c}')
  })
})
