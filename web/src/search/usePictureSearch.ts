// Sending a picture. One at a time for the whole page, whether it was dropped, pasted or chosen; a new one replaces the old.
import { readonly, ref, shallowRef } from 'vue'
import { ProblemError, searchByPicture } from '../api/client'
import type { Problem, SearchAnswer } from '../api/schema'
import { likeUpload, type AskedPicture } from './asked'
import { partText, type Part } from './part'
import { pictureOf, prepare, remember, type PreparedPicture } from './picture'
import { toParameters, type SearchQuery } from './query'
import { append, kPageSize, newList, resultCache } from './results'
import { useSearchQuery } from './useSearchQuery'

const isSending = ref(false)
const pending = shallowRef<PreparedPicture | null>(null)
const problem = shallowRef<Problem | null>(null)
let abort: AbortController | undefined

function tokenOf(answer: SearchAnswer): string {
  if (answer.picture_token) return answer.picture_token
  throw new ProblemError({ title: 'No token', status: 200, code: 'answer_unreadable', detail: 'The answer has no picture_token.' })
}

const boxOf = ({ part }: PreparedPicture): { box?: string } => (part ? { box: partText(part) } : {})

/** Sends the bytes and keeps the answer as the results of the query with this picture in place of all it had. */
async function send(picture: PreparedPicture, query: SearchQuery, signal: AbortSignal): Promise<SearchQuery> {
  const others = { ...query, like: [], unlike: [], sameClass: true }
  const answer = await searchByPicture(picture.body, { ...toParameters(others), ...boxOf(picture), limit: kPageSize, facets: true }, signal)
  const token = tokenOf(answer)
  remember(token, picture)
  const found: SearchQuery = { ...others, like: [likeUpload(token)] }
  const list = newList(toParameters(found))
  append(list, answer)
  resultCache.put(JSON.stringify(list.parameters), list)
  return found
}

/** Sends the bytes behind a token once more: the query with the new token in its place. */
async function sendAgain(picture: PreparedPicture, query: SearchQuery, token: string, signal: AbortSignal): Promise<SearchQuery> {
  const renewed = tokenOf(await searchByPicture(picture.body, { ...boxOf(picture), limit: 0 }, signal))
  remember(renewed, picture)
  const replace = (all: AskedPicture[]): AskedPicture[] => all.map((one) => (one.token === token ? { ...one, token: renewed } : one))
  return { ...query, like: replace(query.like), unlike: replace(query.unlike) }
}

export function usePictureSearch() {
  const { query, go, replace } = useSearchQuery()

  async function run(picture: PreparedPicture, show: (query: SearchQuery) => Promise<void>, token?: string): Promise<void> {
    abort?.abort()
    const mine = (abort = new AbortController())
    pending.value = picture
    problem.value = null
    isSending.value = true
    try {
      const found = token ? await sendAgain(picture, query.value, token, mine.signal) : await send(picture, query.value, mine.signal)
      await show(found)
      pending.value = null
    } catch (error) {
      if (abort !== mine) return
      if (!(error instanceof ProblemError)) throw error
      problem.value = error.problem
    } finally {
      if (abort === mine) isSending.value = false
    }
  }

  return {
    isSending: readonly(isSending),
    pending,
    problem,
    async searchWith(file: Blob): Promise<void> {
      await run(await prepare(file), go)
    },
    /** A part of what was sent under the token, if this page still has it. */
    async searchPart(token: string, part: Part): Promise<void> {
      const picture = pictureOf(token)
      if (picture) await run(await prepare(picture.body, part), go)
    },
    async retry(): Promise<void> {
      if (pending.value) await run(pending.value, go)
    },
    /** The server forgot the picture behind the token: sends it again if this page still has it. */
    async renew(token: string): Promise<boolean> {
      const picture = pictureOf(token)
      if (!picture) return false
      await run(picture, replace, token)
      return true
    },
    dismiss(): void {
      abort?.abort()
      abort = undefined
      pending.value = null
      problem.value = null
      isSending.value = false
    },
  }
}
