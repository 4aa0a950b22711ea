/**
 * Collects and compresses the pages of one column of a row group, from the kernel's memory to their form in the file.
 */

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

/** Fraction of a column that compression must save for its pages to be stored compressed, which costs readers time. */
const MIN_SAVING = 0.02

/**
 * The end of a column's first page is compressed as a trial; unless that saves enough, the column is not compressed at
 * all. The end, since values come after levels.
 */
const TRIAL_BYTES = 32 * 1024
const MIN_TRIAL_SAVING = 0.1

/** The format stores a page's size as a signed 32-bit number. */
const MAX_PAGE_BYTES = 2 ** 31 - 1

/** A column's bytes in several parts; the offsets in `chunk` count from the start of the first part. */
export interface StoredColumn {
  chunk: ColumnChunk
  parts: readonly Uint8Array[]
}

/** A column of one row group, before its bytes are put together. */
export interface EncodedChunk {
  pages: ColumnPages
  statistics: Statistics
}

interface Page {
  isDictionary: boolean
  valueCount: number
  byteCount: number
  /** The body uncompressed; at least one of `plain` and `packed` is defined. */
  plain: readonly Uint8Array[] | undefined
  /** The body compressed. */
  packed: readonly Uint8Array[] | undefined
}

/** Whether all pages are compressed together in the end: parquet-wasm does `lz4` and `zstd`, many pages at a time. */
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
   * @param encoding Encoding of the data pages. For columns of lists, and those with a dictionary of their values, the
   *   size of the whole column decides whether it is compressed; for others, a trial.
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

  /** Adds a data page whose body is in the kernel's memory. */
  addData(address: number, byteCount: number, valueCount: number): void {
    if (!this.#isTried) this.#try(address, byteCount)
    this.#pages.push(this.#page(false, address, byteCount, valueCount))
  }

  /** Adds a data page of any size. */
  addLargeData(parts: readonly Uint8Array[], valueCount: number): void {
    this.#pages.push(this.#largePage(false, parts, valueCount))
  }

  /** Adds the dictionary page, which comes before the others. */
  addDictionary(address: number, byteCount: number, valueCount: number): void {
    this.#dictionary = this.#page(true, address, byteCount, valueCount)
  }

  /** Adds a dictionary page of any size. */
  addLargeDictionary(body: Uint8Array, valueCount: number): void {
    this.#dictionary = this.#largePage(true, [body], valueCount)
  }

  /** The bodies that must be compressed before `finish` is called, in order. */
  get pending(): Uint8Array[] {
    if (!isPackedLater(this.#compression) || this.#all.some((page) => page.byteCount === 0)) return []
    return this.#all.map((page) => joinParts(page.plain ?? []))
  }

  /**
   * Returns the column as it is stored in a file.
   * @param compressed The `pending` bodies, compressed.
   * @throws ExportError `ERR_PARQUET` for a page that is too large for the format.
   */
  finish(statistics: Statistics, compressed: readonly Uint8Array[] = []): StoredColumn {
    const pages = this.#all
    if (compressed.length > 0) for (const [i, page] of pages.entries()) page.packed = [compressed[i]!]
    const isPacked = this.#isSmallerPacked(pages)
    const parts: Uint8Array[] = []
    let uncompressedByteCount = 0
    let dataPageOffset = 0
    for (const page of pages) {
      const body = (isPacked ? page.packed : page.plain) ?? []
      if (page.byteCount > MAX_PAGE_BYTES) throw pageTooLargeError(page.byteCount, this.#leaf.path)
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
    return packed <= plain * (1 - MIN_SAVING)
  }

  /** Decides by a trial whether the column is compressed. */
  #try(address: number, byteCount: number): void {
    const tried = Math.min(byteCount, TRIAL_BYTES)
    const isWorthIt = this.#pack(address + byteCount - tried, tried).length <= tried * (1 - MIN_TRIAL_SAVING)
    this.#keepsPacked = isWorthIt
    this.#keepsPlain = !isWorthIt
    this.#isTried = true
  }

  #page(isDictionary: boolean, address: number, byteCount: number, valueCount: number): Page {
    const plain = this.#keepsPlain ? [this.#kernel.copy(address, address + byteCount)] : undefined
    const packed = this.#keepsPacked ? [this.#pack(address, byteCount)] : undefined
    return { isDictionary, valueCount, byteCount, plain, packed }
  }

  #largePage(isDictionary: boolean, parts: readonly Uint8Array[], valueCount: number): Page {
    const byteCount = partsLength(parts)
    // Before the trial, it is not known yet whether compressing is worthwhile.
    if (!this.#isTried) this.#keepsPlain = true
    const plain = this.#keepsPlain ? parts : undefined
    const packed = this.#keepsPacked ? this.#packParts(parts, byteCount) : undefined
    return { isDictionary, valueCount, byteCount, plain, packed }
  }

  #pack(address: number, byteCount: number): Uint8Array {
    const { bytes, at, call } = this.#kernel
    if (this.#compression === 'gzip') return gzipSync(bytes.subarray(address, address + byteCount))
    const start = writePreamble(byteCount, bytes, at.packed)
    return this.#kernel.copy(at.packed, call.compressSnappy(address, byteCount, at.hashes, start))
  }

  /** Compresses a stretch at a time, so that a value may be larger than the kernel's memory. */
  #packParts(parts: readonly Uint8Array[], byteCount: number): Uint8Array[] {
    if (this.#compression === 'gzip') return [gzipSync(joinParts(parts))]
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

/** Writes Snappy's preamble, the uncompressed length as a varint; returns its end. */
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

function joinParts(parts: readonly Uint8Array[]): Uint8Array {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts)
}

function pageTooLargeError(found: number, path: readonly string[]): ExportError {
  const column = quoted(path.join('.'))
  return new ExportError(
    'ERR_PARQUET',
    `expected at most ${MAX_PAGE_BYTES} bytes per page of ${column}, found ${found}`,
  )
}
