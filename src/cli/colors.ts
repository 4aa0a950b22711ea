/**
 * Colours of standard output: for terminals only, since what is redirected to a file is read by something else.
 * `NO_COLOR` and `FORCE_COLOR` win. picocolors by itself would colour everything where `CI` is set.
 */

import picocolors from 'picocolors'

const { NO_COLOR, FORCE_COLOR, TERM } = process.env

const isForced = Boolean(FORCE_COLOR) && FORCE_COLOR !== '0'

// `isTTY` is undefined where there is no terminal, and picocolors would then decide itself.

export const colors = picocolors.createColors(
  !NO_COLOR && (isForced || (Boolean(process.stdout.isTTY) && TERM !== 'dumb')),
)
