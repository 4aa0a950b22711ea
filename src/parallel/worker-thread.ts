/** Starts and stops worker threads. A thread that ends before its work is done is reported as a failure. */

import { Worker } from 'node:worker_threads'
import { ExportError } from '../errors.ts'
import { kernelData, packageFile } from '../package-file.ts'

/** Threads allocate few objects, so a small young generation is enough. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 8 }

/**
 * Starts a worker thread.
 * @param file Name of the worker's bundle.
 * @param onFailure Called with an ExportError `ERR_WORKER` when the thread throws or ends.
 */
export function startWorker<Message>(
  file: string,
  onMessage: (message: Message) => void,
  onFailure: (failure: ExportError) => void,
): Worker {
  const worker = new Worker(packageFile(file), {
    resourceLimits: RESOURCE_LIMITS,
    workerData: kernelData(),
  })
  worker.on('message', onMessage)
  const fail = (problem: string, cause?: unknown) => onFailure(new ExportError('ERR_WORKER', problem, { cause }))
  worker.on('error', (error: Error) => fail(`a worker thread failed: ${error.message}`, error))
  worker.on('exit', (code) => fail(`a worker thread ended before its work was done (exit code ${code})`))
  return worker
}

/** Terminates threads at once, whatever they are doing. */
export async function stopWorkers(workers: readonly Worker[]): Promise<void> {
  for (const worker of workers) {
    worker.removeAllListeners()
    // Without a listener, an error that comes while a thread ends would end the process.
    worker.on('error', () => undefined)
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
}
