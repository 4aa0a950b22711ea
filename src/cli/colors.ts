/**
 * Colours for standard output, used only on terminals. `NO_COLOR` and `FORCE_COLOR` take precedence. picocolors alone
 * would also colour wherever `CI` is set.
 */

import picocolors from 'picocolors'

const { NO_COLOR, FORCE_COLOR, TERM } = process.env

const isForced = Boolean(FORCE_COLOR) && FORCE_COLOR !== '0'

// `isTTY` is undefined without a terminal, and picocolors would then decide itself.

export const colors = picocolors.createColors(
  !NO_COLOR && (isForced || (Boolean(process.stdout.isTTY) && TERM !== 'dumb')),
)
