/** A worker thread: decodes and encodes the pieces it is given. */

import { parentPort } from 'node:worker_threads'
import { isExportError } from '../errors.ts'
import { isSystemError } from '../system-error.ts'
import type { MainMessage, WorkerMessage } from './messages.ts'
import { PieceDecoder } from './piece-decoder.ts'

let decoder: PieceDecoder | undefined

function send(message: WorkerMessage): void {
  const buffers =
    message.type === 'done'
      ? [...message.result.rowGroups.map((group) => group.bytes.buffer), message.result.rejects.buffer]
      : []
  parentPort?.postMessage(message, buffers)
}

parentPort?.on('message', async (message: MainMessage) => {
  try {
    if (message.type === 'job') decoder = new PieceDecoder(message.job)
    else if (message.type === 'written') decoder?.reuse(message.memory)
    else if (decoder !== undefined) send({ type: 'done', result: await decoder.decode(message.piece) })
  } catch (error) {
    // Anything else is a fault of this program: it ends the worker, which the main thread sees.
    if (!isExportError(error) && !isSystemError(error)) throw error
    send({ type: 'failed', message: error.message })
  }
})
