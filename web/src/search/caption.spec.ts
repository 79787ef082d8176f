import { expect, it } from 'vitest'
import { captionOf } from './caption'

it.each([
  [{ title: 'Horse', alt: 'a horse, seen from the left' }, true, 'Horse'],
  [{ title: 'Birds, page 2', alt: 'A hen' }, false, 'A hen'],
  [{ title: 'Birds, page 2', alt: '' }, false, 'Birds, page 2'],
])('%j with a product: %s', (picture, hasProduct, caption) => {
  expect(captionOf(picture, hasProduct)).toBe(caption)
})
