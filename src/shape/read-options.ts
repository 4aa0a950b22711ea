/** How an export can be read: apart from the reader, so that checking options loads little. */

import type { RejectedValue } from '../decode/rejects.ts'
import { type InputLimits, LIMIT_OPTION_NAMES } from '../limits.ts'
import type { OptionNames } from '../option-values.ts'
import { SHAPE_OPTION_NAMES, type ShapeOptions } from './options.ts'

export interface ReadOptions extends ShapeOptions, InputLimits {
  /** Most rows of a batch. Default: 131,072, fewer where the columns alone would need more than 64 MiB. */
  batchSize?: number | undefined
  /** Stops the reading; the iteration then throws an AbortError. */
  signal?: AbortSignal | undefined
  /** With `onInvalid: 'null'`: called with every value that was left out, in the order of the document. */
  onReject?: ((value: RejectedValue) => void) | undefined
}

export const READ_OPTION_NAMES: OptionNames<ReadOptions> = {
  ...SHAPE_OPTION_NAMES,
  ...LIMIT_OPTION_NAMES,
  batchSize: true,
  signal: true,
  onReject: true,
}
