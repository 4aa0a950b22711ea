/** Parquet: `RowGroupEncoder` encodes batches as bytes, `ParquetFileWriter` writes those to a file. */

export {
  createdByText,
  type ParquetEnding,
  ParquetFileWriter,
  type ParquetOutput,
} from './file-writer.ts'
export { CODEC, type Compression, ENCODINGS, type Encodings } from './format.ts'
export { type EncodedRowGroup, RowGroupEncoder, type RowGroupOptions } from './row-group.ts'
export { type RowGroupLimits, rowGroupsOf } from './row-groups.ts'
