import type { Hit, Job, Progress } from './schema'

export interface EventHandlers {
  progress(progress: Progress): void
  image(hit: Hit): void
  job(job: Job): void
  /** True when the stream is (again) open, false when it broke; the browser tries again by itself. */
  connected(open: boolean): void
}

/** Listens until the returned function is called. Events are not replayed after a break: ask for the jobs again on connected(true). */
export function listen(handlers: EventHandlers): () => void {
  let source: EventSource
  let again: ReturnType<typeof setTimeout> | undefined
  const open = (): void => {
    source = new EventSource('/api/v1/events')
    source.onopen = () => handlers.connected(true)
    source.onerror = () => {
      handlers.connected(false)
      // After an answer other than 200 the browser gives up; a restarting server deserves another try.
      if (source.readyState === EventSource.CLOSED) again = setTimeout(open, 3000)
    }
    const on = <Data>(name: string, handle: (data: Data) => void): void => {
      source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data) as Data))
    }
    on('progress', handlers.progress)
    on('image', handlers.image)
    on('job', handlers.job)
  }
  open()
  return () => {
    clearTimeout(again)
    source.close()
  }
}
