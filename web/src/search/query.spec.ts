import { describe, expect, it } from 'vitest'
import { likePicture, likeUpload } from './asked'
import { parseQuery as parse, filterCount, isBlank, kEmptyQuery, keyOf, toggled, toLocation, withoutFilters, type SearchQuery } from './query'

const full: SearchQuery = {
  q: 'red horse', like: [likePicture(12, 3), { ...likePicture(13, 1), weight: 0.5 }], unlike: [{ ...likePicture(14), weight: 0.5 }], sameClass: false, shop: ['a.test', 'b.test:8080'], category: ['Animals'], brand: ['Alder & Co'], colour: ['red'], class: ['Footwear'], size: ['M', '38'], language: ['de'], label: ['cat'], licence: ['CC BY'],
  priceMin: '10', priceMax: '99.90', currency: 'EUR', since: '2026-11-21T10:00:00Z', until: '2026-11-22T10:00:00Z', pixelsMin: 250000, pixelsMax: 9000000, perShop: 3, perBrand: 7, beyond: true, sort: 'price',
}
// As the router reads it back: all values are text.
const read = (query: SearchQuery): SearchQuery =>
  parse(Object.fromEntries(Object.entries(toLocation(query)).map(([key, value]) => [key, Array.isArray(value) ? value.map(String) : String(value)])))

describe('the query in the address', () => {
  it('comes back as it was written', () => {
    expect(read(full)).toEqual(full)
    expect(read({ ...kEmptyQuery })).toEqual(kEmptyQuery)
    expect(read({ ...kEmptyQuery, like: [likeUpload('abcdefghijklmnop')] }).like).toEqual([likeUpload('abcdefghijklmnop')])
  })
  it('is short when nothing is asked', () => {
    expect(toLocation(kEmptyQuery)).toEqual({})
  })
  it.each([
    [{ like: 'x' }], [{ like: '-1' }], [{ like: '0' }], [{ picture: 'short' }], [{ picture: 'with space and more' }], [{ colour: 'mauve' }], [{ region: '2' }], [{ unlike: '3.9' }], [{ pixels_min: '0' }], [{ per_shop: '0' }], [{ per_brand: '101' }], [{ pixels_max: '-4' }], [{ until: 'tomorrow' }], [{ same_class: 'false' }], [{ sort: 'random' }],
    [{ since: 'yesterday' }], [{ currency: 'euro' }], [{ price_min: '5' }], [{ shop: '' }], [{ q: '   ' }], [{ q: null }],
  ])('drops what is malformed: %j', (raw) => {
    expect(isBlank(parse(raw))).toBe(true)
  })
  it('drops an amount that is none', () => {
    expect(parse({ currency: 'EUR', price_min: '-5', price_max: '1e3' })).toMatchObject({ currency: 'EUR', priceMin: null, priceMax: null })
  })
  it('drops a range the wrong way round', () => {
    expect(parse({ currency: 'EUR', price_min: '50', price_max: '5' })).toMatchObject({ currency: 'EUR', priceMin: null, priceMax: null })
    expect(parse({ currency: 'EUR', price_min: '5', price_max: '5' })).toMatchObject({ priceMin: '5', priceMax: '5' })
    expect(isBlank(parse({ pixels_min: '200', pixels_max: '100' }))).toBe(true)
    expect(isBlank(parse({ since: '2026-11-22T10:00:00Z', until: '2026-11-22T10:00:00Z' }))).toBe(true)
  })
  it('reads values as the server keeps them', () => {
    expect(parse({ colour: ['Red', 'red'], language: ['EN', 'en-GB', 'german'] })).toMatchObject({ colour: ['red'], language: ['en'] })
    expect(parse({ q: 'red\u0000\u001Bchair\u007F' }).q).toBe('red  chair')
  })
  it('takes a repeated value once, and older spellings of pictures', () => {
    expect(parse({ shop: ['a', 'a', 'b'] }).shop).toEqual(['a', 'b'])
    expect(parse({ like: '3', picture: 'abcdefghijklmnop' }).like).toEqual([likePicture(3), likeUpload('abcdefghijklmnop')])
    expect(parse({ like: '3', region: '2' }).like).toEqual([likePicture(3, 2)])
    expect(parse({ like: ['3', '4', 'x'], region: '2' }).like).toEqual([likePicture(3), likePicture(4)])
  })
  it('cuts words that are longer than the server takes', () => {
    expect(parse({ q: 'x'.repeat(600) }).q).toHaveLength(500)
  })
})

describe('filters', () => {
  it('are counted, price, time and size as one each', () => {
    expect(filterCount(full)).toBe(14)
    expect(filterCount(withoutFilters(full))).toBe(0)
  })
  it('go without the words and the picture going', () => {
    expect(withoutFilters(full)).toMatchObject({ q: 'red horse', like: full.like, unlike: full.unlike, sort: 'price' })
  })
  it('are added and taken away by the same step', () => {
    const more = toggled(full, 'brand', 'Kestrel')
    expect(more.brand).toEqual(['Alder & Co', 'Kestrel'])
    expect(toggled(more, 'brand', 'Kestrel')).toEqual(full)
  })
  it('make another key', () => {
    expect(keyOf(toggled(full, 'brand', 'Kestrel'))).not.toBe(keyOf(full))
    expect(keyOf({ ...full })).toBe(keyOf(full))
  })
})
