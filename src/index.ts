export * from './api/client.ts'
export { type Codebook, readCodebook } from './codebook/codebook.ts'
export type { OptionTally, QuestionCounts, QuestionTally } from './codebook/tally.ts'
export { type CodebookFormat, writeCodebook } from './codebook/write-codebook.ts'
export { type ConvertOptions, type ConvertResult, convertExport, type OutputFormat } from './convert/convert.ts'
export type { RejectedValue } from './decode/rejects.ts'
export type { AnswerCounts } from './decode/table.ts'
export type {
  Definition,
  ExportHeader,
  FieldDataType,
  FieldDefinition,
  FieldGroup,
  OptionDefinition,
} from './definition.ts'
export {
  AbortError,
  ApiError,
  type ApiErrorOptions,
  DefinitionError,
  type ErrorCode,
  ExportError,
  type ExportErrorOptions,
  isExportError,
  JsonSyntaxError,
  LimitError,
  OptionError,
  OutputError,
  type Place,
  SourceError,
  ValueError,
} from './errors.ts'
export type { ExportSource } from './input/source.ts'
export type { InputLimits } from './limits.ts'
export type { NameMode } from './plan/name-modes.ts'
export type {
  ColumnOptions,
  ColumnPlan,
  ColumnSource,
  ColumnType,
  InvalidCounts,
  PrivacyOptions,
} from './plan/schema.ts'
export type { SelectionOptions } from './plan/selection.ts'
export {
  type ExportReader,
  type QuestionSummary,
  type ReadOptions,
  type ReadProgress,
  type ReadSummary,
  readExport,
} from './reader.ts'
export type { AnswerStates, Groups, Layout, Sets, ShapeOptions, Timezone, Values } from './shape/options.ts'
export type { BatchReader } from './sinks/batch-reader.ts'
export { type IpcFormat, type WriteIpcOptions, writeIpc } from './sinks/ipc.ts'
export type { OutputTarget, WriteResult } from './sinks/output.ts'
export { type Compression, type Encodings, type WriteParquetOptions, writeParquet } from './sinks/parquet.ts'
export { type StarOptions, type StarResult, writeStar } from './star/star.ts'
export type { VerifyReport } from './verify/compare.ts'
export type { Difference } from './verify/difference-log.ts'
export { type VerifyOptions, verifyExport } from './verify-export.ts'
export { VERSION } from './version.ts'
export type { Warning, WarningKind } from './warnings.ts'
