/** Starting worker threads: one that ends before its work is done is a failure, not a silence. */

import { Worker } from 'node:worker_threads'
import { ExportError } from '../errors.ts'
import { kernelData, packageFile } from '../package-file.ts'

/** Threads make few objects: a small nursery is enough. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 8 }

/**
 * @param file The worker's bundle.
 * @param onFailure Gets an ExportError `ERR_WORKER` when the thread throws or ends.
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

/** Ends threads at once, whatever they are doing. */
export async function stopWorkers(workers: readonly Worker[]): Promise<void> {
  for (const worker of workers) {
    worker.removeAllListeners()
    // An error that comes while a thread ends has nobody to tell, and would end the process without a listener.
    worker.on('error', () => undefined)
  }
  await Promise.all(workers.map((worker) => worker.terminate()))
}
