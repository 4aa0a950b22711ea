/** The compiled conversion: worker threads run compiled code, and what is marked as internal has no types there. */

import * as compiled from '../dist/convert/convert.js'
import type { convertWith } from '../src/convert/convert.ts'

export const convertCompiled = (compiled as unknown as { convertWith: typeof convertWith }).convertWith
