/** The pages of one column of a row group, compressed as they come: from the kernel's memory to what a file holds. */

import { gzipSync } from 'node:zlib'
import { ExportError, quoted } from '../../errors.ts'
import {
  CODEC,
  type ColumnChunk,
  type Compression,
  dataPageHeader,
  dictionaryPageHeader,
  ENCODING,
  PAGE,
  type Statistics,
} from './format.ts'
import { type PageKernel, VALUE_BYTES } from './kernel/page-kernel.ts'
import type { Leaf } from './schema-tree.ts'

/** Compression must save this part of a column with a dictionary to be worth the reader's time. */
const LEAST_SAVING = 0.02

/** The end of the first page shows whether other columns are worth our time as well: values lie behind levels. */
const TRIAL_BYTES = 32 * 1024
const LEAST_TRIAL_SAVING = 0.1

/** A page's size is a signed 32 bit number in the format. */
const MOST_PAGE_BYTES = 2 ** 31 - 1

/** A column's bytes, wherever they lie; `chunk`'s offsets are from their start. */
export interface StoredColumn {
  chunk: ColumnChunk
  parts: readonly Uint8Array[]
}

/** A column of one row group, not yet in its place. */
export interface EncodedChunk {
  pages: ColumnPages
  statistics: Statistics
}

interface Page {
  isDictionary: boolean
  valueCount: number
  byteCount: number
  /** The body as it is, and compressed; at least one of them. */
  plain: readonly Uint8Array[] | undefined
  packed: readonly Uint8Array[] | undefined
}

/** `lz4` and `zstd` come from parquet-wasm, many pages at a time. */
export function isPackedLater(compression: Compression): boolean {
  return compression === 'lz4' || compression === 'zstd'
}

export class ColumnPages {
  readonly #leaf: Leaf
  readonly #kernel: PageKernel
  readonly #compression: Compression
  readonly #encoding: number
  readonly #pages: Page[] = []
  #dictionary: Page | undefined
  #isTried = false
  #keepsPlain: boolean
  #keepsPacked: boolean

  /**
   * @param encoding Of the data pages. Columns of lists, and those with a dictionary of their values, are compressed or not
   * by their size as a whole; a trial tells for the others.
   */
  constructor(leaf: Leaf, kernel: PageKernel, compression: Compression, encoding: number) {
    this.#leaf = leaf
    this.#kernel = kernel
    this.#compression = compression
    this.#encoding = encoding
    const isChoice = leaf.dictionary !== undefined && leaf.maxRepetition === 0
    const isWhole = encoding === ENCODING.rleDictionary && !isChoice
    this.#keepsPlain = compression === 'none' || isPackedLater(compression) || isWhole
    this.#keepsPacked = compression !== 'none' && !isPackedLater(compression)
    this.#isTried = this.#keepsPlain
  }

  /** Adds a data page, of which the body lies in the kernel's memory. */
  addData(address: number, byteCount: number, valueCount: number): void {
    if (!this.#isTried) this.#try(address, byteCount)
    this.#pages.push(this.#page(false, address, byteCount, valueCount))
  }

  /** Adds a data page of any size. */
  addLargeData(parts: readonly Uint8Array[], valueCount: number): void {
    this.#pages.push(this.#largePage(false, parts, valueCount))
  }

  /** Adds the dictionary page, in front of the others. */
  addDictionary(address: number, byteCount: number, valueCount: number): void {
    this.#dictionary = this.#page(true, address, byteCount, valueCount)
  }

  addLargeDictionary(body: Uint8Array, valueCount: number): void {
    this.#dictionary = this.#largePage(true, [body], valueCount)
  }

  /** The bodies that are to be compressed before `stored` is called, in order. */
  get pending(): Uint8Array[] {
    if (!isPackedLater(this.#compression) || this.#all.some((page) => page.byteCount === 0)) return []
    return this.#all.map((page) => joinedParts(page.plain ?? []))
  }

  /**
   * The column as it stands in a file.
   * @param compressed The `pending` bodies.
   * @throws ExportError `ERR_PARQUET` for a page that is too large for the format.
   */
  stored(statistics: Statistics, compressed: readonly Uint8Array[] = []): StoredColumn {
    const pages = this.#all
    if (compressed.length > 0) for (const [i, page] of pages.entries()) page.packed = [compressed[i]!]
    const isPacked = this.#isSmallerPacked(pages)
    const parts: Uint8Array[] = []
    let uncompressedByteCount = 0
    let dataPageOffset = 0
    for (const page of pages) {
      const body = (isPacked ? page.packed : page.plain) ?? []
      if (page.byteCount > MOST_PAGE_BYTES) throw pageTooLarge(page.byteCount, this.#leaf.path)
      const header = this.#header(page, partsLength(body))
      parts.push(header, ...body)
      uncompressedByteCount += header.length + page.byteCount
      if (page === this.#dictionary) dataPageOffset = partsLength(parts)
    }
    return {
      parts,
      chunk: {
        path: this.#leaf.path,
        physicalType: this.#leaf.physicalType,
        encodings: this.#encodings(),
        codec: isPacked ? CODEC[this.#compression] : CODEC.none,
        valueCount: this.#pages.reduce((values, page) => values + page.valueCount, 0),
        uncompressedByteCount,
        compressedByteCount: partsLength(parts),
        dictionaryPageOffset: this.#dictionary === undefined ? undefined : 0,
        dataPageOffset,
        statistics,
        encodingCounts: [
          ...(this.#dictionary === undefined
            ? []
            : [{ pageType: PAGE.dictionary, encoding: ENCODING.plain, pageCount: 1 }]),
          { pageType: PAGE.data, encoding: this.#encoding, pageCount: this.#pages.length },
        ],
      },
    }
  }

  get #all(): Page[] {
    return this.#dictionary === undefined ? this.#pages : [this.#dictionary, ...this.#pages]
  }

  #encodings(): number[] {
    if (this.#dictionary === undefined) return [ENCODING.rle, this.#encoding]
    return [ENCODING.plain, ENCODING.rle, this.#encoding]
  }

  #header(page: Page, compressedByteCount: number): Uint8Array {
    const sizes = { valueCount: page.valueCount, uncompressedByteCount: page.byteCount, compressedByteCount }
    return page.isDictionary ? dictionaryPageHeader(sizes) : dataPageHeader(sizes, this.#encoding)
  }

  #isSmallerPacked(pages: readonly Page[]): boolean {
    let plain = 0
    let packed = 0
    for (const page of pages) {
      if (page.packed === undefined || page.byteCount === 0) return false
      if (page.plain === undefined) return true
      plain += page.byteCount
      packed += partsLength(page.packed)
    }
    return packed <= plain * (1 - LEAST_SAVING)
  }

  #try(address: number, byteCount: number): void {
    const tried = Math.min(byteCount, TRIAL_BYTES)
    const isWorthIt = this.#packed(address + byteCount - tried, tried).length <= tried * (1 - LEAST_TRIAL_SAVING)
    this.#keepsPacked = isWorthIt
    this.#keepsPlain = !isWorthIt
    this.#isTried = true
  }

  #page(isDictionary: boolean, address: number, byteCount: number, valueCount: number): Page {
    const plain = this.#keepsPlain ? [this.#kernel.copy(address, address + byteCount)] : undefined
    const packed = this.#keepsPacked ? [this.#packed(address, byteCount)] : undefined
    return { isDictionary, valueCount, byteCount, plain, packed }
  }

  #largePage(isDictionary: boolean, parts: readonly Uint8Array[], valueCount: number): Page {
    const byteCount = partsLength(parts)
    // Nothing was tried yet if the column begins with it.
    if (!this.#isTried) this.#keepsPlain = true
    const plain = this.#keepsPlain ? parts : undefined
    const packed = this.#keepsPacked ? this.#packedParts(parts, byteCount) : undefined
    return { isDictionary, valueCount, byteCount, plain, packed }
  }

  #packed(address: number, byteCount: number): Uint8Array {
    const { bytes, at, call } = this.#kernel
    if (this.#compression === 'gzip') return gzipSync(bytes.subarray(address, address + byteCount))
    const start = writePreamble(byteCount, bytes, at.packed)
    return this.#kernel.copy(at.packed, call.compressSnappy(address, byteCount, at.hashes, start))
  }

  /** Compresses a stretch at a time, so that the size of a value is not bound to that of the kernel's memory. */
  #packedParts(parts: readonly Uint8Array[], byteCount: number): Uint8Array[] {
    if (this.#compression === 'gzip') return [gzipSync(joinedParts(parts))]
    const { bytes, at, call } = this.#kernel
    const packed = [this.#kernel.copy(at.packed, writePreamble(byteCount, bytes, at.packed))]
    for (const part of parts) {
      for (let pos = 0; pos < part.length; pos += VALUE_BYTES) {
        const stretch = part.subarray(pos, pos + VALUE_BYTES)
        bytes.set(stretch, at.values)
        packed.push(this.#kernel.copy(at.packed, call.compressSnappy(at.values, stretch.length, at.hashes, at.packed)))
      }
    }
    return packed
  }
}

/** Snappy's preamble is the length as a varint. */
function writePreamble(byteCount: number, bytes: Uint8Array, pos: number): number {
  let rest = byteCount
  while (rest >= 128) {
    bytes[pos++] = (rest % 128) | 128
    rest = Math.floor(rest / 128)
  }
  bytes[pos++] = rest
  return pos
}

function partsLength(parts: readonly Uint8Array[]): number {
  return parts.reduce((bytes, part) => bytes + part.length, 0)
}

function joinedParts(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

function pageTooLarge(found: number, path: readonly string[]): ExportError {
  const column = quoted(path.join('.'))
  return new ExportError('ERR_PARQUET', `expected at most ${MOST_PAGE_BYTES} bytes a page of ${column}, found ${found}`)
}
