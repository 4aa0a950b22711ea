/**
 * Writes RecordBatches as Arrow IPC: the stream format (`.arrows`) or the file format (`.arrow`, also known as Feather
 * V2).
 *
 * arrow-js's own writers queue their output without limit, close silently if a batch's schema differs, and refuse
 * dictionaries that grow in a file. These encoders return their bytes batch by batch, throw if a schema differs, and
 * write a grown dictionary as the formats allow.
 */

import {
  type RecordBatch,
  RecordBatchFileWriter,
  RecordBatchStreamWriter,
  Schema,
  util,
  type Vector,
} from 'apache-arrow'
import { type OptionNames, requireKnownOptions, requireSignal, requireWord } from '../option-values.ts'
import { type BatchReader, closeAfter, untilAborted } from './batch-reader.ts'
import { type Output, type OutputTarget, type WriteResult, writeOutput } from './output.ts'

const IPC_FORMATS = ['arrow', 'arrows'] as const

export type IpcFormat = (typeof IPC_FORMATS)[number]

export interface WriteIpcOptions {
  /**
   * `arrow` is the file format, `arrows` the stream format. Default: `arrows` when the path ends in `.arrows` or the
   * target is a stream, else `arrow`.
   */
  format?: IpcFormat | undefined
  /** Stops writing, and waiting for a slow target, with an AbortError. The reader has its own signal. */
  signal?: AbortSignal | undefined
}

const IPC_OPTION_NAMES: OptionNames<WriteIpcOptions> = { format: true, signal: true }

/**
 * Writes an export as Arrow IPC.
 * @throws OutputError if the target cannot be written; whatever the reader throws. No partial file is left. The reader
 *   is closed in any case.
 */
export async function writeIpc(
  reader: BatchReader,
  target: OutputTarget,
  options: WriteIpcOptions = {},
): Promise<WriteResult> {
  return closeAfter(reader, async () => {
    requireKnownOptions(options, IPC_OPTION_NAMES)
    requireWord('format', options.format, IPC_FORMATS)
    requireSignal(options.signal)
    const { format = ipcFormatOf(target), signal } = options
    const fill = (output: Output) => encodeIpc(untilAborted(reader, signal), output, format)
    const { bytesWritten } = await writeOutput(target, fill, signal)
    return { outputBytes: bytesWritten }
  })
}

/** Writes batches to an open output, one at a time. */
export async function encodeIpc(reader: BatchReader, output: Output, format: IpcFormat): Promise<void> {
  const encoder = format === 'arrow' ? new FileEncoder() : new StreamEncoder()
  encoder.begin(reader.schema)
  let isEmpty = true
  reader.recycle?.()
  for await (const batch of reader) {
    isEmpty = false
    encoder.encode(batch)
    await output.write(encoder.take())
    reader.recycle?.()
  }
  const emptyBatch = isEmpty ? reader.emptyBatch?.() : undefined
  if (emptyBatch !== undefined) encoder.encode(emptyBatch)
  if (encoder instanceof FileEncoder) encoder.finalMetadata = reader.finalMetadata ?? new Map()
  encoder.finish()
  await output.write(encoder.take())
}

function ipcFormatOf(target: OutputTarget): IpcFormat {
  if (typeof target !== 'string' && !(target instanceof URL)) return 'arrows'
  return String(target).toLowerCase().endsWith('.arrows') ? 'arrows' : 'arrow'
}

/** Collects the bytes of an encoder until they are taken. */
class ByteList {
  #chunks: Uint8Array[] = []

  push(chunk: ArrayBufferLike | ArrayBufferView): number {
    const bytes = ArrayBuffer.isView(chunk)
      ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength)
      : new Uint8Array(chunk)
    if (bytes.length > 0) this.#chunks.push(bytes)
    return bytes.length
  }

  take(): Uint8Array[] {
    const chunks = this.#chunks
    this.#chunks = []
    return chunks
  }
}

type Chunk = Parameters<RecordBatchStreamWriter['_write']>[0]

function requireSameSchema(batch: RecordBatch, schema: Schema | null): void {
  if (schema !== null && util.compareSchemas(batch.schema, schema)) return
  throw new TypeError('expected batches of one schema, found one that differs')
}

/** Encodes the stream format batch by batch. */
export class StreamEncoder extends RecordBatchStreamWriter {
  readonly #bytes = new ByteList()

  begin(schema: Schema): void {
    this.reset(undefined, schema)
  }

  /**
   * Encodes a batch. A dictionary that has grown is written again as a whole, since polars reads no delta dictionaries.
   */
  encode(batch: RecordBatch): void {
    requireSameSchema(batch, this._schema)
    this.write(batch)
  }

  take(): Uint8Array[] {
    return this.#bytes.take()
  }

  protected override _write(chunk: Chunk): this {
    if (this._started) this._position += this.#bytes.push(chunk as ArrayBufferView)
    return this
  }
}

/** Encodes the file format batch by batch. */
class FileEncoder extends RecordBatchFileWriter {
  readonly #bytes = new ByteList()
  /** Per dictionary id: the latest dictionary, the one that was written, and its index in the footer's blocks. */
  readonly #dictionaries = new Map<number, { latest: Vector; written: Vector; block: number }>()
  /** Added to the metadata of the schema in the footer, which readers of a file use. */
  finalMetadata: ReadonlyMap<string, string> = new Map()

  begin(schema: Schema): void {
    this.reset(undefined, schema)
  }

  encode(batch: RecordBatch): void {
    requireSameSchema(batch, this._schema)
    this.write(batch)
  }

  /**
   * Writes the footer, which refers to one dictionary per id. A dictionary that has grown since it was written is
   * written again as a whole after the last batch, and the footer refers to that one.
   */
  override finish(): this {
    const grown = [...this.#dictionaries].filter(([, entry]) => entry.latest !== entry.written)
    const replaced = new Set(grown.map(([, entry]) => entry.block))
    this._seenDictionaries.clear()
    for (const [id, { latest }] of grown) this._writeDictionaryBatch(latest.data[0]!, id)
    this._dictionaryBlocks = this._dictionaryBlocks.filter((_, block) => !replaced.has(block))
    return super.finish()
  }

  take(): Uint8Array[] {
    return this.#bytes.take()
  }

  protected override _writeFooter(schema: Schema): this {
    const metadata = new Map([...schema.metadata, ...this.finalMetadata])
    return super._writeFooter(new Schema(schema.fields, metadata))
  }

  protected override _writeDictionaries(batch: RecordBatch): this {
    for (const [id, dictionary] of batch.dictionaries) {
      const known = this.#dictionaries.get(id)
      if (known !== undefined) {
        known.latest = dictionary
        continue
      }
      this.#dictionaries.set(id, { latest: dictionary, written: dictionary, block: this._dictionaryBlocks.length })
      this._writeDictionaryBatch(dictionary.data[0]!, id)
    }
    return this
  }

  protected override _write(chunk: Chunk): this {
    if (this._started) this._position += this.#bytes.push(chunk as ArrayBufferView)
    return this
  }
}
