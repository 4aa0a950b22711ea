/** A worker thread: decodes and encodes the pieces it is given. */

import { parentPort } from 'node:worker_threads'
import { isExportError } from '../errors.ts'
import { isSystemError } from '../system/system-error.ts'
import type { MainMessage, WorkerMessage } from './messages.ts'
import { PieceDecoder } from './piece-decoder.ts'

/** Undefined once it could not be made. */
let decoder: Promise<PieceDecoder | undefined> = Promise.resolve(undefined)

parentPort?.on('message', (message: MainMessage) => {
  if (message.type === 'job') decoder = PieceDecoder.for(message.job).catch(fail)
  else act(message).catch(fail)
})

async function act(message: Exclude<MainMessage, { type: 'job' }>): Promise<void> {
  const pieces = await decoder
  if (message.type === 'written') pieces?.reuse(message.memory)
  else if (pieces !== undefined) send({ type: 'done', result: await pieces.decode(message.piece) })
}

/** Anything but a failure of input or system is a fault of this program: it ends the worker, which the main thread sees. */
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
