// What is searched for, as the address bar keeps it. The page's own parameters have the interface's names, so that one can
// be read from the other.
import type { LocationQuery, LocationQueryRaw, LocationQueryValue } from 'vue-router'
import type { SearchParameters } from '../api/client'
import type { ColourName } from '../api/schema'

export const kColours: readonly ColourName[] = ['black', 'white', 'grey', 'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown']
export const kSorts = ['relevance', 'newest', 'price'] as const
export type Sort = (typeof kSorts)[number]

/** Filters of several values each; the names are also those of the facets. */
export type ListFilter = 'shop' | 'category' | 'brand' | 'colour' | 'class'
export const kListFilters: readonly ListFilter[] = ['category', 'shop', 'brand', 'class', 'colour']

export interface SearchQuery {
  q: string
  like: number | null
  /** What was detected in that picture under this number, in place of the whole. */
  region: number | null
  /** With a region: only among things of its class. */
  sameClass: boolean
  picture: string | null
  shop: string[]
  category: string[]
  brand: string[]
  colour: string[]
  class: string[]
  priceMin: string | null
  priceMax: string | null
  currency: string | null
  since: string | null
  /** Also pictures beyond the point where relevance ends. */
  beyond: boolean
  sort: Sort
}

export const kEmptyQuery: Readonly<SearchQuery> = {
  q: '', like: null, region: null, sameClass: true, picture: null, shop: [], category: [], brand: [], colour: [], class: [],
  priceMin: null, priceMax: null, currency: null, since: null, beyond: false, sort: 'relevance',
}

type Raw = LocationQueryValue | LocationQueryValue[] | undefined
const first = (raw: Raw): string => (Array.isArray(raw) ? raw[0] : raw) ?? ''
const all = (raw: Raw): string[] => [...new Set((Array.isArray(raw) ? raw : [raw]).filter((value): value is string => !!value))]
const matching = (raw: Raw, pattern: RegExp): string | null => (pattern.test(first(raw)) ? first(raw) : null)

const kAmount = /^\d{1,15}(\.\d{1,4})?$/

/** Reads an address; what is malformed there (by hand, or by an old link) is dropped rather than sent. */
export function parseQuery(raw: LocationQuery): SearchQuery {
  const like = Number(matching(raw['like'], /^[1-9]\d{0,15}$/))
  const region = like > 0 ? Number(matching(raw['region'], /^[1-8]$/)) : 0
  const picture = like > 0 ? null : matching(raw['picture'], /^[\w-]{16,64}$/)
  const currency = matching(raw['currency'], /^[A-Z]{3}$/)
  const since = first(raw['since'])
  return {
    q: first(raw['q']).trim().slice(0, 500),
    like: like > 0 ? like : null,
    region: region > 0 ? region : null,
    sameClass: region === 0 || first(raw['same_class']) !== 'false',
    picture,
    shop: all(raw['shop']),
    category: all(raw['category']),
    brand: all(raw['brand']),
    colour: all(raw['colour']).filter((name) => (kColours as readonly string[]).includes(name)),
    class: all(raw['class']),
    priceMin: currency ? matching(raw['price_min'], kAmount) : null,
    priceMax: currency ? matching(raw['price_max'], kAmount) : null,
    currency,
    since: /^\d{4}-\d\d-\d\dT/.test(since) && !Number.isNaN(Date.parse(since)) ? since : null,
    beyond: (like > 0 || !!picture) && first(raw['beyond']) === 'true',
    sort: kSorts.find((sort) => sort === first(raw['sort'])) ?? 'relevance',
  }
}

function entries(query: SearchQuery): SearchParameters {
  return {
    ...(query.q && { q: query.q }),
    ...(query.like && { like: [query.like] }),
    ...(query.region && { region: query.region }),
    ...(!query.sameClass && { same_class: false }),
    ...(query.picture && { picture: query.picture }),
    ...(query.category.length && { category: query.category }),
    ...(query.shop.length && { shop: query.shop }),
    ...(query.brand.length && { brand: query.brand }),
    ...(query.colour.length && { colour: query.colour as ColourName[] }),
    ...(query.class.length && { class: query.class }),
    ...(query.priceMin && { price_min: query.priceMin }),
    ...(query.priceMax && { price_max: query.priceMax }),
    ...(query.currency && { currency: query.currency }),
    ...(query.since && { since: query.since }),
    ...(query.beyond && { beyond: true }),
    ...(query.sort !== 'relevance' && { sort: query.sort }),
  }
}

export const toLocation = (query: SearchQuery): LocationQueryRaw => ({ ...entries(query), ...(query.beyond && { beyond: 'true' }), ...(!query.sameClass && { same_class: 'false' }) }) as LocationQueryRaw
export const toParameters = entries
/** Equal for equal queries: the key under which results are kept. */
export const keyOf = (query: SearchQuery): string => JSON.stringify(entries(query))

export const hasPicture = (query: SearchQuery): boolean => query.like !== null || query.picture !== null
export const isBlank = (query: SearchQuery): boolean => keyOf({ ...query, beyond: false, sort: 'relevance' }) === '{}'

export function filterCount(query: SearchQuery): number {
  const lists = kListFilters.reduce((sum, name) => sum + query[name].length, 0)
  return lists + (query.currency ? 1 : 0) + (query.since ? 1 : 0)
}

export function withoutFilters(query: SearchQuery): SearchQuery {
  return { ...kEmptyQuery, q: query.q, like: query.like, region: query.region, sameClass: query.sameClass, picture: query.picture, sort: query.sort }
}

/** Adds the value, or takes it away if it is there. */
export function toggled(query: SearchQuery, name: ListFilter, value: string): SearchQuery {
  const values = query[name]
  return { ...query, [name]: values.includes(value) ? values.filter((other) => other !== value) : [...values, value] }
}
