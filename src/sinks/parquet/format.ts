/** The parts of Parquet's format that this writer uses: the numbers of parquet.thrift, page headers, the footer. */

import { ThriftWriter } from './thrift.ts'

export const MAGIC = new TextEncoder().encode('PAR1')

export const PHYSICAL = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, byteArray: 6 } as const

export const REPETITION = { required: 0, optional: 1, repeated: 2 } as const

export const CONVERTED = {
  utf8: 0,
  list: 3,
  date: 6,
  timestampMillis: 9,
  timestampMicros: 10,
  uint8: 11,
  uint16: 12,
  uint32: 13,
  uint64: 14,
  int8: 15,
  int16: 16,
} as const

export const ENCODING = { plain: 0, rle: 3, deltaBinaryPacked: 5, deltaLengthByteArray: 6, rleDictionary: 8 } as const

export const PAGE = { data: 0, dictionary: 2 } as const

/** Numbers of the codecs; `lz4` is LZ4_RAW, the variant that all readers agree on. */
export const CODEC = { none: 0, snappy: 1, gzip: 2, zstd: 6, lz4: 7 } as const

export type Compression = keyof typeof CODEC

/** How texts and integers without a dictionary are stored: `delta` is smaller, `plain` is known to every reader. */
export const ENCODINGS = ['delta', 'plain'] as const

export type Encodings = (typeof ENCODINGS)[number]

export type LogicalType =
  | { kind: 'string' | 'list' | 'date' }
  | { kind: 'timestamp'; isAdjustedToUtc: boolean; unit: 'millis' | 'micros' | 'nanos' }
  | { kind: 'integer'; bits: number; isSigned: boolean }

/** A node of the schema tree, which is stored in depth-first order. */
export interface SchemaElement {
  name: string
  /** Missing on the root. */
  repetition?: number
  /** Missing on groups. */
  physicalType?: number
  childCount?: number
  convertedType?: number
  logicalType?: LogicalType
}

export interface Statistics {
  nullCount?: number | undefined
  distinctCount?: number | undefined
  /** In PLAIN encoding, but texts without their length; the same for `max`. */
  min?: Uint8Array | undefined
  max?: Uint8Array | undefined
  isMinExact?: boolean | undefined
  isMaxExact?: boolean | undefined
}

export interface EncodingCount {
  pageType: number
  encoding: number
  pageCount: number
}

/** Metadata of one column of one row group in the footer. Offsets are in bytes from the start of the row group. */
export interface ColumnChunk {
  path: readonly string[]
  physicalType: number
  encodings: readonly number[]
  codec: number
  /** Entries of the level streams, including nulls and empty lists. */
  valueCount: number
  /** Both sizes include the page headers. */
  uncompressedByteCount: number
  compressedByteCount: number
  dictionaryPageOffset?: number | undefined
  dataPageOffset: number
  statistics?: Statistics | undefined
  encodingCounts: readonly EncodingCount[]
}

interface PageSizes {
  valueCount: number
  uncompressedByteCount: number
  compressedByteCount: number
}

export function dictionaryPageHeader(sizes: PageSizes): Uint8Array {
  return pageHeader(PAGE.dictionary, sizes, (writer) => {
    writer.struct(7, () => {
      writer.i32(1, sizes.valueCount)
      writer.i32(2, ENCODING.plain)
    })
  })
}

/** Returns the header of a version 1 data page. */
export function dataPageHeader(sizes: PageSizes, encoding: number): Uint8Array {
  return pageHeader(PAGE.data, sizes, (writer) => {
    writer.struct(5, () => {
      writer.i32(1, sizes.valueCount)
      writer.i32(2, encoding)
      writer.i32(3, ENCODING.rle)
      writer.i32(4, ENCODING.rle)
    })
  })
}

function pageHeader(type: number, sizes: PageSizes, writeContent: (writer: ThriftWriter) => void): Uint8Array {
  const writer = new ThriftWriter()
  writer.i32(1, type)
  writer.i32(2, sizes.uncompressedByteCount)
  writer.i32(3, sizes.compressedByteCount)
  writeContent(writer)
  return writer.finish()
}

/** The parts of a row group that the footer describes. */
interface RowGroupShape {
  rowCount: number
  columns: readonly ColumnChunk[]
}

interface Footer {
  elements: readonly SchemaElement[]
  rowCount: number
  /** Results of `encodeRowGroup`. As objects, those of a long and wide table would take more memory than its data. */
  rowGroups: readonly Uint8Array[]
  keyValueMetadata: readonly (readonly [key: string, value: string])[]
  createdBy: string
}

/** Version of the format in the footer; 1 is the one that most readers know. */
const FORMAT_VERSION = 1

/** Returns the file's metadata, without the length and the magic bytes that follow it. */
export function encodeFooter(footer: Footer): Uint8Array {
  const writer = new ThriftWriter()
  writer.i32(1, FORMAT_VERSION)
  writer.structs(2, footer.elements, (element) => writeSchemaElement(writer, element))
  writer.i64(3, footer.rowCount)
  writer.encodedStructs(4, footer.rowGroups)
  if (footer.keyValueMetadata.length > 0) {
    writer.structs(5, footer.keyValueMetadata, ([key, value]) => {
      writer.string(1, key)
      writer.string(2, value)
    })
  }
  writer.string(6, footer.createdBy)
  const leaves = footer.elements.filter((element) => element.physicalType !== undefined)
  // Spec: without column orders, readers must not use min_value and max_value. TypeDefinedOrder is the only order.
  writer.structs(7, leaves, () => writer.struct(1, () => {}))
  return writer.finish()
}

function writeSchemaElement(writer: ThriftWriter, element: SchemaElement): void {
  writer.i32(1, element.physicalType)
  writer.i32(3, element.repetition)
  writer.string(4, element.name)
  writer.i32(5, element.childCount)
  writer.i32(6, element.convertedType)
  const { logicalType } = element
  if (logicalType !== undefined) writer.struct(10, () => writeLogicalType(writer, logicalType))
}

const TIME_UNIT_FIELD = { millis: 1, micros: 2, nanos: 3 }

function writeLogicalType(writer: ThriftWriter, type: LogicalType): void {
  switch (type.kind) {
    case 'string':
      writer.struct(1, () => {})
      break
    case 'list':
      writer.struct(3, () => {})
      break
    case 'date':
      writer.struct(6, () => {})
      break
    case 'timestamp':
      writer.struct(8, () => {
        writer.bool(1, type.isAdjustedToUtc)
        writer.struct(2, () => writer.struct(TIME_UNIT_FIELD[type.unit], () => {}))
      })
      break
    case 'integer':
      writer.struct(10, () => {
        writer.i8(1, type.bits)
        writer.bool(2, type.isSigned)
      })
      break
  }
}

/** Returns the footer's metadata of a row group that begins at offset `byteOffset` of the file. */
export function encodeRowGroup({ rowCount, columns }: RowGroupShape, byteOffset: number): Uint8Array {
  const writer = new ThriftWriter()
  const sum = (size: 'uncompressedByteCount' | 'compressedByteCount') =>
    columns.reduce((bytes, column) => bytes + column[size], 0)
  writer.structs(1, columns, (column) => {
    // Deprecated: offset of the metadata outside the footer; 0 = there is none.
    writer.i64(2, 0)
    writer.struct(3, () => writeColumnMetadata(writer, column, byteOffset))
  })
  writer.i64(2, sum('uncompressedByteCount'))
  writer.i64(3, rowCount)
  writer.i64(5, byteOffset)
  writer.i64(6, sum('compressedByteCount'))
  return writer.finish()
}

function writeColumnMetadata(writer: ThriftWriter, column: ColumnChunk, groupOffset: number): void {
  const { dictionaryPageOffset, statistics } = column
  writer.i32(1, column.physicalType)
  writer.i32s(2, column.encodings)
  writer.strings(3, column.path)
  writer.i32(4, column.codec)
  writer.i64(5, column.valueCount)
  writer.i64(6, column.uncompressedByteCount)
  writer.i64(7, column.compressedByteCount)
  writer.i64(9, groupOffset + column.dataPageOffset)
  if (dictionaryPageOffset !== undefined) writer.i64(11, groupOffset + dictionaryPageOffset)
  if (statistics !== undefined) writer.struct(12, () => writeStatistics(writer, statistics))
  writer.structs(13, column.encodingCounts, (count) => {
    writer.i32(1, count.pageType)
    writer.i32(2, count.encoding)
    writer.i32(3, count.pageCount)
  })
}

function writeStatistics(writer: ThriftWriter, statistics: Statistics): void {
  writer.i64(3, statistics.nullCount)
  writer.i64(4, statistics.distinctCount)
  writer.binary(5, statistics.max)
  writer.binary(6, statistics.min)
  writer.bool(7, statistics.isMaxExact)
  writer.bool(8, statistics.isMinExact)
}
