// A picture in a query as the interface writes it: PICTURE[.REGION][@PART][*WEIGHT], PICTURE being an id or an upload's token.
import { parsePart, partText, type Part } from './part'

export interface AskedPicture {
  id: number | null
  /** Of an uploaded picture. */
  token: string | null
  /** What was detected in it under this number, in place of the whole. */
  region: number | null
  /** What somebody drew on it, in place of the whole. */
  part: Part | null
  weight: number
}

export const kLikeWeight = 1
export const kUnlikeWeight = 0.5
/** What one step of the chip's buttons leads to. */
export const kWeights: readonly number[] = [0.25, 0.5, 1, 2, 4]
export const kLikeMax = 50
export const kUnlikeMax = 10

export const likePicture = (id: number, region: number | null = null, part: Part | null = null): AskedPicture => ({ id, token: null, region, part, weight: kLikeWeight })
export const likeUpload = (token: string): AskedPicture => ({ id: null, token, region: null, part: null, weight: kLikeWeight })

const kForm = /^(?:([1-9]\d{0,15})(?:\.([1-8])|@([\d.,]{7,32}))?|(?!\d+(?:\*|$))([\w-]{16,64}))(?:\*(\d{1,3}(?:\.\d{1,3})?))?$/

/** Null for any other text. */
export function parseAsked(text: string, weightPreset: number): AskedPicture | null {
  const [, id, region, drawn, token, said] = kForm.exec(text) ?? []
  const part = drawn ? parsePart(drawn) : null
  if ((!id && !token) || (drawn && !part)) return null
  const weight = said ? Number(said) : weightPreset
  if (weight <= 0 || weight > 100) return null
  return { id: id ? Number(id) : null, token: token ?? null, region: region ? Number(region) : null, part, weight }
}

export function askedText({ id, token, region, part, weight }: AskedPicture, weightPreset: number): string {
  return `${id ?? token}${region ? `.${region}` : ''}${part ? `@${partText(part)}` : ''}${weight === weightPreset ? '' : `*${weight}`}`
}

/** The next heavier (step 1) or lighter (-1) one of kWeights; itself at the end. */
export function steppedWeight(weight: number, step: 1 | -1): number {
  const further = kWeights.filter((one) => (step > 0 ? one > weight : one < weight))
  return (step > 0 ? further[0] : further.at(-1)) ?? weight
}

/** What it is, whatever its weight. */
export const nameOf = (picture: AskedPicture): string => askedText({ ...picture, weight: kLikeWeight }, kLikeWeight)
const isSame = (a: AskedPicture, b: AskedPicture): boolean => nameOf(a) === nameOf(b)

interface Pictures {
  like: AskedPicture[]
  unlike: AskedPicture[]
}
const kMaxOf: Readonly<Record<keyof Pictures, number>> = { like: kLikeMax, unlike: kUnlikeMax }
/** The query with the picture on one of its sides, and no more on the other; it keeps its place where it has one. The oldest of a full side makes room. */
export function withPicture<Query extends Pictures>(query: Query, side: keyof Pictures, picture: AskedPicture): Query {
  const other = side === 'like' ? 'unlike' : 'like'
  const known = query[side].some((one) => isSame(one, picture))
  const own = known ? query[side].map((one) => (isSame(one, picture) ? picture : one)) : [...query[side], picture]
  return { ...query, [side]: own.slice(-kMaxOf[side]), [other]: query[other].filter((one) => !isSame(one, picture)) }
}
export function withoutPicture<Query extends Pictures>(query: Query, picture: AskedPicture): Query {
  return { ...query, like: query.like.filter((one) => !isSame(one, picture)), unlike: query.unlike.filter((one) => !isSame(one, picture)) }
}
