/** A worker thread: gives the batches of a decoder their final shape and encodes them into row groups. */

import { type MessagePort, parentPort } from 'node:worker_threads'
import type { RecordBatch } from 'apache-arrow'
import { RowGroupEncoder, rowGroupsOf } from '../sinks/parquet/index.ts'
import { planTable } from '../table-plan.ts'
import { WarningLog } from '../warnings.ts'
import type { BatchMessage, EncoderMessage, StreamJob, StreamMessage } from './messages.ts'
import { BatchUnpacker, type WireBatch } from './wire-batch.ts'
import { wireError } from './wire-error.ts'

/** Row groups that were not written yet. */
const MOST_ROW_GROUPS_WAITING = 1

let rowGroupsWaiting = 0
let wakeWriter: () => void = () => undefined

async function encode(job: StreamJob, port: MessagePort): Promise<void> {
  const { decodedSchema, shape } = planTable(job.definition, job.header, job.options, new WarningLog())
  const encoder = new RowGroupEncoder(shape.schema, { compression: job.compression })
  const unpacker = new BatchUnpacker(decodedSchema)
  async function* batches(): AsyncGenerator<RecordBatch> {
    let records = 0
    for await (const wire of received(port)) {
      const batch = unpacker.unpack(wire)
      yield* shape.apply(batch, records)
      records += batch.numRows
    }
  }
  for await (const group of rowGroupsOf(batches(), { rowGroupRows: job.rowGroupSize })) {
    const rowGroup = encoder.encode(group)
    tellMain({ type: 'row-group', rowGroup }, [rowGroup.bytes.buffer])
    rowGroupsWaiting++
    while (rowGroupsWaiting > MOST_ROW_GROUPS_WAITING) {
      await new Promise<void>((resolve) => {
        wakeWriter = resolve
      })
    }
  }
  tellMain({ type: 'encoded' })
}

/** The decoder's batches; each is acknowledged when it is taken. */
async function* received(port: MessagePort): AsyncGenerator<WireBatch> {
  const arrived: BatchMessage[] = []
  let wake: () => void = () => undefined
  port.on('message', (message: BatchMessage) => {
    arrived.push(message)
    wake()
  })
  for (;;) {
    while (arrived.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    const batch = arrived.shift()
    if (batch === undefined) return
    port.postMessage('taken')
    yield batch
  }
}

function tellMain(message: EncoderMessage, buffers: ArrayBuffer[] = []): void {
  parentPort?.postMessage(message, buffers)
}

parentPort?.on('message', (message: StreamMessage) => {
  if (message.type === 'written') {
    rowGroupsWaiting--
    wakeWriter()
  }
  if (message.type !== 'job') return
  encode(message.job, message.port).catch((error: unknown) => {
    const failure = wireError(error)
    // Anything else is a fault of this program: it ends the worker, which the main thread sees.
    if (failure === undefined) throw error
    tellMain({ type: 'failed', error: failure })
  })
})
