// The only caller of fetch. Types come from docs/openapi.yaml by way of schema.ts; a failed request is a ProblemError,
// whatever failed: the server's own problem document, a broken answer, or no answer at all.
import type { CopyGroups, CopyReview, Image, NewCopyReview, Job, NewJob, NewPreview, NewSession, NewShop, Preview, Problem, Product, SearchAnswer, Session, Shop, ShopChange, ShopList, Stats, operations } from './schema'

export type SearchParameters = NonNullable<operations['search']['parameters']['query']>

export class ProblemError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail)
    this.name = 'ProblemError'
  }
  get code(): string {
    return this.problem.code
  }
}

/** Status 0 means that no answer came. */
function unanswered(code: string, detail: string, status = 0): ProblemError {
  return new ProblemError({ title: 'No usable answer', status, code, detail })
}

/** A list becomes the same key several times; what is undefined, null or empty is left out. */
export function toQueryString(parameters: object): string {
  const pairs = new URLSearchParams()
  for (const [key, value] of Object.entries(parameters) as [string, unknown][]) {
    for (const one of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (one !== undefined && one !== null && one !== '') pairs.append(key, String(one))
    }
  }
  const text = pairs.toString()
  return text === '' ? '' : `?${text}`
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value
}

async function readProblem(response: Response): Promise<ProblemError> {
  try {
    const body: unknown = await response.json()
    if (isProblem(body)) return new ProblemError(body)
  } catch {
    // Not JSON: something between us and the server answered in its place.
  }
  return unanswered('answer_unreadable', `${response.status} ${response.statusText}`.trim(), response.status)
}

type RefusalListener = (problem: Problem) => void
const refusalListeners: RefusalListener[] = []
/** Told whenever the server wants a key, or another one than it got. */
export function onRefused(listener: RefusalListener): void {
  refusalListeners.push(listener)
}
function told(error: ProblemError): ProblemError {
  if (error.problem.status === 401 || error.code === 'scope_missing') for (const listener of refusalListeners) listener(error.problem)
  return error
}

async function ask<Answer>(path: string, init: RequestInit = {}): Promise<Answer> {
  let response: Response
  try {
    response = await fetch(path, { ...init, headers: { Accept: 'application/json', ...init.headers } })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw unanswered('unreachable', 'The server did not answer.')
  }
  if (!response.ok) throw told(await readProblem(response))
  try {
    return (await response.json()) as Answer
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw unanswered('answer_unreadable', 'The answer was cut off or is not JSON.', response.status)
  }
}

const withSignal = (signal?: AbortSignal): RequestInit => (signal ? { signal } : {})
const asJson = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
})

export function search(parameters: SearchParameters, signal?: AbortSignal): Promise<SearchAnswer> {
  return ask(`/api/v1/search${toQueryString(parameters)}`, withSignal(signal))
}

export function searchByPicture(picture: Blob, parameters: SearchParameters, signal?: AbortSignal): Promise<SearchAnswer> {
  return ask(`/api/v1/search${toQueryString(parameters)}`, {
    method: 'POST',
    headers: { 'Content-Type': picture.type || 'image/unknown' },
    body: picture,
    ...withSignal(signal),
  })
}

export const getImage = (id: number, signal?: AbortSignal): Promise<Image> => ask(`/api/v1/images/${id}`, withSignal(signal))
export const getProduct = (id: number, signal?: AbortSignal): Promise<Product> => ask(`/api/v1/products/${id}`, withSignal(signal))
export const getStats = (signal?: AbortSignal): Promise<Stats> => ask('/api/v1/stats', withSignal(signal))
export const listJobs = (limit: number): Promise<{ total: number; jobs: Job[] }> => ask(`/api/v1/jobs${toQueryString({ limit })}`)
export const startJob = (job: NewJob): Promise<Job> => ask('/api/v1/jobs', asJson(job))
export const cancelJob = (id: number): Promise<Job> => ask(`/api/v1/jobs/${id}/cancel`, asJson({}))

const shopPath = (name: string): string => `/api/v1/shops/${encodeURIComponent(name)}`
export const listShops = (): Promise<ShopList> => ask('/api/v1/shops')
export const addShop = (shop: NewShop): Promise<Shop> => ask('/api/v1/shops', asJson(shop))
export const changeShop = (name: string, change: ShopChange): Promise<Shop> => ask(`${shopPath(name)}/change`, asJson(change))
export const runShop = (name: string): Promise<Job> => ask(`${shopPath(name)}/run`, asJson({}))
export const removeShop = (name: string): Promise<Shop> => ask(`${shopPath(name)}/remove`, asJson({}))
export const startPreview = (preview: NewPreview): Promise<Preview> => ask('/api/v1/previews', asJson(preview))
export const getPreview = (id: number): Promise<Preview> => ask(`/api/v1/previews/${id}`)
export const cancelPreview = (id: number): Promise<Preview> => ask(`/api/v1/previews/${id}/cancel`, asJson({}))

export const getSession = (): Promise<Session> => ask('/api/v1/session')
export const openSession = (session: NewSession): Promise<Session> => ask('/api/v1/session', asJson(session))
export const closeSession = (): Promise<Session> => ask('/api/v1/session', { method: 'DELETE' })

export const previewUrl = (id: number): string => `/api/v1/images/${id}/preview`
export const thumbnailUrl = (id: number): string => `/api/v1/images/${id}/thumbnail`

export const listCopies = (parameters: NonNullable<operations['listCopies']['parameters']['query']>): Promise<CopyGroups> => ask(`/api/v1/copies${toQueryString(parameters)}`)
export function reviewCopies(review: NewCopyReview): Promise<CopyReview> {
  return ask('/api/v1/copies/reviews', asJson(review))
}
export function undoCopyReview(id: number): Promise<CopyReview> {
  return ask(`/api/v1/copies/reviews/${id}/undo`, asJson({}))
}
