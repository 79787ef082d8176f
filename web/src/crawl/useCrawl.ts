// Crawls as they go: the list once from the server, then kept current by its events.
import { computed, onBeforeUnmount, ref, shallowRef } from 'vue'
import { listen } from '../api/events'
import { getStats, listJobs, ProblemError } from '../api/client'
import type { Hit, Job, JobState, Problem, Progress, Stats } from '../api/schema'

const kJobsShown = 50
const kNewestShown = 36
const kRatesKept = 120

export type Connection = 'connecting' | 'live' | 'broken'
export const isUnderway = (state: JobState): boolean => state === 'queued' || state === 'running' || state === 'cancelling'

/** The job in its newest form, in its place or first. */
export function withJob(jobs: readonly Job[], job: Job): Job[] {
  return jobs.some((other) => other.job_id === job.job_id) ? jobs.map((other) => (other.job_id === job.job_id ? job : other)) : [job, ...jobs]
}
export function withProgress(jobs: readonly Job[], progress: Progress): Job[] {
  return jobs.map((job) => (job.job_id === progress.job_id ? { ...job, state: progress.state, progress } : job))
}
/** Newest first, each once, the oldest dropped. */
export function withImage(newest: readonly Hit[], hit: Hit): Hit[] {
  return newest.some((other) => other.image_id === hit.image_id) ? [...newest] : [hit, ...newest].slice(0, kNewestShown)
}

export function useCrawl() {
  const jobs = shallowRef<readonly Job[]>([])
  const newest = shallowRef<readonly Hit[]>([])
  const rates = shallowRef<ReadonlyMap<number, readonly number[]>>(new Map())
  const stats = shallowRef<Stats | null>(null)
  const connection = ref<Connection>('connecting')
  const problem = shallowRef<Problem | null>(null)
  const isLoaded = ref(false)
  const chosen = ref<number | null>(null)

  async function refresh(): Promise<void> {
    try {
      const [list, counts] = await Promise.all([listJobs(kJobsShown), getStats()])
      jobs.value = list.jobs
      stats.value = counts
      problem.value = null
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error
      problem.value = error.problem
    } finally {
      isLoaded.value = true
    }
  }
  function keepRate(progress: Progress): void {
    const kept = [...(rates.value.get(progress.job_id) ?? []), progress.images_per_second].slice(-kRatesKept)
    rates.value = new Map(rates.value).set(progress.job_id, kept)
  }

  const close = listen({
    progress(progress) {
      jobs.value = withProgress(jobs.value, progress)
      keepRate(progress)
    },
    image(hit) {
      newest.value = withImage(newest.value, hit)
    },
    job(job) {
      jobs.value = withJob(jobs.value, job)
      if (!isUnderway(job.state)) void refresh()
    },
    connected(open) {
      connection.value = open ? 'live' : 'broken'
      if (open) void refresh()
    },
  })
  void refresh()
  onBeforeUnmount(close)

  const shown = computed(() => jobs.value.find((job) => job.job_id === chosen.value) ?? jobs.value.find((job) => isUnderway(job.state)) ?? jobs.value[0] ?? null)
  return {
    jobs, newest, stats, connection, problem, isLoaded, shown, refresh,
    rateOf: (id: number): readonly number[] => rates.value.get(id) ?? [],
    choose(id: number): void {
      chosen.value = id
    },
    put(job: Job): void {
      jobs.value = withJob(jobs.value, job)
      chosen.value = job.job_id
    },
  }
}
