// Results of one query, growing as one scrolls. Lists are kept for a while, so that going back shows the very same page at
// the same place without asking again.
import { shallowReactive } from 'vue'
import { ProblemError, search, type SearchParameters } from '../api/client'
import type { Facets, Hit, Problem, SearchAnswer } from '../api/schema'

export type Phase = 'loading' | 'ready' | 'more' | 'failed' | 'more-failed'

export interface ResultList {
  readonly parameters: SearchParameters
  phase: Phase
  hits: readonly Hit[]
  total: number
  /** Those that can be scrolled to: not what is held back for being of one shop or brand. */
  listed: number
  totalIsExact: boolean
  anyWord: boolean
  meant: SearchAnswer['meant']
  tookMs: number
  facets: Facets | null
  problem: Problem | null
  /** The offset to ask for next: the server's count, which repeated hits (the index grew meanwhile) do not change. */
  next: number
  ended: boolean
}

export const kPageSize = 60

function problemOf(error: unknown): Problem {
  if (error instanceof ProblemError) return error.problem
  throw error
}

const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'

export function newList(parameters: SearchParameters): ResultList {
  return shallowReactive({
    parameters, phase: 'loading', hits: [], total: 0, listed: 0, totalIsExact: true, anyWord: false, meant: [], tookMs: 0,
    facets: null, problem: null, next: 0, ended: false,
  } satisfies ResultList)
}

/** Puts a page of answers behind what is there. */
export function append(list: ResultList, answer: SearchAnswer): void {
  const known = new Set(list.hits.map((hit) => hit.image_id))
  list.hits = [...list.hits, ...answer.hits.filter((hit) => !known.has(hit.image_id))]
  list.next = answer.offset + answer.hits.length
  list.total = answer.total
  list.listed = answer.listed
  list.totalIsExact = answer.total_is_exact
  list.anyWord = answer.any_word
  list.meant = answer.meant
  list.tookMs = answer.took_ms
  list.facets = answer.facets ?? list.facets
  list.ended = answer.hits.length === 0 || list.next >= answer.listed
  list.problem = null
  list.phase = 'ready'
}

/** Asks for the first page, or the next; sets the phase. Does nothing while a page is under way or when there is no more. */
export async function load(list: ResultList, signal?: AbortSignal): Promise<void> {
  const isFirst = list.next === 0
  if (list.phase === 'more' || (list.ended && !isFirst)) return
  list.phase = isFirst ? 'loading' : 'more'
  list.problem = null
  try {
    append(list, await search({ ...list.parameters, offset: list.next, limit: kPageSize, ...(isFirst && { facets: true }) }, signal))
  } catch (error) {
    if (isAbort(error)) return
    list.problem = problemOf(error)
    list.phase = isFirst ? 'failed' : 'more-failed'
  }
}

/** The latest lists by key, oldest dropped first. */
export class ResultCache {
  private readonly lists = new Map<string, ResultList>()
  constructor(private readonly size: number) {}

  get(key: string): ResultList | undefined {
    const list = this.lists.get(key)
    if (list) this.put(key, list)
    return list
  }
  put(key: string, list: ResultList): void {
    this.lists.delete(key)
    this.lists.set(key, list)
    for (const oldest of this.lists.keys()) {
      if (this.lists.size <= this.size) break
      this.lists.delete(oldest)
    }
  }
}

export const resultCache = new ResultCache(16)
