/** The compiled functions that encode and compress pages, and the memory that they work in. Each thread has its own. */

import { kernelModule } from '../../../package-file.ts'
import { PageCopies } from './page-copies.ts'

/** The exports of `assembly/`. All numbers are addresses, lengths and counts; booleans are 0 or 1. */
interface PageFunctions {
  appendBits(from: number, fromBit: number, into: number, at: number, count: number): number
  appendOnes(into: number, at: number, count: number): void
  keepInt8(from: number, validity: number, bit: number, count: number, into: number): number
  keepInt16(from: number, validity: number, bit: number, count: number, into: number): number
  keepInt32(from: number, validity: number, bit: number, count: number, into: number): number
  keepInt64(from: number, validity: number, bit: number, count: number, into: number): number
  keepLengths(offsets: number, validity: number, bit: number, count: number, into: number): number
  keepTexts(offsets: number, validity: number, bit: number, count: number, bytes: number): number
  prefixLengths(lengths: number, count: number, texts: number): number
  markInUse(indices: number, count: number, limit: number, inUse: number): number
  appendLists(
    offsets: number,
    validity: number,
    bit: number,
    rows: number,
    definitions: number,
    repetitions: number,
    entry: number,
    nullList: number,
    emptyList: number,
    present: number,
  ): number
  encodeBits(bits: number, count: number, out: number): number
  encodeIndices(values: number, count: number, width: number, out: number): number
  encodeLevels(values: number, count: number, width: number, out: number): number
  writeRun(value: number, length: number, width: number, out: number): number
  largestWidth(values: number, count: number): number
  encodeDeltas(values: number, count: number, work: number, out: number): number
  beginDictionary(slots: number, bits: number, starts: number, body: number, bodyBytes: number): void
  dictionaryEntries(): number
  dictionaryBytes(): number
  indexNumbers(values: number, count: number, indices: number): number
  indexTexts(lengths: number, count: number, bytes: number, indices: number): number
  extremeDoubles(values: number, count: number, bounds: number): void
  extremeIntegers(values: number, count: number, bounds: number): void
  extremeTexts(lengths: number, count: number, texts: number, bounds: number): void
  compressSnappy(source: number, length: number, table: number, out: number): number
}

/** Maximum rows of a page of numbers or texts. */
export const VALUE_ROWS = 20 * 1024

/** Maximum bytes of the values of such a page, unless it holds a single longer text. */
export const VALUE_BYTES = 1024 * 1024

/**
 * Maximum level entries of a page of dictionary indices: enough to make headers cheap, few enough for the CPU's caches.
 */
export const PAGE_ENTRIES = 128 * 1024

/** Maximum bytes of a dictionary that the kernel builds; a column that needs a larger one is better written without. */
export const DICTIONARY_BYTES = 1024 * 1024

/** Its hash table has at most 2 ** this many slots, half of which can be used. */
export const DICTIONARY_SLOT_BITS = 17

/** Maximum bytes of the levels and lengths of a page of texts. */
const PREFIX_BYTES = 128 * 1024

/** Returns the bytes of each region; besides `entries` and `labels`, nothing depends on the column. */
function regionSizes(entries: number, labels: number) {
  const bits = (entries + 7) >> 3
  // Levels of at most 8 bits, and indices of at most 32.
  const body = 8 * bits + bits + 4 * entries + 256
  return {
    /** Validity bits, offsets and values, as in the batch. */
    validity: bits,
    offsets: 4 * (entries + 1),
    source: Math.max(4 * entries, 8 * VALUE_ROWS),
    /** Levels of the page: one bit each, or one byte each (`definitions`). */
    definitionBits: bits,
    repetitionBits: bits,
    definitions: entries,
    indices: 4 * (entries + 7),
    lengths: 8 * VALUE_ROWS,
    /** Room for levels and lengths directly before the values, which together are a page's body. */
    prefix: PREFIX_BYTES,
    values: VALUE_BYTES,
    body,
    /** Compressed, in the worst case. */
    packed: 64 + Math.ceil((Math.max(body, PREFIX_BYTES + VALUE_BYTES) * 7) / 6),
    hashes: 2 * 2 ** 14,
    differences: 8 * 256,
    bounds: 16,
    slots: 4 * 2 ** DICTIONARY_SLOT_BITS,
    starts: 4 * 2 ** (DICTIONARY_SLOT_BITS - 1),
    dictionary: DICTIONARY_BYTES,
    inUse: labels,
  }
}

type PageRegions = Readonly<Record<keyof ReturnType<typeof regionSizes>, number>>

/**
 * Address of the first region, and the free bytes after each one: whole words are stored where only some bytes matter.
 */
const FIRST_ADDRESS = 1024
const SLACK_BYTES = 64

const WASM_PAGE_BYTES = 65536

const MIN_LABELS = 4096

export class PageKernel {
  readonly call: PageFunctions
  readonly #copies = new PageCopies()
  readonly #memory: WebAssembly.Memory
  #entries = PAGE_ENTRIES
  #labels = MIN_LABELS
  #at: PageRegions
  #bytes: Uint8Array<ArrayBuffer>

  constructor(module: WebAssembly.Module) {
    const { at, byteCount } = placeRegions(regionSizes(this.#entries, this.#labels))
    this.#memory = new WebAssembly.Memory({ initial: Math.ceil(byteCount / WASM_PAGE_BYTES) })
    this.#at = at
    this.#bytes = new Uint8Array(this.#memory.buffer as ArrayBuffer)
    const { exports } = new WebAssembly.Instance(module, { env: { memory: this.#memory } })
    this.call = exports as unknown as PageFunctions
  }

  /** Address of each region. */
  get at(): PageRegions {
    return this.#at
  }

  /** The memory; `reserve` may replace this array. */
  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#bytes
  }

  /** Returns a view of 32-bit numbers in memory. */
  int32(address: number, length: number): Int32Array {
    return new Int32Array(this.#bytes.buffer, address, length)
  }

  /** Copies bytes out of the memory; the copy is valid until `reuseCopies` is called. */
  copy(start: number, end: number): Uint8Array {
    return this.#copies.add(this.#bytes.subarray(start, end))
  }

  /** Invalidates all copies, whose buffers are reused. */
  reuseCopies(): void {
    this.#copies.reuse()
  }

  /**
   * Makes room for pages of `entries` entries and for `labels` labels. If regions move, only `inUse` keeps its content.
   */
  reserve(entries: number, labels: number): void {
    if (entries <= this.#entries && labels <= this.#labels) return
    const inUse = this.#bytes.slice(this.#at.inUse, this.#at.inUse + this.#labels)
    this.#entries = Math.max(entries, this.#entries)
    this.#labels = Math.max(labels, this.#labels)
    const { at, byteCount } = placeRegions(regionSizes(this.#entries, this.#labels))
    const missing = byteCount - this.#bytes.length
    if (missing > 0) this.#memory.grow(Math.ceil(missing / WASM_PAGE_BYTES))
    this.#at = at
    this.#bytes = new Uint8Array(this.#memory.buffer as ArrayBuffer)
    this.#bytes.set(inUse, at.inUse)
  }
}

/** Returns the address of each region, and the bytes of all of them. */
function placeRegions(sizes: ReturnType<typeof regionSizes>): { at: PageRegions; byteCount: number } {
  const at: Record<string, number> = {}
  let address = FIRST_ADDRESS
  for (const [name, byteCount] of Object.entries(sizes)) {
    at[name] = address
    address += (byteCount + 2 * SLACK_BYTES - 1) & -SLACK_BYTES
  }
  return { at: at as PageRegions, byteCount: address }
}

let kernel: PageKernel | undefined

/** Returns the kernel of this thread, which is created at first use. */
export function pageKernel(): PageKernel {
  kernel ??= new PageKernel(kernelModule('sinks/parquet/kernel/pages.wasm'))
  return kernel
}
