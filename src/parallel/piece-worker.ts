/** Worker thread that decodes and encodes the pieces it is sent. */

import { parentPort } from 'node:worker_threads'
import { isExportError } from '../errors.ts'
import { isSystemError } from '../system/system-error.ts'
import type { MainMessage, WorkerMessage } from './messages.ts'
import { PieceDecoder } from './piece-decoder.ts'

/** Resolves to undefined before the job, and if the decoder could not be created. */
let decoder: Promise<PieceDecoder | undefined> = Promise.resolve(undefined)

parentPort?.on('message', (message: MainMessage) => {
  if (message.type === 'job') decoder = PieceDecoder.create(message.job).catch(fail)
  else handle(message).catch(fail)
})

async function handle(message: Exclude<MainMessage, { type: 'job' }>): Promise<void> {
  const pieces = await decoder
  if (message.type === 'written') pieces?.reuse(message.memory)
  else if (pieces !== undefined) send({ type: 'done', result: await pieces.decode(message.piece) })
}

/**
 * Reports a failure of the input or the system. Anything else is a bug: thrown, it ends the worker, which the main
 * thread sees.
 */
function fail(error: unknown): undefined {
  if (!isExportError(error) && !isSystemError(error)) throw error
  send({ type: 'failed', message: error.message })
}

function send(message: WorkerMessage): void {
  const buffers =
    message.type === 'done'
      ? [...message.result.rowGroups.map((group) => group.bytes.buffer), message.result.rejects.buffer]
      : []
  parentPort?.postMessage(message, buffers)
}
