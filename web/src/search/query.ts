// What is searched for, as the address bar keeps it. The page's own parameters have the interface's names, so that one can
// be read from the other.
import type { LocationQuery, LocationQueryRaw, LocationQueryValue } from 'vue-router'
import type { SearchParameters } from '../api/client'
import type { ColourName } from '../api/schema'
import { askedText, kLikeMax, kLikeWeight, kUnlikeMax, kUnlikeWeight, likePicture, likeUpload, parseAsked, type AskedPicture } from './asked'

export const kColours: readonly ColourName[] = ['black', 'white', 'grey', 'red', 'orange', 'yellow', 'green', 'blue', 'purple', 'pink', 'brown']
export const kSorts = ['relevance', 'newest', 'price', 'price-desc', 'discount'] as const
/** Hits of one shop, where results are to be of many. */
export const kPerShop = 3
export type Sort = (typeof kSorts)[number]

/** Filters of several values each; the names are also those of the facets. */
export type ListFilter = 'shop' | 'category' | 'brand' | 'colour' | 'class' | 'size' | 'language' | 'label' | 'licence'
export const kListFilters: readonly ListFilter[] = ['category', 'shop', 'brand', 'size', 'class', 'colour', 'label', 'licence', 'language']

export interface SearchQuery {
  q: string
  /** What results are to look like, and what not. */
  like: AskedPicture[]
  unlike: AskedPicture[]
  /** With regions alone: only among things of their class. */
  sameClass: boolean
  shop: string[]
  category: string[]
  brand: string[]
  colour: string[]
  class: string[]
  size: string[]
  language: string[]
  label: string[]
  licence: string[]
  priceMin: string | null
  priceMax: string | null
  currency: string | null
  since: string | null
  until: string | null
  pixelsMin: number | null
  pixelsMax: number | null
  /** At most so many of one shop, and of one brand. */
  perShop: number | null
  perBrand: number | null
  /** Also pictures beyond the point where relevance ends. */
  beyond: boolean
  sort: Sort
}

export const kEmptyQuery: Readonly<SearchQuery> = {
  q: '', like: [], unlike: [], sameClass: true, shop: [], category: [], brand: [], colour: [], class: [], size: [], language: [], label: [], licence: [],
  priceMin: null, priceMax: null, currency: null, since: null, until: null, pixelsMin: null, pixelsMax: null, perShop: null, perBrand: null, beyond: false, sort: 'relevance',
}

type Raw = LocationQueryValue | LocationQueryValue[] | undefined
const first = (raw: Raw): string => (Array.isArray(raw) ? raw[0] : raw) ?? ''
const each = (values: string[]): string[] => [...new Set(values)]
const all = (raw: Raw): string[] => each((Array.isArray(raw) ? raw : [raw]).filter((value): value is string => !!value))
const matching = (raw: Raw, pattern: RegExp): string | null => (pattern.test(first(raw)) ? first(raw) : null)

const whole = (raw: Raw, max: number): number | null => {
  const number = Number(matching(raw, /^[1-9]\d{0,14}$/))
  return number > 0 && number <= max ? number : null
}
const time = (raw: Raw): string | null => (/^\d{4}-\d\d-\d\dT/.test(first(raw)) && !Number.isNaN(Date.parse(first(raw))) ? first(raw) : null)
const kPerOwnerMax = 100

const kAmount = /^\d{1,15}(\.\d{1,4})?$/

function pictures(raw: Raw, weightPreset: number, countMax: number): AskedPicture[] {
  return all(raw).flatMap((text) => parseAsked(text, weightPreset) ?? []).slice(0, countMax)
}
/** `picture` and `region` are older spellings, which stand in old links. */
function likes(raw: LocationQuery): AskedPicture[] {
  const like = pictures(raw['like'], kLikeWeight, kLikeMax)
  const token = matching(raw['picture'], /^[\w-]{16,64}$/)
  if (token) like.push(likeUpload(token))
  const region = matching(raw['region'], /^[1-8]$/)
  const [only] = like
  return region && like.length === 1 && only?.id && !only.region ? [likePicture(only.id, Number(region))] : like
}
/** Whether all that results are to be like are things in pictures. */
export const asksByRegions = (query: Pick<SearchQuery, 'like'>): boolean => query.like.length > 0 && query.like.every((picture) => picture.region)

/** A range whose ends are the wrong way round is none. */
const inOrder = <End>(min: End | null, max: End | null, isAbove: (a: End, b: End) => boolean): [End | null, End | null] => (min !== null && max !== null && isAbove(min, max) ? [null, null] : [min, max])
const isMore = (a: string | number, b: string | number): boolean => Number(a) > Number(b)
/** As the server keeps them: by the primary part of the tag. */
const languages = (raw: Raw): string[] => each(all(raw).map((tag) => tag.toLowerCase().split(/[-_]/)[0] ?? '').filter((tag) => /^[a-z]{2,3}$/.test(tag)))
const words = (raw: Raw): string => first(raw).replace(/[\0-\x08\x0E-\x1F\x7F]/g, ' ').trim().slice(0, 500)

/** Reads an address; what is malformed there (by hand, or by an old link) is dropped rather than sent. */
export function parseQuery(raw: LocationQuery): SearchQuery {
  const like = likes(raw)
  const currency = matching(raw['currency'], /^[A-Z]{3}$/)
  const amount = (value: Raw): string | null => (currency ? matching(value, kAmount) : null)
  const [priceMin, priceMax] = inOrder(amount(raw['price_min']), amount(raw['price_max']), isMore)
  const [pixelsMin, pixelsMax] = inOrder(whole(raw['pixels_min'], Number.MAX_SAFE_INTEGER), whole(raw['pixels_max'], Number.MAX_SAFE_INTEGER), isMore)
  const [since, until] = inOrder(time(raw['since']), time(raw['until']), (a, b) => Date.parse(a) >= Date.parse(b))
  return {
    q: words(raw['q']),
    like,
    unlike: pictures(raw['unlike'], kUnlikeWeight, kUnlikeMax),
    sameClass: !asksByRegions({ like }) || first(raw['same_class']) !== 'false',
    shop: all(raw['shop']),
    category: all(raw['category']),
    brand: all(raw['brand']),
    colour: each(all(raw['colour']).map((name) => name.toLowerCase())).filter((name) => (kColours as readonly string[]).includes(name)),
    class: all(raw['class']),
    size: all(raw['size']),
    language: languages(raw['language']),
    label: all(raw['label']),
    licence: all(raw['licence']),
    priceMin,
    priceMax,
    currency,
    since,
    until,
    pixelsMin,
    pixelsMax,
    perShop: whole(raw['per_shop'], kPerOwnerMax),
    perBrand: whole(raw['per_brand'], kPerOwnerMax),
    beyond: like.length > 0 && first(raw['beyond']) === 'true',
    sort: kSorts.find((sort) => sort === first(raw['sort'])) ?? 'relevance',
  }
}

function entries(query: SearchQuery): SearchParameters {
  return {
    ...(query.q && { q: query.q }),
    ...(query.like.length && { like: query.like.map((picture) => askedText(picture, kLikeWeight)) }),
    ...(query.unlike.length && { unlike: query.unlike.map((picture) => askedText(picture, kUnlikeWeight)) }),
    ...(!query.sameClass && { same_class: false }),
    ...(query.category.length && { category: query.category }),
    ...(query.shop.length && { shop: query.shop }),
    ...(query.brand.length && { brand: query.brand }),
    ...(query.colour.length && { colour: query.colour as ColourName[] }),
    ...(query.class.length && { class: query.class }),
    ...(query.size.length && { size: query.size }),
    ...(query.language.length && { language: query.language }),
    ...(query.label.length && { label: query.label }),
    ...(query.licence.length && { licence: query.licence }),
    ...(query.priceMin && { price_min: query.priceMin }),
    ...(query.priceMax && { price_max: query.priceMax }),
    ...(query.currency && { currency: query.currency }),
    ...(query.since && { since: query.since }),
    ...(query.until && { until: query.until }),
    ...(query.pixelsMin && { pixels_min: query.pixelsMin }),
    ...(query.pixelsMax && { pixels_max: query.pixelsMax }),
    ...(query.perShop && { per_shop: query.perShop }),
    ...(query.perBrand && { per_brand: query.perBrand }),
    ...(query.beyond && { beyond: true }),
    ...(query.sort !== 'relevance' && { sort: query.sort }),
  }
}

export const toLocation = (query: SearchQuery): LocationQueryRaw => ({ ...entries(query), ...(query.beyond && { beyond: 'true' }), ...(!query.sameClass && { same_class: 'false' }) }) as LocationQueryRaw
export const toParameters = entries
/** Equal for equal queries: the key under which results are kept. */
export const keyOf = (query: SearchQuery): string => JSON.stringify(entries(query))

export const hasPicture = (query: SearchQuery): boolean => query.like.length > 0
export const isBlank = (query: SearchQuery): boolean => keyOf({ ...query, beyond: false, sort: 'relevance' }) === '{}'

export function filterCount(query: SearchQuery): number {
  const lists = kListFilters.reduce((sum, name) => sum + query[name].length, 0)
  return lists + (query.currency ? 1 : 0) + (query.since || query.until ? 1 : 0) + (query.pixelsMin || query.pixelsMax ? 1 : 0)
}

export function withoutFilters(query: SearchQuery): SearchQuery {
  const { q, like, unlike, sameClass, perShop, perBrand, sort } = query
  return { ...kEmptyQuery, q, like, unlike, sameClass, perShop, perBrand, sort }
}

/** Adds the value, or takes it away if it is there. */
export function toggled(query: SearchQuery, name: ListFilter, value: string): SearchQuery {
  const values = query[name]
  return { ...query, [name]: values.includes(value) ? values.filter((other) => other !== value) : [...values, value] }
}
