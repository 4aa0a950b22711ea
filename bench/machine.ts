/** The machine that is measured on. */
import { cpus, totalmem } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'

const SAMPLE_MS = 1000

/** Processor, cores and memory: figures of different machines are never compared. */
export function machineName(): string {
  const cores = cpus()
  const model = cores[0]?.model.trim() || 'unknown processor'
  return `${model}, ${cores.length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB`
}

/** Share of the processor's time (0 to 1) that others use at the moment; call it while nothing of ours runs. */
export async function busyShare(): Promise<number> {
  const before = processorTimes()
  await wait(SAMPLE_MS)
  const after = processorTimes()
  return 1 - (after.idle - before.idle) / (after.all - before.all)
}

function processorTimes(): { idle: number; all: number } {
  let idle = 0
  let all = 0
  for (const { times } of cpus()) {
    idle += times.idle
    all += times.idle + times.user + times.nice + times.sys + times.irq
  }
  return { idle, all }
}
